/* The record: its folders and modes, what it says of user-data, and which of all is this machine's.
 */
#include "folder.h"

#include "check.h"

#include "base/banned.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "record/record.h"

#define ID "i-0123456789abcdef0"
#define STATE "var/lib/bootlace"
#define INSTANCE STATE "/instances/" ID

static struct record open_record(const char *id)
{
    struct record record = RECORD_INIT;
    struct error error = ERROR_INIT;

    if (record_open(&record, id, &error) < 0)
        fail_msg("%s", error.message);
    return record;
}

static mode_t mode_of(const char *name)
{
    struct stat info;

    assert_int_equal(lstat(folder_at(name), &info), 0);
    return info.st_mode;
}

static void save(const struct buffer *bytes)
{
    AUTO_RECORD struct record record = open_record(ID);
    struct error error = ERROR_INIT;

    assert_int_equal(record_save_user_data(&record, bytes, &error), 0);
}

static void begin_run(const char *id, const char *evidence, const char *boot_id,
                      const struct buffer *user_data, bool launch)
{
    AUTO_RECORD struct record record = open_record(id);
    const struct record_run run = {.source = "ec2",
                                   .evidence = evidence,
                                   .boot_id = boot_id,
                                   .user_data = user_data,
                                   .launch = launch};
    struct error error = ERROR_INIT;

    assert_int_equal(record_begin_run(&record, &run, &error), 0);
}

static int user_data(struct buffer *out)
{
    AUTO_RECORD struct record record = open_record(ID);
    struct error error = ERROR_INIT;

    buffer_clear(out);
    return record_user_data(&record, out, &error);
}

static void everything_is_for_root_alone(void **state)
{
    static const char *const files[] = {"/journal", "/user-data", "/status.json", "/result"};
    mode_t before = umask(0);
    AUTO_RECORD struct record record = open_record(ID);
    AUTO_BUFFER struct buffer bytes = BUFFER_INIT(16);
    AUTO_JSON json_t *value = json_object();
    struct error error = ERROR_INIT;

    (void)state;
    assert_int_equal(record_save_user_data(&record, &bytes, &error), 0);
    assert_int_equal(record_save_status(&record, value, &error), 0);
    assert_int_equal(record_save_result(&record, value, &error), 0);
    umask(before);
    assert_int_equal(mode_of(STATE), S_IFDIR | 0700);
    assert_int_equal(mode_of(STATE "/instances"), S_IFDIR | 0700);
    assert_int_equal(mode_of(INSTANCE), S_IFDIR | 0700);
    for (size_t i = 0; i < COUNT(files); i++) {
        AUTO_FREE char *path = memory_format("%s%s", INSTANCE, files[i]);

        assert_int_equal(mode_of(path), S_IFREG | 0600);
    }
}

static void ids_choose_no_path(void **state)
{
    static const char *const ids[] = {"", ".", "..", "../x", "a/b", "/etc", "a b", ".x", "a\n"};
    char longest[RECORD_ID_MAX + 2];

    (void)state;
    for (size_t i = 0; i < COUNT(ids); i++) {
        AUTO_RECORD struct record record = RECORD_INIT;
        AUTO_RECORD struct record existing = RECORD_INIT;
        struct error error = ERROR_INIT;

        if (record_open(&record, ids[i], &error) == 0)
            fail_msg("\"%s\" is taken", ids[i]);
        assert_int_equal(error.kind, ERROR_SOURCE);
        assert_int_equal(record_open_existing(&existing, ids[i], &error), 0);
        assert_int_not_equal(access(folder_at(STATE), F_OK), 0);
    }
    memset(longest, 'x', sizeof longest);
    longest[RECORD_ID_MAX + 1] = '\0';
    AUTO_RECORD struct record record = RECORD_INIT;
    struct error error = ERROR_INIT;
    assert_int_equal(record_open(&record, longest, &error), -1);
    assert_int_equal(record_open(&record, longest + 1, &error), 0);
    assert_string_equal(record.id, longest + 1);
}

