/*
 * No parser reads behind the bytes that it was given: every case's input, and what decoding makes
 * of it, laid against an unreadable page. The headers promise the parsers a size and nothing
 * behind it.
 */
#include "check.h"
#include "guard_cases.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "classify/blocks.h"
#include "classify/classify.h"
#include "classify/guess.h"
#include "config/yaml.h"
#include "decode/text.h"
#include "source/seed_yaml.h"

enum { CUTS_MAX = 600 };

static void decode(const char *bytes, size_t size)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(CASES_FILE_MAX);
    struct error error = ERROR_INIT;
    unsigned line;

    text_decode(bytes, size, &out, &line, &error);
}

static void classify(const char *bytes, size_t size)
{
    AUTO_PROBLEMS struct problems problems = {0};
    AUTO_PARTS struct parts parts = {0};
    struct error error = ERROR_INIT;

    classify_prefix(bytes, size);
    classify_text(bytes, size, "case", 1, &parts, &problems, &error);
}

static void blocks(const char *bytes, size_t size)
{
    AUTO_PROBLEMS struct problems problems = {0};
    AUTO_PARTS struct parts parts = {0};
    struct error error = ERROR_INIT;

    blocks_present(bytes, size);
    blocks_parse(bytes, size, "case", 1, &parts, &problems, &error);
}

static void guess(const char *bytes, size_t size)
{
    struct error error = ERROR_INIT;

    guess_explain(bytes, size, &error);
}

static void yaml(const char *bytes, size_t size)
{
    struct error error = ERROR_INIT;

    json_decref(yaml_parse(bytes, size, "case", &error));
}

static void seed(const char *bytes, size_t size)
{
    struct seed_items items = {0};
    struct error error = ERROR_INIT;

    seed_yaml_read(bytes, size, "case", &items, &error);
    seed_items_free(&items);
}

static void json(const char *bytes, size_t size)
{
    struct error error = ERROR_INIT;

    json_decref(json_parse(bytes, size, "case", &error));
    json_decref(json_lossy_string(bytes, size));
}

static void decode_reads_no_more_than_it_is_given(void **state)
{
    (void)state;
    guard_cases("classify", "input", CUTS_MAX, decode);
}

static void classify_reads_no_more_than_it_is_given(void **state)
{
    (void)state;
    guard_cases("classify", "input", CUTS_MAX, classify);
}

static void blocks_read_no_more_than_they_are_given(void **state)
{
    (void)state;
    guard_cases("classify", "input", CUTS_MAX, blocks);
}

static void guess_reads_no_more_than_it_is_given(void **state)
{
    (void)state;
    guard_cases("classify", "input", CUTS_MAX, guess);
}

static void yaml_reads_no_more_than_it_is_given(void **state)
{
    (void)state;
    guard_cases("classify", "input", CUTS_MAX, yaml);
}

static void seed_reads_no_more_than_it_is_given(void **state)
{
    (void)state;
    guard_cases("classify", "input", CUTS_MAX, seed);
}

static void json_reads_no_more_than_it_is_given(void **state)
{
    (void)state;
    guard_cases("classify", "input", CUTS_MAX, json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decode_reads_no_more_than_it_is_given),
        cmocka_unit_test(classify_reads_no_more_than_it_is_given),
        cmocka_unit_test(blocks_read_no_more_than_they_are_given),
        cmocka_unit_test(guess_reads_no_more_than_it_is_given),
        cmocka_unit_test(yaml_reads_no_more_than_it_is_given),
        cmocka_unit_test(seed_reads_no_more_than_it_is_given),
        cmocka_unit_test(json_reads_no_more_than_it_is_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
