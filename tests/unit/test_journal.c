/*
 * The journal: what it says after a power cut at any place. fdatasync and fsync are replaced by
 * ones that note what was in the file when it was flushed.
 */
#include "folder.h"

#include "check.h"

#include "base/banned.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "record/record.h"

#define ID "i-0123456789abcdef0"
#define STATE "var/lib/bootlace/"
#define JOURNAL STATE "instances/" ID "/journal"

static struct {
    unsigned data, folders;
    off_t size; /* of the last file that was flushed */
} flushed;

int fdatasync(int fd)
{
    struct stat info;

    flushed.data++;
    flushed.size = fstat(fd, &info) == 0 ? info.st_size : -1;
    return 0;
}

int fsync(int fd)
{
    (void)fd;
    flushed.folders++;
    return 0;
}

static struct record open_record(const char *id)
{
    struct record record = RECORD_INIT;
    struct error error = ERROR_INIT;

    if (record_open(&record, id, &error) < 0)
        fail_msg("%s", error.message);
    return record;
}

static int compare(const void *left, const void *right)
{
    return strcmp(left, right);
}

/* "step=status step=status …" in the order of the steps' names. */
static void assert_steps(json_t *history, const char *expected)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(1 << 20);
    const char *step;
    json_t *entry;
    char names[8][64];
    size_t count = 0;

    assert_non_null(history);
    json_object_foreach(history, step, entry)
    {
        assert_true(count < COUNT(names));
        snprintf(names[count++], sizeof names[0], "%s=%s", step, json_text_of(entry, "status", ""));
    }
    qsort(names, count, sizeof names[0], compare);
    for (size_t i = 0; i < count; i++)
        buffer_format(&text, "%s%s", i ? " " : "", names[i]);
    assert_string_equal(buffer_text(&text), expected);
}

static void assert_history(const char *id, const char *expected)
{
    AUTO_RECORD struct record record = open_record(id);

    assert_steps(record.history, expected);
}

static void assert_history_once(const char *id, const char *expected)
{
    AUTO_RECORD struct record record = open_record(id);

    assert_steps(record.history_once, expected);
}

static struct description module = {.name = (char *)"m"};

static struct step make_step(const char *name, enum bootlace_frequency frequency)
{
    return (struct step){
        .name = (char *)name, .module = &module, .frequency = frequency, .digest = "d1"};
}

static void begin(struct record *record, const struct step *step)
{
    struct error error = ERROR_INIT;

    assert_int_equal(record_begin_step(record, step, "boot", &error), 0);
}

static void end(struct record *record, struct step *step, enum step_state state)
{
    struct error error = ERROR_INIT;

    step->outcome = (struct outcome){.state = state, .exit_code = 0};
    assert_int_equal(record_end_step(record, step, "boot", &error), 0);
}

static void new_journal_is_empty(void **state)
{
    AUTO_RECORD struct record record = open_record(ID);

    (void)state;
    assert_steps(record.history, "");
    assert_steps(record.history_once, "");
    assert_null(record.last_run);
    assert_null(record.metadata);
}

static void the_last_entry_counts(void **state)
{
    AUTO_RECORD struct record record = open_record(ID);
    struct step a = make_step("a", BOOTLACE_PER_INSTANCE), b = make_step("b", BOOTLACE_PER_BOOT);
    struct step c = make_step("c", BOOTLACE_PER_INSTANCE);

    (void)state;
    begin(&record, &a);
    end(&record, &a, STEP_DONE);
    begin(&record, &b);
    end(&record, &b, STEP_FAILED);
    begin(&record, &c);
    assert_history(ID, "a=done b=failed c=running");
    begin(&record, &b);
    end(&record, &b, STEP_DONE);
    begin(&record, &a);
    assert_history(ID, "a=running b=done c=running");
}

static void entries_say_what_was_run(void **state)
{
    struct step step = make_step("a", BOOTLACE_PER_INSTANCE);
    const json_t *entry;

    (void)state;
    {
        AUTO_RECORD struct record record = open_record(ID);

        begin(&record, &step);
        end(&record, &step, STEP_DONE);
    }
    AUTO_RECORD struct record record = open_record(ID);
    entry = json_object_get(record.history, "a");
    assert_string_equal(json_text_of(entry, "event", ""), "end");
    assert_string_equal(json_text_of(entry, "module", ""), "m");
    assert_string_equal(json_text_of(entry, "digest", ""), "d1");
    assert_string_equal(json_text_of(entry, "boot_id", ""), "boot");
    assert_int_equal(json_number_of(entry, "exit_code", -1), 0);
    assert_int_equal(strlen(json_text_of(entry, "time", "")), strlen("2026-11-22T10:00:00.123Z"));
}

