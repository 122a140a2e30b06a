/* The error object: its one line, and that nothing overflows. */
#include "check.h"

#include "base/banned.h"

#include <errno.h>

static void assert_line(const struct error *error, const char *line)
{
    char text[ERROR_TEXT_MAX];

    assert_ptr_equal(error_text(error, text, sizeof text), text);
    assert_string_equal(text, line);
}

static void nothing_said(void **state)
{
    struct error error = ERROR_INIT;

    (void)state;
    assert_line(&error, "");
    assert_int_equal(error_exit_code(&error), 0);
}

static void every_form_of_the_line(void **state)
{
    struct error error = ERROR_INIT;

    (void)state;
    assert_int_equal(error_set(&error, ERROR_INPUT, "no %s in %d", "x", 7), -1);
    assert_line(&error, "no x in 7");
    assert_int_equal(error_at(&error, NULL, 3, 0), -1);
    assert_line(&error, "3: no x in 7");
    error_at(&error, "config.yaml", 3, 9);
    assert_line(&error, "config.yaml:3:9: no x in 7");
    error_at(&error, NULL, 3, 0);
    assert_line(&error, "config.yaml:3: no x in 7");
    error_at(&error, NULL, 0, 0);
    assert_line(&error, "config.yaml: no x in 7");
    assert_int_equal(error_hint(&error, "write %s", "y"), -1);
    assert_line(&error, "config.yaml: no x in 7; write y");
}

static void errno_is_told_in_words(void **state)
{
    struct error error = ERROR_INIT;

    (void)state;
    assert_int_equal(error_errno(&error, ERROR_INTERNAL, ENOENT, "cannot open %s", "a"), -1);
    assert_line(&error, "cannot open a: No such file or directory");
    assert_int_equal(error.kind, ERROR_INTERNAL);
}

static void a_new_error_forgets_the_old_one(void **state)
{
    struct error error = ERROR_INIT;

    (void)state;
    error_set(&error, ERROR_INPUT, "old");
    error_hint(&error, "old hint");
    error_at(&error, "old place", 1, 2);
    error_set(&error, ERROR_SOURCE, "new");
    assert_line(&error, "new");
    error_hint(&error, "hint");
    error_at(&error, "place", 1, 2);
    error_errno(&error, ERROR_SOURCE, EIO, "newer");
    assert_line(&error, "newer: Input/output error");
    error_clear(&error);
    assert_silent(&error);
}

static void exit_codes_are_those_of_the_table(void **state)
{
    static const struct {
        enum error_kind kind;
        int code;
    } table[] = {{ERROR_STEP, 1},   {ERROR_USAGE, 2}, {ERROR_INPUT, 3},
                 {ERROR_SOURCE, 4}, {ERROR_BUSY, 5},  {ERROR_INTERNAL, 70}};

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct error error = ERROR_INIT;

        error_set(&error, table[i].kind, "x");
        assert_int_equal(error_exit_code(&error), table[i].code);
    }
}

static void long_texts_are_cut(void **state)
{
    static char longest[4096];
    struct error error = ERROR_INIT;
    char text[ERROR_TEXT_MAX];

    (void)state;
    memset(longest, 'x', sizeof longest - 1);
    error_set(&error, ERROR_INPUT, "%s", longest);
    error_hint(&error, "%s", longest);
    error_at(&error, longest, UINT32_MAX, UINT32_MAX);
    assert_int_equal(strlen(error.message), ERROR_MESSAGE_MAX - 1);
    assert_int_equal(strlen(error.hint), ERROR_HINT_MAX - 1);
    assert_int_equal(strlen(error.where), ERROR_WHERE_MAX - 1);
    /* ERROR_TEXT_MAX suffices for the longest of all. */
    error_text(&error, text, sizeof text);
    assert_int_equal(strlen(text), ERROR_MESSAGE_MAX - 1 + ERROR_HINT_MAX - 1 + ERROR_WHERE_MAX -
                                       1 + strlen(":4294967295:4294967295: ; "));
    error_errno(&error, ERROR_INTERNAL, ENOENT, "%s", longest);
    assert_int_equal(strlen(error.message), ERROR_MESSAGE_MAX - 1);
}

static void a_small_buffer_is_not_overrun(void **state)
{
    struct error error = ERROR_INIT;
    char text[8] = "1234567";

    (void)state;
    error_set(&error, ERROR_INPUT, "message");
    error_text(&error, text, 5);
    assert_memory_equal(text,
                        "mess\0"
                        "67",
                        8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_said),
        cmocka_unit_test(every_form_of_the_line),
        cmocka_unit_test(errno_is_told_in_words),
        cmocka_unit_test(a_new_error_forgets_the_old_one),
        cmocka_unit_test(exit_codes_are_those_of_the_table),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(a_small_buffer_is_not_overrun),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
