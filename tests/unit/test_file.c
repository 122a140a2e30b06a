/* Files: whole reads with a cap, atomic writes with an exact mode, folders, plain names. */
#include "folder.h"

#include "check.h"

#include "base/banned.h"
#include "base/file.h"

#include <errno.h>
#include <sys/syscall.h>

static mode_t mode_of(const char *name)
{
    struct stat info;

    assert_int_equal(lstat(folder_at(name), &info), 0);
    return info.st_mode;
}

/* How many names there are in the test's folder. */
static int count_names(void)
{
    struct error error = ERROR_INIT;
    int folder = file_open_folder(AT_FDCWD, folder_path, &error), count = 0;
    char bytes[4096];
    long size;

    assert_true(folder >= 0);
    while ((size = syscall(SYS_getdents64, folder, bytes, sizeof bytes)) > 0) {
        for (long i = 0; i < size; count++)
            i += (unsigned char)bytes[i + 16] | (unsigned char)bytes[i + 17] << 8;
    }
    close(folder);
    return count - 2;
}

static void assert_content(const char *name, const char *content)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(1024);
    struct error error = ERROR_INIT;

    assert_int_equal(file_read(AT_FDCWD, folder_at(name), &out, &error), 1);
    assert_int_equal(out.size, strlen(content));
    assert_memory_equal(out.bytes, content, out.size);
}

static void absent_files_are_no_error(void **state)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(8);
    struct error error = ERROR_INIT;

    (void)state;
    assert_int_equal(file_read(AT_FDCWD, folder_at("none"), &out, &error), 0);
    folder_put("file", "x");
    assert_int_equal(file_read(AT_FDCWD, folder_at("file/below"), &out, &error), 0);
    assert_silent(&error);
    assert_int_equal(out.size, 0);
}

static void reads_append(void **state)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(8);
    struct error error = ERROR_INIT;

    (void)state;
    folder_put_bytes("file", "a\0b", 3);
    buffer_append_text(&out, "<");
    assert_int_equal(file_read(AT_FDCWD, folder_at("file"), &out, &error), 1);
    assert_int_equal(out.size, 4);
    assert_memory_equal(out.bytes, "<a\0b", 5);
}

static void maximum_is_read_and_not_passed(void **state)
{
    struct error error = ERROR_INIT;

    (void)state;
    folder_put("file", "12345678");
    {
        AUTO_BUFFER struct buffer out = BUFFER_INIT(8);

        assert_int_equal(file_read(AT_FDCWD, folder_at("file"), &out, &error), 1);
        assert_string_equal(buffer_text(&out), "12345678");
    }
    {
        AUTO_BUFFER struct buffer out = BUFFER_INIT(7);

        assert_int_equal(file_read(AT_FDCWD, folder_at("file"), &out, &error), -1);
        assert_int_equal(error.kind, ERROR_INPUT);
        assert_says(&error, "larger than 7 bytes");
    }
}

static void large_files_are_read_whole(void **state)
{
    enum { SIZE = 300001 };
    static char bytes[SIZE];
    AUTO_BUFFER struct buffer out = BUFFER_INIT(SIZE);
    struct error error = ERROR_INIT;

    (void)state;
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (char)(i * 7);
    folder_put_bytes("file", bytes, SIZE);
    assert_int_equal(file_read(AT_FDCWD, folder_at("file"), &out, &error), 1);
    assert_int_equal(out.size, SIZE);
    assert_memory_equal(out.bytes, bytes, SIZE);
}

/* The reader makes room before it knows that there is nothing to read. */
static void empty_files_give_an_empty_text(void **state)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(100);
    struct error error = ERROR_INIT;
    char *dirt = malloc(128);

    (void)state;
    folder_put("file", "");
    assert_non_null(dirt);
    memset(dirt, 'x', 128);
    free(dirt);
    assert_int_equal(file_read(AT_FDCWD, folder_at("file"), &out, &error), 1);
    assert_int_equal(out.size, 0);
    assert_int_equal(*buffer_text(&out), '\0');
}

static void folders_are_no_files(void **state)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(8);
    struct error error = ERROR_INIT;

    (void)state;
    assert_int_equal(file_read(AT_FDCWD, folder_path, &out, &error), -1);
    assert_int_equal(error.kind, ERROR_INTERNAL);
}

static void modes_are_exact_whatever_the_umask(void **state)
{
    static const mode_t modes[] = {0600, 0640, 0644, 0700, 0755, 0666, 0777};
    static const mode_t masks[] = {0, 022, 077, 0777};
    struct error error = ERROR_INIT;

    (void)state;
    for (size_t i = 0; i < COUNT(modes); i++) {
        for (size_t j = 0; j < COUNT(masks); j++) {
            mode_t before = umask(masks[j]);
            int result = file_write(AT_FDCWD, folder_at("file"), "x", 1, modes[i], &error);

            umask(before);
            assert_int_equal(result, 0);
            assert_int_equal(mode_of("file"), S_IFREG | modes[i]);
        }
    }
}

static void writes_replace_and_leave_nothing_beside(void **state)
{
    struct error error = ERROR_INIT;

    (void)state;
    folder_put("file", "a long old content");
    assert_int_equal(chmod(folder_at("file"), 0666), 0);
    assert_int_equal(file_write(AT_FDCWD, folder_at("file"), "new", 3, 0600, &error), 0);
    assert_content("file", "new");
    assert_int_equal(mode_of("file"), S_IFREG | 0600);
    assert_int_equal(file_write(AT_FDCWD, folder_at("file"), "", 0, 0600, &error), 0);
    assert_content("file", "");
    assert_int_equal(count_names(), 1);
}