static void runs_are_kept_apart_from_steps(void **state)
{
    const struct record_run first = {.source = "seed", .evidence = "e1", .boot_id = "b1"};
    const struct record_run second = {
        .source = "ec2", .evidence = "e2", .boot_id = "b2", .launch = true};
    AUTO_RECORD struct record writer = open_record(ID);
    struct error error = ERROR_INIT;

    (void)state;
    assert_int_equal(record_begin_run(&writer, &first, &error), 0);
    assert_int_equal(record_begin_run(&writer, &second, &error), 0);
    AUTO_RECORD struct record record = open_record(ID);
    assert_steps(record.history, "");
    assert_string_equal(json_text_of(record.last_run, "source", ""), "ec2");
    assert_string_equal(json_text_of(record.last_run, "evidence", ""), "e2");
    assert_string_equal(json_text_of(record.last_run, "boot_id", ""), "b2");
    assert_true(json_flag_of(record.last_run, "launch", false));
    assert_null(json_object_get(record.last_run, "user_data"));
}

static void metadata_is_written_where_it_changed(void **state)
{
    AUTO_JSON json_t *one = json_of("{'hostname':'h','public-ipv4':null}");
    AUTO_JSON json_t *two = json_of("{'hostname':'i'}");
    struct error error = ERROR_INIT;
    struct stat before, after;

    (void)state;
    {
        AUTO_RECORD struct record record = open_record(ID);

        assert_int_equal(record_add_metadata(&record, two, &error), 0);
        assert_int_equal(record_add_metadata(&record, one, &error), 0);
    }
    AUTO_RECORD struct record record = open_record(ID);
    assert_json(json_incref(record.metadata), "{'hostname':'h','public-ipv4':null}");
    assert_int_equal(stat(folder_at(JOURNAL), &before), 0);
    assert_int_equal(record_add_metadata(&record, one, &error), 0);
    assert_int_equal(stat(folder_at(JOURNAL), &after), 0);
    assert_int_equal(after.st_size, before.st_size);
}

static off_t journal_size(void)
{
    struct stat info;

    assert_int_equal(stat(folder_at(JOURNAL), &info), 0);
    return info.st_size;
}

static void entries_of_steps_are_flushed_before_they_return(void **state)
{
    AUTO_RECORD struct record record = open_record(ID);
    struct step step = make_step("a", BOOTLACE_PER_INSTANCE);
    unsigned folders;

    (void)state;
    memset(&flushed, 0, sizeof flushed);
    begin(&record, &step);
    assert_int_equal(flushed.data, 1);
    assert_int_equal(flushed.size, journal_size());
    /* The new names, too: the record's, that of the instances and that of all of them. */
    folders = flushed.folders;
    assert_int_equal(folders, 3);
    end(&record, &step, STEP_DONE);
    assert_int_equal(flushed.data, 2);
    assert_int_equal(flushed.size, journal_size());
    assert_int_equal(flushed.folders, folders);
}

