/* JSON helpers: any bytes as a string, and errors that say where and show nothing. */
#include "folder.h"

#include "check.h"

#include "base/banned.h"
#include "base/json.h"

#define BAD "\xef\xbf\xbd" /* U+FFFD */

static void assert_lossy(const char *bytes, size_t size, const char *expected, size_t length)
{
    AUTO_JSON json_t *value = json_lossy_string(bytes, size);

    assert_int_equal(json_string_length(value), length);
    assert_memory_equal(json_string_value(value), expected, length);
}

#define LOSSY(bytes_, expected_)                                                                   \
    assert_lossy(bytes_, sizeof(bytes_) - 1, expected_, sizeof(expected_) - 1)

static void utf8_stays_as_it_is(void **state)
{
    (void)state;
    LOSSY("", "");
    LOSSY("plain", "plain");
    LOSSY("a\0b\n\x01\x7f", "a\0b\n\x01\x7f");
    LOSSY("\xc2\x80\xdf\xbf", "\xc2\x80\xdf\xbf");
    LOSSY("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf",
          "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf");
    LOSSY("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
}

static void other_bytes_are_replaced_one_by_one(void **state)
{
    (void)state;
    LOSSY("caf\xe9 \xfc", "caf" BAD " " BAD);
    LOSSY("\x80\xbf", BAD BAD);
    LOSSY("\xff\xfe", BAD BAD);
    LOSSY("a\0\xff", "a\0" BAD);
}

static void overlong_and_impossible_sequences(void **state)
{
    (void)state;
    LOSSY("\xc0\x80", BAD BAD);
    LOSSY("\xc1\xbf", BAD BAD);
    LOSSY("\xe0\x9f\xbf", BAD BAD BAD);
    LOSSY("\xf0\x8f\xbf\xbf", BAD BAD BAD BAD);
    LOSSY("\xed\xa0\x80", BAD BAD BAD);
    LOSSY("\xf4\x90\x80\x80", BAD BAD BAD BAD);
    LOSSY("\xf5\x80\x80\x80", BAD BAD BAD BAD);
}

static void sequences_that_end_too_early(void **state)
{
    (void)state;
    LOSSY("x\xc3", "x" BAD);
    LOSSY("\xe2\x82", BAD BAD);
    LOSSY("\xf0\x9f\x98", BAD BAD BAD);
    LOSSY("\xe2\x82x\xc3\xa9", BAD BAD "x\xc3\xa9");
    /* What would complete it stands behind the end. */
    assert_lossy("\xff\xc3\xa9", 2, BAD BAD, 6);
    assert_lossy("\xff\xf0\x9f\x98\x80", 4, BAD BAD BAD BAD, 12);
}

static void members_and_their_defaults(void **state)
{
    AUTO_JSON json_t *object = json_of("{'t':'x','n':7,'f':true,'null':null,'r':1.5}");

    (void)state;
    assert_string_equal(json_text_of(object, "t", "d"), "x");
    assert_string_equal(json_text_of(object, "n", "d"), "d");
    assert_string_equal(json_text_of(object, "absent", "d"), "d");
    assert_string_equal(json_text_of(NULL, "t", "d"), "d");
    assert_int_equal(json_number_of(object, "n", 1), 7);
    assert_int_equal(json_number_of(object, "t", 1), 1);
    assert_int_equal(json_number_of(object, "r", 1), 1);
    assert_int_equal(json_number_of(NULL, "n", 1), 1);
    assert_true(json_flag_of(object, "f", false));
    assert_true(json_flag_of(object, "null", true));
    assert_false(json_flag_of(NULL, "f", false));
}

static void puts_make_what_they_say(void **state)
{
    json_t *object = json_object(), *list = json_array();

    (void)state;
    json_put_text(object, "text", "a\xff");
    json_put_text(object, "nothing", NULL);
    json_put_number(object, "number", INT64_MIN);
    json_put_flag(object, "flag", false);
    json_add(list, json_integer(1));
    json_put(object, "list", list);
    assert_json(object, "{'text':'a" BAD "','number':-9223372036854775808,'flag':false,"
                        "'list':[1]}");
}

static void texts_of_values(void **state)
{
    AUTO_JSON json_t *value = json_of("{'a':[1,'x']}");
    char *text = json_one_line(value);

    (void)state;
    assert_string_equal(text, "{\"a\":[1,\"x\"]}");
    free(text);
    text = json_indented(value);
    assert_string_equal(text, "{\n  \"a\": [\n    1,\n    \"x\"\n  ]\n}");
    free(text);
}

static void errors_say_where_and_show_nothing(void **state)
{
    static const char *const texts[] = {
        "{\"password\":\"hunter2\",\n \"x\": hunter2 }", "{\"password\":\n \"hunter2",
        "{\"a\":1,\n \"a\": \"hunter2\"}", "[1,\n hunter2]", "{}\n \"hunter2\""};

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct error error = ERROR_INIT;

        assert_null(json_parse(texts[i], strlen(texts[i]), "the file", &error));
        assert_int_equal(error.kind, ERROR_INPUT);
        assert_string_equal(error.where, "the file");
        assert_int_equal(error.line, 2);
        assert_true(error.column > 0);
        assert_says(&error, "not valid JSON: ");
        if (strstr(error.message, "hunter2"))
            fail_msg("it shows what may be a secret: %s", error.message);
    }
}

static void texts_that_are_no_json(void **state)
{
    static const char *const texts[] = {"", " ", "{", "[1,]", "{'a':1}", "nul", "1 2", "\"\xff\""};

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct error error = ERROR_INIT;

        if (json_parse(texts[i], strlen(texts[i]), NULL, &error))
            fail_msg("\"%s\" is taken", texts[i]);
        assert_string_equal(error.where, "");
    }
}

static void any_value_is_a_text(void **state)
{
    struct error error = ERROR_INIT;

    (void)state;
    assert_json(json_parse("7", 1, NULL, &error), "7");
    assert_json(json_parse("null", 4, NULL, &error), "null");
    assert_json(json_parse("[1]x", 3, NULL, &error), "[1]");
    assert_silent(&error);
}

static void files_of_json(void **state)
{
    struct error error = ERROR_INIT;
    json_t *value = NULL;

    (void)state;
    assert_int_equal(json_read_file(AT_FDCWD, folder_at("none"), 100, &value, &error), 0);
    assert_null(value);
    folder_put("file", "{\"a\":1}\n");
    assert_int_equal(json_read_file(AT_FDCWD, folder_at("file"), 100, &value, &error), 1);
    assert_json(value, "{'a':1}");
    assert_int_equal(json_read_file(AT_FDCWD, folder_at("file"), 7, &value, &error), -1);
    assert_says(&error, "larger than 7 bytes");
    folder_put("file", "{");
    assert_int_equal(json_read_file(AT_FDCWD, folder_at("file"), 100, &value, &error), -1);
    assert_says(&error, "not valid JSON");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_stays_as_it_is),
        cmocka_unit_test(other_bytes_are_replaced_one_by_one),
        cmocka_unit_test(overlong_and_impossible_sequences),
        cmocka_unit_test(sequences_that_end_too_early),
        cmocka_unit_test(members_and_their_defaults),
        cmocka_unit_test(puts_make_what_they_say),
        cmocka_unit_test(texts_of_values),
        cmocka_unit_test(errors_say_where_and_show_nothing),
        cmocka_unit_test(texts_that_are_no_json),
        cmocka_unit_test(any_value_is_a_text),
        cmocka_unit_test_teardown(files_of_json, folder_empty),
    };

    return cmocka_run_group_tests(tests, folder_make, folder_unmake);
}
