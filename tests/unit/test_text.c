/* Text decoded; beside tests/cases, which go through it too: limits, and what is told of it. */
#include "check.h"

#include "base/banned.h"
#include "decode/text.h"

static void assert_decodes(const char *bytes, size_t size, const char *expected, unsigned line)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(1024);
    struct error error = ERROR_INIT;
    unsigned where = 99;

    if (text_decode(bytes, size, &out, &where, &error) < 0)
        fail_msg("%s", error.message);
    assert_string_equal(buffer_text(&out), expected);
    assert_int_equal(out.size, strlen(expected));
    assert_int_equal(where, line);
    assert_silent(&error);
}

#define DECODES(bytes_, expected_, line_)                                                          \
    assert_decodes(bytes_, sizeof(bytes_) - 1, expected_, line_)

static void marks_and_leading_blanks_go(void **state)
{
    (void)state;
    DECODES("", "", 1);
    DECODES("a b\n", "a b\n", 1);
    DECODES("\xef\xbb\xbf"
            "a",
            "a", 1);
    DECODES("\xef\xbb\xbf\r\n\t a ", "a ", 2);
    DECODES("\n\n\n", "", 4);
    DECODES("\xef\xbb"
            "a",
            "\xef\xbb"
            "a",
            1);
}

static void utf16_without_mark_is_known_by_its_first_character(void **state)
{
    (void)state;
    DECODES("#\0a\0", "#a", 1);
    DECODES("\0#\0a", "#a", 1);
    DECODES("<\0a\0", "<a", 1);
    DECODES("\0<\0a", "<a", 1);
}

/* A zero byte is no blank, though strchr finds it everywhere. */
static void zero_bytes_stay(void **state)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(16);
    struct error error = ERROR_INIT;
    unsigned line;

    (void)state;
    assert_int_equal(text_decode(" \0 a", 4, &out, &line, &error), 0);
    assert_int_equal(out.size, 3);
    assert_memory_equal(out.bytes, "\0 a", 4);
    buffer_clear(&out);
    assert_int_equal(text_decode("a\0#\0", 4, &out, &line, &error), 0);
    assert_int_equal(out.size, 4);
    assert_memory_equal(out.bytes, "a\0#\0", 5);
}

static void output_is_appended(void **state)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(16);
    struct error error = ERROR_INIT;
    unsigned line;

    (void)state;
    buffer_append_text(&out, "  <");
    assert_int_equal(text_decode("\n\na\n", 4, &out, &line, &error), 0);
    assert_string_equal(buffer_text(&out), "  <a\n");
    assert_int_equal(line, 3);
}

static void borders_of_utf8s_lengths(void **state)
{
    static const char bytes[] = "\xff\xfe"
                                "\x7f\0\x80\0\xff\x07\0\x08\xff\xd7\0\xe0\xff\xff"
                                "\0\xd8\0\xdc\xff\xdb\xff\xdf";

    (void)state;
    DECODES(bytes,
            "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"
            "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
            1);
}

static void assert_fails(const char *bytes, size_t size, size_t maximum, const char *words,
                         unsigned line)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(maximum);
    struct error error = ERROR_INIT;
    unsigned where;

    assert_int_equal(text_decode(bytes, size, &out, &where, &error), -1);
    assert_int_equal(error.kind, ERROR_INPUT);
    assert_int_equal(error.line, line);
    assert_says(&error, words);
}

static void broken_utf16_is_told_with_its_line(void **state)
{
    (void)state;
    assert_fails("\xff\xfe\n\0\n\0a", 7, 64, "ends in half a character", 3);
    assert_fails("\xff\xfe\0\xd8", 4, 64, "half a character pair", 1);
    assert_fails("\xff\xfe\0\xd8\0\xd8\0\xdc", 8, 64, "half a character pair", 1);
    assert_fails("\xfe\xff\0\n\xdc\0", 6, 64, "half a character pair", 2);
}

static void maxima_are_reached_and_not_passed(void **state)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(3);
    struct error error = ERROR_INIT;
    unsigned line;

    (void)state;
    assert_int_equal(text_decode("\xff\xfe\xac\x20", 4, &out, &line, &error), 0);
    assert_string_equal(buffer_text(&out), "\xe2\x82\xac");
    assert_fails("\xff\xfe\xac\x20", 4, 2, "larger than 2 bytes as UTF-8", 0);
    assert_fails("abc", 3, 2, "larger than 2 bytes", 0);
}

/* The stated growth suffices for the worst text there is. */
static void stated_growth_suffices(void **state)
{
    enum { UNITS = 1000, SIZE = 2 * UNITS };
    static char bytes[2 + SIZE] = "\xff\xfe";
    AUTO_BUFFER struct buffer out =
        BUFFER_INIT(SIZE / TEXT_GROWTH_DENOMINATOR * TEXT_GROWTH_NUMERATOR);
    struct error error = ERROR_INIT;
    unsigned line;

    (void)state;
    memset(bytes + 2, 0xff, SIZE);
    assert_int_equal(text_decode(bytes, sizeof bytes, &out, &line, &error), 0);
    assert_int_equal(out.size, 3 * UNITS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_and_leading_blanks_go),
        cmocka_unit_test(utf16_without_mark_is_known_by_its_first_character),
        cmocka_unit_test(zero_bytes_stay),
        cmocka_unit_test(output_is_appended),
        cmocka_unit_test(borders_of_utf8s_lengths),
        cmocka_unit_test(broken_utf16_is_told_with_its_line),
        cmocka_unit_test(maxima_are_reached_and_not_passed),
        cmocka_unit_test(stated_growth_suffices),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
