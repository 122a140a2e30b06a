/*
 * tests/cases/classify: user-data as people give it, and what it must be found to be.
 *
 *     input            the bytes
 *     expected.json    what `bootlace inspect --format json` prints of them
 *     part-<name>      the bytes of the part of that name
 *
 * Each folder is a test of the two stages that look at text: decode/text and classify.
 */
#include "cases.h"
#include "check.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "classify/classify.h"
#include "decode/text.h"
#include "verbs/launch.h"

#include <fnmatch.h>

static json_t *inspected(const struct launch *launch)
{
    json_t *object = memory_need(json_object()), *parts = memory_need(json_array());

    for (size_t i = 0; i < launch->user.parts.count; i++)
        json_add(parts, part_to_json(&launch->user.parts.items[i]));
    json_put(object, "parts", parts);
    json_put(object, "problems", problems_to_json(&launch->plan.problems, NULL));
    return object;
}

static void compare_json(const char *name, const struct launch *launch)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(CASES_FILE_MAX);
    AUTO_JSON json_t *actual = inspected(launch);
    struct error error = ERROR_INIT;

    assert_true(cases_read("classify", name, "expected.json", &text));
    AUTO_JSON json_t *expected = json_parse(text.bytes, text.size, "expected.json", &error);
    if (!expected)
        fail_msg("expected.json: %s", error.message);
    if (!json_equal(actual, expected)) {
        AUTO_FREE char *shown = json_indented(actual);

        fail_msg("%s: not as expected.json says, but\n%s", name, shown);
    }
}

static void compare_bytes(const char *name, const struct part *part)
{
    AUTO_BUFFER struct buffer wanted = BUFFER_INIT(CASES_FILE_MAX);
    AUTO_FREE char *file = memory_format("part-%s", part->name);

    assert_int_equal(part->bytes[part->size], '\0');
    if (!cases_read("classify", name, file, &wanted))
        fail_msg("%s: there is no %s", name, file);
    assert_int_equal(part->size, wanted.size);
    assert_memory_equal(part->bytes, wanted.bytes, wanted.size);
}

static int is_part(const struct dirent *entry)
{
    return fnmatch("part-*", entry->d_name, 0) == 0;
}

/* A part file whose part is gone must not go unnoticed. */
static size_t count_part_files(const char *name)
{
    AUTO_FREE char *folder = memory_format("%s/classify/%s", BOOTLACE_TEST_CASES, name);
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_part, NULL);

    assert_true(count >= 0);
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    return (size_t)count;
}

/* The two stages alone: what the decoders make of containers has cases of its own. */
static void classify(struct launch *launch)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(CASES_FILE_MAX * 2);
    struct problems *problems = &launch->plan.problems;
    struct error error = ERROR_INIT;
    unsigned line = 1;

    if (text_decode(buffer_text(&launch->user_data), launch->user_data.size, &text, &line, &error) <
        0) {
        error_at(&error, "user-data", error.line, 0);
        problems_add_error(problems, &error);
    } else if (text.size && classify_text(buffer_text(&text), text.size, "user-data", line,
                                          &launch->user.parts, problems, &error) < 0) {
        problems_add_error(problems, &error);
    }
}

static void check_case(void **state)
{
    const char *name = *state;
    AUTO_LAUNCH struct launch launch = {
        .record = RECORD_INIT, .user_data = BUFFER_INIT(CASES_FILE_MAX), .has_user_data = true};

    assert_true(cases_read("classify", name, "input", &launch.user_data));
    classify(&launch);
    compare_json(name, &launch);
    assert_int_equal(launch.user.parts.count, count_part_files(name));
    for (size_t i = 0; i < launch.user.parts.count; i++)
        compare_bytes(name, &launch.user.parts.items[i]);
}

int main(void)
{
    static const char *names[CASES_MAX];
    static struct CMUnitTest tests[CASES_MAX];
    size_t count = cases_list("classify", names);

    for (size_t i = 0; i < count; i++)
        tests[i] = (struct CMUnitTest){
            .name = names[i], .test_func = check_case, .initial_state = (void *)names[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
