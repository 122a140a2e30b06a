/* Files put below a root: exact, atomic, and never out of it whatever links there are. */
#include "folder.h"

#include "check.h"

#include "base/banned.h"
#include "base/file.h"
#include "base/memory.h"
#include "run/place.h"

#include <dirent.h>
#include <errno.h>

#define ROOT "root"

static struct place place_of(const char *path, const char *content)
{
    static char root[PATH_MAX];

    snprintf(root, sizeof root, "%s", folder_at(ROOT));
    mkdir(root, 0755);
    return (struct place){.root = root,
                          .path = path,
                          .bytes = content,
                          .size = strlen(content),
                          .mode = 0640,
                          .owner = geteuid(),
                          .group = getegid()};
}

static int put(const char *path, const char *content)
{
    struct place place = place_of(path, content);

    return place_file(&place, NULL);
}

static void assert_file(const char *name, const char *content, mode_t mode)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(1 << 20);
    struct error error = ERROR_INIT;
    struct stat info;

    if (lstat(folder_at(name), &info) < 0)
        fail_msg("%s is not there", name);
    assert_int_equal(info.st_mode, S_IFREG | mode);
    assert_int_equal(file_read(AT_FDCWD, folder_at(name), &out, &error), 1);
    assert_int_equal(out.size, strlen(content));
    assert_memory_equal(out.bytes, content, out.size);
}

static bool is_there(const char *name)
{
    return file_exists(AT_FDCWD, folder_at(name));
}

/* How many names there are in a folder. */
static int count_names(const char *name)
{
    DIR *folder = opendir(folder_at(name));
    int count = 0;

    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count - 2;
}

static void files_are_made_and_then_so_already(void **state)
{
    (void)state;
    assert_int_equal(put("/etc/a", "content"), 1);
    assert_file(ROOT "/etc/a", "content", 0640);
    assert_int_equal(put("/etc/a", "content"), 0);
    assert_int_equal(put("/etc/a", "Content"), 1);
    assert_file(ROOT "/etc/a", "Content", 0640);
    assert_int_equal(put("/etc/a", "longer content"), 1);
    assert_int_equal(put("/etc/a", ""), 1);
    assert_file(ROOT "/etc/a", "", 0640);
    assert_int_equal(put("/etc/a", ""), 0);
    assert_int_equal(count_names(ROOT "/etc"), 1);
}

static void large_contents_are_compared_whole(void **state)
{
    enum { SIZE = 200000 };
    AUTO_FREE char *content = memory_zeroed(SIZE + 1, 1);

    (void)state;
    memset(content, 'x', SIZE);
    assert_int_equal(put("/a", content), 1);
    assert_int_equal(put("/a", content), 0);
    content[SIZE - 1] = 'y';
    assert_int_equal(put("/a", content), 1);
    assert_file(ROOT "/a", content, 0640);
}

static void modes_are_exact_whatever_the_umask(void **state)
{
    static const mode_t modes[] = {0600, 0644, 0666, 0755, 04755, 0444, 0, 02755, 0222};
    static const mode_t masks[] = {0, 022, 077, 0777};

    (void)state;
    for (size_t i = 0; i < COUNT(modes); i++) {
        for (size_t j = 0; j < COUNT(masks); j++) {
            struct place place = place_of("/a", "x");
            mode_t before = umask(masks[j]);
            struct stat info;
            int result;

            place.mode = modes[i];
            result = place_file(&place, NULL);
            umask(before);
            assert_int_equal(result, j ? 0 : 1);
            assert_int_equal(stat(folder_at(ROOT "/a"), &info), 0);
            assert_int_equal(info.st_mode, S_IFREG | modes[i]);
        }
    }
}

static void owner_is_part_of_being_so(void **state)
{
    struct place place = place_of("/a", "x");
    struct stat info;

    (void)state;
    if (geteuid() != 0)
        skip();
    place.owner = 1;
    place.group = 2;
    assert_int_equal(place_file(&place, NULL), 1);
    assert_int_equal(place_file(&place, NULL), 0);
    assert_int_equal(stat(folder_at(ROOT "/a"), &info), 0);
    assert_int_equal(info.st_uid, 1);
    assert_int_equal(info.st_gid, 2);
    place.group = 3;
    assert_int_equal(place_file(&place, NULL), 1);
}