static void user_data_comes_back_as_it_was(void **state)
{
    AUTO_BUFFER struct buffer bytes = BUFFER_INIT(1024);
    AUTO_BUFFER struct buffer out = BUFFER_INIT(1024);

    (void)state;
    assert_int_equal(user_data(&out), -2);
    buffer_append(&bytes, "#!\0\xff\r\n", 6);
    save(&bytes);
    /* Saved, but no entry says so yet. */
    assert_int_equal(user_data(&out), -2);
    begin_run(ID, "", "boot", &bytes, true);
    assert_int_equal(user_data(&out), 1);
    assert_int_equal(out.size, 6);
    assert_memory_equal(out.bytes, "#!\0\xff\r\n", 6);
}

static void that_there_is_none_is_recorded(void **state)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(1024);

    (void)state;
    begin_run(ID, "", "boot", NULL, true);
    assert_int_equal(user_data(&out), 0);
    assert_int_equal(out.size, 0);
}

/* The file is not flushed: after a power cut it may be anything. */
static void other_bytes_than_the_journals_are_none(void **state)
{
    static const char *const torn[] = {"", "#!/bin", "#!/bin/sh\nexit 1\n", "\0\0\0\0\0\0\0\0"};
    AUTO_BUFFER struct buffer bytes = BUFFER_INIT(1024);
    AUTO_BUFFER struct buffer out = BUFFER_INIT(1024);

    (void)state;
    buffer_append_text(&bytes, "#!/bin/sh\nexit 0\n");
    begin_run(ID, "", "boot", &bytes, true);
    assert_int_equal(user_data(&out), -2);
    for (size_t i = 0; i < COUNT(torn); i++) {
        folder_put_bytes(INSTANCE "/user-data", torn[i], i == 3 ? 8 : strlen(torn[i]));
        assert_int_equal(user_data(&out), -2);
    }
    save(&bytes);
    assert_int_equal(user_data(&out), 1);
}

static void existing_records_are_opened_for_reading(void **state)
{
    AUTO_BUFFER struct buffer bytes = BUFFER_INIT(16);
    AUTO_BUFFER struct buffer out = BUFFER_INIT(16);
    AUTO_RECORD struct record record = RECORD_INIT;
    struct error error = ERROR_INIT;

    (void)state;
    assert_int_equal(record_open_existing(&record, ID, &error), 0);
    assert_int_equal(json_object_size(record.history), 0);
    assert_int_not_equal(access(folder_at(STATE), F_OK), 0);
    record_close(&record);
    buffer_append_text(&bytes, "abc");
    save(&bytes);
    begin_run(ID, "", "boot", &bytes, true);
    assert_int_equal(record_open_existing(&record, ID, &error), 1);
    assert_false(record.writable);
    assert_int_equal(record_user_data(&record, &out, &error), 1);
    assert_string_equal(buffer_text(&out), "abc");
}

static void what_stands_in_the_way_is_no_path(void **state)
{
    AUTO_RECORD struct record record = open_record(ID);
    AUTO_BUFFER struct buffer bytes = BUFFER_INIT(16);
    AUTO_BUFFER struct buffer out = BUFFER_INIT(16);
    struct error error = ERROR_INIT;

    (void)state;
    folder_put("target", "precious");
    assert_int_equal(symlink(folder_at("target"), folder_at(INSTANCE "/user-data")), 0);
    buffer_append_text(&bytes, "abc");
    assert_int_equal(record_save_user_data(&record, &bytes, &error), 0);
    assert_int_equal(mode_of(INSTANCE "/user-data"), S_IFREG | 0600);
    assert_int_equal(file_read(AT_FDCWD, folder_at("target"), &out, &error), 1);
    assert_string_equal(buffer_text(&out), "precious");
}