static void append_raw(const void *bytes, size_t size)
{
    int fd = open(folder_at(JOURNAL), O_WRONLY | O_APPEND | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    close(fd);
}

/* Cut anywhere in its last line, the journal says what it said before that line. */
static void any_cut_of_the_last_line_is_passed_over(void **state)
{
    AUTO_BUFFER struct buffer whole = BUFFER_INIT(1 << 20);
    AUTO_RECORD struct record record = open_record(ID);
    struct step step = make_step("a", BOOTLACE_PER_INSTANCE);
    struct step other = make_step("b", BOOTLACE_PER_INSTANCE);
    struct error error = ERROR_INIT;
    off_t before;

    (void)state;
    begin(&record, &step);
    before = journal_size();
    end(&record, &step, STEP_DONE);
    assert_int_equal(file_read(AT_FDCWD, folder_at(JOURNAL), &whole, &error), 1);
    for (off_t size = before; size < (off_t)whole.size; size++) {
        bool only_its_end_is_missing = size == (off_t)whole.size - 1;

        assert_int_equal(truncate(folder_at(JOURNAL), size), 0);
        assert_history(ID, "a=running");
        begin(&record, &other);
        assert_history(ID, only_its_end_is_missing ? "a=done b=running" : "a=running b=running");
        folder_put_bytes(JOURNAL, whole.bytes, whole.size);
    }
    assert_history(ID, "a=done");
}

static void zero_bytes_hide_nothing(void **state)
{
    static const char zeros[5000];
    AUTO_RECORD struct record record = open_record(ID);
    struct step a = make_step("a", BOOTLACE_PER_INSTANCE);
    struct step b = make_step("b", BOOTLACE_PER_INSTANCE);

    (void)state;
    begin(&record, &a);
    append_raw(zeros, sizeof zeros);
    assert_history(ID, "a=running");
    end(&record, &a, STEP_DONE);
    begin(&record, &b);
    assert_history(ID, "a=done b=running");
}

static void strange_lines_are_passed_over(void **state)
{
    static const char lines[] = "\n{\n[]\n7\nnull\n\"x\"\n{\"step\":7,\"status\":\"done\"}\n"
                                "{\"step\":\"y\"}\n{\"status\":\"done\"}\n\xff\xfe\n"
                                "{\"step\":\"z\",\"status\":\"done\",\"step\":\"z\"}\n"
                                "{\"event\":\"metadata\",\"items\":[1]}\n{\"event\":7}\n";
    AUTO_RECORD struct record record = open_record(ID);
    struct step a = make_step("a", BOOTLACE_PER_INSTANCE);

    (void)state;
    folder_put(JOURNAL, lines);
    begin(&record, &a);
    AUTO_RECORD struct record reader = open_record(ID);
    assert_steps(reader.history, "a=running");
    assert_null(reader.last_run);
    assert_null(reader.metadata);
}

static void large_journals_are_read_whole(void **state)
{
    enum { OUTPUT = 200000 };
    AUTO_RECORD struct record record = open_record(ID);
    struct step a = make_step("a", BOOTLACE_PER_INSTANCE);
    AUTO_FREE char *output = memory_zeroed(OUTPUT + 1, 1);
    struct error error = ERROR_INIT;

    (void)state;
    memset(output, 'x', OUTPUT);
    a.outcome = (struct outcome){.state = STEP_DONE, .exit_code = 0, .output = output};
    for (int i = 0; i < 5; i++)
        assert_int_equal(record_end_step(&record, &a, "boot", &error), 0);
    a.outcome.output = NULL;
    begin(&record, &a);
    assert_history(ID, "a=running");
}

static void once_is_known_to_every_instance(void **state)
{
    AUTO_RECORD struct record record = open_record(ID);
    struct step often = make_step("often", BOOTLACE_PER_INSTANCE);
    struct step boot = make_step("boot", BOOTLACE_PER_BOOT);
    struct step once = make_step("once", BOOTLACE_ONCE);

    (void)state;
    begin(&record, &often);
    begin(&record, &boot);
    begin(&record, &once);
    assert_history_once("i-2", "once=running");
    end(&record, &once, STEP_DONE);
    end(&record, &often, STEP_DONE);
    assert_history_once("i-2", "once=done");
    assert_history("i-2", "");
    assert_history(ID, "boot=running often=done once=done");
}

static void once_is_flushed_in_both_journals(void **state)
{
    AUTO_RECORD struct record record = open_record(ID);
    struct step once = make_step("once", BOOTLACE_ONCE);

    (void)state;
    memset(&flushed, 0, sizeof flushed);
    begin(&record, &once);
    assert_int_equal(flushed.data, 2);
    assert_true(flushed.folders >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(new_journal_is_empty, folder_empty),
        cmocka_unit_test_teardown(the_last_entry_counts, folder_empty),
        cmocka_unit_test_teardown(entries_say_what_was_run, folder_empty),
        cmocka_unit_test_teardown(runs_are_kept_apart_from_steps, folder_empty),
        cmocka_unit_test_teardown(metadata_is_written_where_it_changed, folder_empty),
        cmocka_unit_test_teardown(entries_of_steps_are_flushed_before_they_return, folder_empty),
        cmocka_unit_test_teardown(any_cut_of_the_last_line_is_passed_over, folder_empty),
        cmocka_unit_test_teardown(zero_bytes_hide_nothing, folder_empty),
        cmocka_unit_test_teardown(strange_lines_are_passed_over, folder_empty),
        cmocka_unit_test_teardown(large_journals_are_read_whole, folder_empty),
        cmocka_unit_test_teardown(once_is_known_to_every_instance, folder_empty),
        cmocka_unit_test_teardown(once_is_flushed_in_both_journals, folder_empty),
    };

    return cmocka_run_group_tests(tests, folder_make, folder_unmake);
}