/* Who has the old file open goes on seeing the old content, all of it. */
static void readers_never_see_half(void **state)
{
    struct error error = ERROR_INIT;
    char content[16] = "";
    int fd;

    (void)state;
    folder_put("file", "old content");
    fd = open(folder_at("file"), O_RDONLY | O_CLOEXEC);
    assert_int_equal(file_write(AT_FDCWD, folder_at("file"), "new", 3, 0600, &error), 0);
    assert_int_equal(read(fd, content, sizeof content), 11);
    assert_string_equal(content, "old content");
    close(fd);
}

static void failed_writes_change_nothing(void **state)
{
    struct error error = ERROR_INIT;

    (void)state;
    folder_put("folder/file", "x");
    assert_int_equal(file_write(AT_FDCWD, folder_at("folder"), "new", 3, 0600, &error), -1);
    assert_int_equal(error.kind, ERROR_INTERNAL);
    assert_int_equal(count_names(), 1);
    assert_content("folder/file", "x");
    assert_int_equal(file_write(AT_FDCWD, folder_at("none/file"), "new", 3, 0600, &error), -1);
    assert_int_equal(count_names(), 1);
}

static void links_are_replaced_not_followed(void **state)
{
    struct error error = ERROR_INIT;

    (void)state;
    folder_put("target", "precious");
    assert_int_equal(symlink("target", folder_at("link")), 0);
    assert_int_equal(file_write(AT_FDCWD, folder_at("link"), "new", 3, 0600, &error), 0);
    assert_content("target", "precious");
    assert_content("link", "new");
    assert_int_equal(mode_of("link"), S_IFREG | 0600);
}

static void folders_are_made_all_the_way(void **state)
{
    struct error error = ERROR_INIT;
    mode_t before = umask(0);
    int result = file_make_folders(AT_FDCWD, folder_at("a/b//c"), 0700, &error);

    (void)state;
    umask(before);
    assert_int_equal(result, 0);
    assert_int_equal(mode_of("a"), S_IFDIR | 0700);
    assert_int_equal(mode_of("a/b/c"), S_IFDIR | 0700);
    assert_int_equal(file_make_folders(AT_FDCWD, folder_at("a/b/c"), 0755, &error), 0);
    assert_int_equal(mode_of("a/b/c"), S_IFDIR | 0700);
    folder_put("a/file", "");
    assert_int_equal(file_make_folders(AT_FDCWD, folder_at("a/file/d"), 0755, &error), -1);
    assert_says(&error, "cannot make the folder");
}

static void paths_are_relative_to_the_folder(void **state)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(8);
    struct error error = ERROR_INIT;
    int folder = file_open_folder(AT_FDCWD, folder_path, &error);

    (void)state;
    assert_true(folder >= 0);
    assert_int_equal(file_write(folder, "file", "x", 1, 0600, &error), 0);
    assert_true(file_exists(folder, "file"));
    assert_int_equal(file_read(folder, "file", &out, &error), 1);
    assert_content("file", "x");
    assert_int_equal(file_remove(folder, "file", &error), 0);
    assert_false(file_exists(folder, "file"));
    assert_int_equal(file_remove(folder, "file", &error), 0);
    assert_int_equal(mkdirat(folder, "dir", 0700), 0);
    assert_int_equal(file_remove(folder, "dir", &error), -1);
    assert_int_equal(symlinkat("nowhere", folder, "dangling"), 0);
    assert_true(file_exists(folder, "dangling"));
    close(folder);
    assert_int_equal(file_open_folder(AT_FDCWD, folder_at("none"), &error), -1);
}

static void plain_names(void **state)
{
    static const char *const plain[] = {"a", "A-z_0.9", "i-0123456789abcdef0", "a..b", "-", "_"};
    static const char *const others[] = {"",    ".",    "..",   ".hidden", "a/b", "/",
                                         "a b", "a\nb", "\xe9", "a*",      "~a",  "a:b"};

    (void)state;
    for (size_t i = 0; i < COUNT(plain); i++) {
        if (!file_name_is_plain(plain[i], 64))
            fail_msg("\"%s\" is refused", plain[i]);
    }
    for (size_t i = 0; i < COUNT(others); i++) {
        if (file_name_is_plain(others[i], 64))
            fail_msg("\"%s\" is taken", others[i]);
    }
    assert_true(file_name_is_plain("abcd", 4));
    assert_false(file_name_is_plain("abcde", 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(absent_files_are_no_error, folder_empty),
        cmocka_unit_test_teardown(reads_append, folder_empty),
        cmocka_unit_test_teardown(maximum_is_read_and_not_passed, folder_empty),
        cmocka_unit_test_teardown(large_files_are_read_whole, folder_empty),
        cmocka_unit_test_teardown(empty_files_give_an_empty_text, folder_empty),
        cmocka_unit_test_teardown(folders_are_no_files, folder_empty),
        cmocka_unit_test_teardown(modes_are_exact_whatever_the_umask, folder_empty),
        cmocka_unit_test_teardown(writes_replace_and_leave_nothing_beside, folder_empty),
        cmocka_unit_test_teardown(readers_never_see_half, folder_empty),
        cmocka_unit_test_teardown(failed_writes_change_nothing, folder_empty),
        cmocka_unit_test_teardown(links_are_replaced_not_followed, folder_empty),
        cmocka_unit_test_teardown(folders_are_made_all_the_way, folder_empty),
        cmocka_unit_test_teardown(paths_are_relative_to_the_folder, folder_empty),
        cmocka_unit_test(plain_names),
    };

    return cmocka_run_group_tests(tests, folder_make, folder_unmake);
}