static void missing_folders_are_made_0755(void **state)
{
    struct stat info;

    (void)state;
    assert_int_equal(put("/a/b//c/file", "x"), 1);
    assert_int_equal(stat(folder_at(ROOT "/a/b/c"), &info), 0);
    assert_int_equal(info.st_mode, S_IFDIR | 0755);
}

/* "0755" is said without a word of the umask, which a root's shell may have set to 077. */
static void missing_folders_are_0755_whatever_the_umask(void **state)
{
    struct place place = place_of("/a/file", "x");
    mode_t before = umask(077);
    int result = place_file(&place, NULL);
    struct stat info;

    (void)state;
    umask(before);
    assert_int_equal(result, 1);
    assert_int_equal(stat(folder_at(ROOT "/a"), &info), 0);
    assert_int_equal(info.st_mode, S_IFDIR | 0755);
}

static void paths_without_a_name_are_refused(void **state)
{
    static const char *const paths[] = {"", "/", "/a/", ".", "..", "/a/..", "/a/."};

    (void)state;
    for (size_t i = 0; i < COUNT(paths); i++)
        assert_int_equal(put(paths[i], "x"), -EINVAL);
    assert_int_equal(count_names(ROOT), 0);
}

static void relative_paths_are_below_the_root(void **state)
{
    (void)state;
    assert_int_equal(put("a", "x"), 1);
    assert_file(ROOT "/a", "x", 0640);
}

static void dots_do_not_leave_the_root(void **state)
{
    (void)state;
    assert_int_equal(put("/../../outside", "x"), 1);
    assert_file(ROOT "/outside", "x", 0640);
    assert_false(is_there("outside"));
}

/* Links to folders are followed, but as a system whose root this is would follow them. */
static void links_to_folders_stay_below_the_root(void **state)
{
    (void)state;
    folder_put("outside/file", "precious");
    folder_put(ROOT "/inside/file", "");
    assert_int_equal(symlink("/inside", folder_at(ROOT "/absolute")), 0);
    assert_int_equal(symlink("../../../../inside", folder_at(ROOT "/relative")), 0);
    assert_int_equal(symlink(folder_at("outside"), folder_at(ROOT "/escape")), 0);
    assert_int_equal(put("/absolute/a", "x"), 1);
    assert_file(ROOT "/inside/a", "x", 0640);
    assert_int_equal(put("/relative/b", "x"), 1);
    assert_file(ROOT "/inside/b", "x", 0640);
    assert_int_equal(put("/escape/file", "evil"), -ENOENT);
    assert_file("outside/file", "precious", 0644);
    assert_int_equal(count_names("outside"), 1);
}

static void proc_links_are_not_followed(void **state)
{
    (void)state;
    folder_put("outside/file", "precious");
    assert_int_equal(mkdir(folder_at(ROOT), 0755), 0);
    assert_int_equal(symlink("/proc/self/cwd", folder_at(ROOT "/escape")), 0);
    assert_int_equal(put("/escape/file", "evil"), -ENOENT);
}

static void a_link_in_the_files_place_is_replaced(void **state)
{
    (void)state;
    folder_put("outside", "precious");
    assert_int_equal(mkdir(folder_at(ROOT), 0755), 0);
    assert_int_equal(symlink(folder_at("outside"), folder_at(ROOT "/link")), 0);
    assert_int_equal(put("/link", "new"), 1);
    assert_file(ROOT "/link", "new", 0640);
    assert_file("outside", "precious", 0644);
}

static void a_link_to_the_same_content_is_not_the_same(void **state)
{
    (void)state;
    folder_put(ROOT "/real", "content");
    assert_int_equal(chmod(folder_at(ROOT "/real"), 0640), 0);
    assert_int_equal(symlink("real", folder_at(ROOT "/link")), 0);
    assert_int_equal(put("/link", "content"), 1);
    assert_file(ROOT "/link", "content", 0640);
}