static void parts_are_files_named_by_their_digest(void **state)
{
    AUTO_RECORD struct record record = open_record(ID);
    AUTO_FREE char *path = NULL;
    AUTO_FREE char *wanted = NULL;
    AUTO_BUFFER struct buffer out = BUFFER_INIT(64);
    struct part part = {.name = (char *)"../../evil", .bytes = (char *)"#!\0x", .size = 4};
    struct step step = {
        .name = (char *)"../../evil", .part = &part, .digest = "0123456789abcdef0123456789abcdef"};
    struct error error = ERROR_INIT;
    mode_t before;
    int result;

    (void)state;
    wanted = memory_format("%s/%s/part-%s", folder_path, INSTANCE, step.digest);
    before = umask(0177);
    result = record_put_part(&record, &step, &path, &error);
    umask(before);
    assert_int_equal(result, 0);
    assert_string_equal(path, wanted);
    assert_int_equal(mode_of(wanted + strlen(folder_path)), S_IFREG | 0700);
    assert_int_equal(file_read(AT_FDCWD, path, &out, &error), 1);
    assert_int_equal(out.size, 4);
    assert_memory_equal(out.bytes, "#!\0x", 4);
}

static void assert_own(const char *evidence, const char *boot_id, enum record_owner owner,
                       const char *id)
{
    char found[RECORD_ID_MAX + 1];

    assert_int_equal(record_find_own(evidence, boot_id, found), owner);
    assert_string_equal(found, id);
}

static void own_record_is_known_by_evidence_or_boot(void **state)
{
    (void)state;
    assert_own("machine", "boot", RECORD_NONE, "");
    begin_run("i-1", "machine", "boot", NULL, true);
    assert_own("machine", "boot", RECORD_OWN, "i-1");
    assert_own("machine", "later", RECORD_OWN, "i-1");
    assert_own("", "boot", RECORD_OWN, "i-1");
    assert_own("clone", "later", RECORD_ELSEWHERE, "i-1");
    assert_own("", "later", RECORD_UNKNOWN, "i-1");
}

/* Neither the hypervisor nor the kernel said anything: that is no likeness. */
static void silence_is_no_evidence(void **state)
{
    (void)state;
    begin_run("i-1", "", "", NULL, true);
    assert_own("", "", RECORD_UNKNOWN, "i-1");
    assert_own("", "boot", RECORD_UNKNOWN, "i-1");
}

static void only_launches_make_a_record_the_machines(void **state)
{
    (void)state;
    begin_run("file-abc", "machine", "boot", NULL, false);
    assert_own("machine", "boot", RECORD_NONE, "");
    begin_run("i-1", "machine", "boot", NULL, true);
    assert_own("machine", "boot", RECORD_OWN, "i-1");
}

static void newest_record_is_the_own_one(void **state)
{
    (void)state;
    begin_run("i-2", "machine", "b1", NULL, true);
    usleep(2000);
    begin_run("i-1", "machine", "b2", NULL, true);
    assert_own("machine", "b3", RECORD_OWN, "i-1");
    usleep(2000);
    begin_run("i-2", "machine", "b3", NULL, true);
    assert_own("machine", "b4", RECORD_OWN, "i-2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(everything_is_for_root_alone, folder_empty),
        cmocka_unit_test_teardown(ids_choose_no_path, folder_empty),
        cmocka_unit_test_teardown(user_data_comes_back_as_it_was, folder_empty),
        cmocka_unit_test_teardown(that_there_is_none_is_recorded, folder_empty),
        cmocka_unit_test_teardown(other_bytes_than_the_journals_are_none, folder_empty),
        cmocka_unit_test_teardown(existing_records_are_opened_for_reading, folder_empty),
        cmocka_unit_test_teardown(what_stands_in_the_way_is_no_path, folder_empty),
        cmocka_unit_test_teardown(parts_are_files_named_by_their_digest, folder_empty),
        cmocka_unit_test_teardown(own_record_is_known_by_evidence_or_boot, folder_empty),
        cmocka_unit_test_teardown(silence_is_no_evidence, folder_empty),
        cmocka_unit_test_teardown(only_launches_make_a_record_the_machines, folder_empty),
        cmocka_unit_test_teardown(newest_record_is_the_own_one, folder_empty),
    };

    return cmocka_run_group_tests(tests, folder_make, folder_unmake);
}
