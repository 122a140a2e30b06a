/*
 * tests/cases/decode: user-data as it comes packed, and the parts that it must become.
 *
 *     input            the bytes
 *     launch-index     the index of this instance in its launch; where there is none, it is unknown
 *     expected.json    what `bootlace inspect --format json` prints of them
 *     part-<n>         the bytes of the n-th part, from 1
 *
 * Each folder is a test. What it includes from an address is its file of that name.
 */
#include "cases.h"
#include "check.h"
#include "decode_case.h"

#include "base/banned.h"

#include <fnmatch.h>

static void read_case(const char *name, const char *file, struct buffer *out)
{
    if (!cases_read("decode", name, file, out))
        fail_msg("%s: there is no %s", name, file);
}

static int64_t launch_index(const char *name)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(CASES_FILE_MAX);

    return cases_read("decode", name, "launch-index", &text) ? strtoll(text.bytes, NULL, 10) : -1;
}

static void compare_json(const char *name, const struct parts *parts,
                         const struct problems *problems)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(CASES_FILE_MAX);
    AUTO_JSON json_t *actual = decode_case_json(parts, problems);
    struct error error = ERROR_INIT;

    read_case(name, "expected.json", &text);
    AUTO_JSON json_t *expected = json_parse(text.bytes, text.size, "expected.json", &error);
    if (!expected)
        fail_msg("expected.json: %s", error.message);
    if (!json_equal(actual, expected)) {
        AUTO_FREE char *shown = json_indented(actual);

        fail_msg("%s: not as expected.json says, but\n%s", name, shown);
    }
}

static void compare_bytes(const char *name, size_t number, const struct part *part)
{
    AUTO_BUFFER struct buffer wanted = BUFFER_INIT(CASES_FILE_MAX);
    AUTO_FREE char *file = memory_format("part-%zu", number);

    assert_int_equal(part->bytes[part->size], '\0');
    read_case(name, file, &wanted);
    assert_int_equal(part->size, wanted.size);
    assert_memory_equal(part->bytes, buffer_text(&wanted), wanted.size);
}

static int is_part(const struct dirent *entry)
{
    return fnmatch("part-*", entry->d_name, 0) == 0;
}

/* A part file whose part is gone must not go unnoticed. */
static size_t count_part_files(const char *folder)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_part, NULL);

    assert_true(count >= 0);
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    return (size_t)count;
}

static void check_case(void **state)
{
    const char *name = *state;
    AUTO_FREE char *folder = memory_format("%s/decode/%s", BOOTLACE_TEST_CASES, name);
    AUTO_BUFFER struct buffer input = BUFFER_INIT(CASES_FILE_MAX);
    AUTO_PARTS struct parts parts = {0};
    AUTO_PROBLEMS struct problems problems = {0};
    struct error error = ERROR_INIT;

    read_case(name, "input", &input);
    if (decode_case(buffer_text(&input), input.size, folder, launch_index(name), &parts, &problems,
                    &error) < 0)
        fail_msg("%s", error.message);
    assert_silent(&error);
    compare_json(name, &parts, &problems);
    assert_int_equal(parts.count, count_part_files(folder));
    for (size_t i = 0; i < parts.count; i++)
        compare_bytes(name, i + 1, &parts.items[i]);
}

int main(void)
{
    static const char *names[CASES_MAX];
    static struct CMUnitTest tests[CASES_MAX];
    size_t count = cases_list("decode", names);

    decode_case_use_built_plugins();
    for (size_t i = 0; i < count; i++)
        tests[i] = (struct CMUnitTest){
            .name = names[i], .test_func = check_case, .initial_state = (void *)names[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