static void what_is_no_file_is_not_overwritten(void **state)
{
    (void)state;
    folder_put(ROOT "/folder/file", "x");
    assert_int_equal(put("/folder", "x"), -EISDIR);
    assert_file(ROOT "/folder/file", "x", 0644);
    assert_int_equal(put("/folder/file/below", "x"), -ENOTDIR);
    assert_int_equal(count_names(ROOT), 1);
    assert_int_equal(count_names(ROOT "/folder"), 1);
}

/* Somebody may be holding it open: it must not be waited for. */
static void a_fifo_is_replaced(void **state)
{
    (void)state;
    assert_int_equal(mkdir(folder_at(ROOT), 0755), 0);
    assert_int_equal(mkfifo(folder_at(ROOT "/fifo"), 0640), 0);
    assert_int_equal(put("/fifo", ""), 1);
    assert_file(ROOT "/fifo", "", 0640);
}

static void dry_run_says_the_same_and_changes_nothing(void **state)
{
    struct place place = place_of("/new/folder/file", "x");

    (void)state;
    place.dry_run = true;
    assert_int_equal(place_file(&place, NULL), 1);
    assert_int_equal(count_names(ROOT), 0);
    assert_int_equal(put("/a", "x"), 1);
    place.path = "/a";
    assert_int_equal(place_file(&place, NULL), 0);
    place.mode = 0600;
    assert_int_equal(place_file(&place, NULL), 1);
    place.mode = 0640;
    place.bytes = "y";
    assert_int_equal(place_file(&place, NULL), 1);
    assert_file(ROOT "/a", "x", 0640);
    assert_int_equal(count_names(ROOT), 1);
    place.path = "/a/b";
    assert_int_equal(place_file(&place, NULL), -ENOTDIR);
}

static void a_root_that_is_none(void **state)
{
    struct place place = place_of("/a", "x");

    (void)state;
    place.root = "/nonexistent/root";
    assert_int_equal(place_file(&place, NULL), -ENOENT);
}

static int put_later(const char *path, const char *content, struct place_batch *batch)
{
    struct place place = place_of(path, content);

    return place_file(&place, batch);
}

static void assert_settled(struct place_batch *batch)
{
    char *failed = NULL;

    assert_int_equal(place_settle(batch, &failed), 0);
    assert_null(failed);
    assert_int_equal(batch->count, 0);
}

static void a_batch_waits_and_takes_its_places_together(void **state)
{
    struct place_batch batch = {.count = 0};

    (void)state;
    assert_int_equal(put("/d/old", "old"), 1);
    assert_int_equal(put_later("/d/old", "new", &batch), 1);
    assert_int_equal(put_later("/d/a", "A", &batch), 1);
    assert_int_equal(put_later("/e/b", "B", &batch), 1);
    assert_file(ROOT "/d/old", "old", 0640);
    assert_false(is_there(ROOT "/d/a"));
    assert_settled(&batch);
    assert_file(ROOT "/d/old", "new", 0640);
    assert_file(ROOT "/d/a", "A", 0640);
    assert_file(ROOT "/e/b", "B", 0640);
    assert_int_equal(count_names(ROOT "/d"), 2);
    assert_settled(&batch);
}

static void the_same_file_again_comes_behind_the_first(void **state)
{
    struct place_batch batch = {.count = 0};

    (void)state;
    assert_int_equal(put("/f", "B"), 1);
    assert_int_equal(put_later("/f", "A", &batch), 1);
    assert_int_equal(put_later("/f", "B", &batch), 1);
    assert_file(ROOT "/f", "A", 0640);
    assert_int_equal(put_later("/./f", "B", &batch), 0);
    assert_file(ROOT "/f", "B", 0640);
    assert_int_equal(batch.count, 0);
}

/* So many letters, and one that tells two names apart. */
static char *long_path(char last)
{
    char *path = memory_format("/%0250d%c", 0, last);

    return path;
}

static void long_names_are_not_mixed_up(void **state)
{
    AUTO_FREE char *one = long_path('1'), *two = long_path('2');
    struct place_batch batch = {.count = 0};

    (void)state;
    assert_int_equal(put_later(one, "one", &batch), 1);
    assert_int_equal(put_later(two, "two", &batch), 1);
    assert_settled(&batch);
    assert_int_equal(put_later(one, "one", &batch), 0);
    assert_int_equal(put_later(two, "two", &batch), 0);
}

static void a_full_batch_takes_its_places(void **state)
{
    struct place_batch batch = {.count = 0};

    (void)state;
    for (int i = 0; i < PLACE_BATCH_MAX * 2 + 1; i++) {
        AUTO_FREE char *path = memory_format("/many/%d", i);

        assert_int_equal(put_later(path, "x", &batch), 1);
    }
    assert_int_equal(batch.count, 1);
    assert_int_equal(count_names(ROOT "/many"), PLACE_BATCH_MAX * 2 + 1);
    assert_file(ROOT "/many/255", "x", 0640);
    assert_false(is_there(ROOT "/many/256"));
    assert_settled(&batch);
    assert_file(ROOT "/many/256", "x", 0640);
}

static void one_that_cannot_keeps_none_of_the_others_from_it(void **state)
{
    struct place_batch batch = {.count = 0};
    char *failed = NULL;

    (void)state;
    assert_int_equal(put("/folder/f", "x"), 1);
    assert_int_equal(put_later("/folder", "x", &batch), -EISDIR);
    assert_int_equal(put_later("/a", "A", &batch), 1);
    assert_int_equal(put_later("/b", "B", &batch), 1);
    assert_int_equal(put_later("/c", "C", &batch), 1);
    assert_int_equal(mkdir(folder_at(ROOT "/b"), 0755), 0);
    assert_int_equal(place_settle(&batch, &failed), -EISDIR);
    assert_string_equal(failed, "/b");
    free(failed);
    assert_file(ROOT "/a", "A", 0640);
    assert_file(ROOT "/c", "C", 0640);
    assert_int_equal(count_names(ROOT), 4);
}

static void what_a_power_cut_left_goes_with_the_next_try(void **state)
{
    (void)state;
    assert_int_equal(put("/x.bootlace-new", "half"), 1);
    assert_int_equal(put("/x", "whole"), 1);
    assert_file(ROOT "/x", "whole", 0640);
    assert_int_equal(count_names(ROOT), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(files_are_made_and_then_so_already, folder_empty),
        cmocka_unit_test_teardown(large_contents_are_compared_whole, folder_empty),
        cmocka_unit_test_teardown(modes_are_exact_whatever_the_umask, folder_empty),
        cmocka_unit_test_teardown(owner_is_part_of_being_so, folder_empty),
        cmocka_unit_test_teardown(missing_folders_are_made_0755, folder_empty),
        cmocka_unit_test_teardown(missing_folders_are_0755_whatever_the_umask, folder_empty),
        cmocka_unit_test_teardown(paths_without_a_name_are_refused, folder_empty),
        cmocka_unit_test_teardown(relative_paths_are_below_the_root, folder_empty),
        cmocka_unit_test_teardown(dots_do_not_leave_the_root, folder_empty),
        cmocka_unit_test_teardown(links_to_folders_stay_below_the_root, folder_empty),
        cmocka_unit_test_teardown(proc_links_are_not_followed, folder_empty),
        cmocka_unit_test_teardown(a_link_in_the_files_place_is_replaced, folder_empty),
        cmocka_unit_test_teardown(a_link_to_the_same_content_is_not_the_same, folder_empty),
        cmocka_unit_test_teardown(what_is_no_file_is_not_overwritten, folder_empty),
        cmocka_unit_test_teardown(a_fifo_is_replaced, folder_empty),
        cmocka_unit_test_teardown(dry_run_says_the_same_and_changes_nothing, folder_empty),
        cmocka_unit_test_teardown(a_root_that_is_none, folder_empty),
        cmocka_unit_test_teardown(a_batch_waits_and_takes_its_places_together, folder_empty),
        cmocka_unit_test_teardown(the_same_file_again_comes_behind_the_first, folder_empty),
        cmocka_unit_test_teardown(long_names_are_not_mixed_up, folder_empty),
        cmocka_unit_test_teardown(a_full_batch_takes_its_places, folder_empty),
        cmocka_unit_test_teardown(one_that_cannot_keeps_none_of_the_others_from_it, folder_empty),
        cmocka_unit_test_teardown(what_a_power_cut_left_goes_with_the_next_try, folder_empty),
    };

    return cmocka_run_group_tests(tests, folder_make, folder_unmake);
}
