/* Blocks beyond what tests/cases show: which tags make a text one of blocks, and exact borders. */
#include "check.h"

#include "base/banned.h"
#include "classify/blocks.h"

static bool present(const char *text)
{
    return blocks_present(text, strlen(text));
}

static void any_opening_tag_is_a_sign(void **state)
{
    static const char *const signs[] = {
        "<script>", "text <powershell>",   "<PERSIST>", "a\n<powershellArguments>",
        "<detach>", "<RunAsLocalSystem>x", "<<script>"};
    static const char *const others[] = {
        "",          "<",         "<script", "script>",    "</script>",   "<script >",  "<script/>",
        "< script>", "<scripts>", "<power>", "<\nscript>", "&lt;script>", "<scrip\xf4>"};

    (void)state;
    for (size_t i = 0; i < COUNT(signs); i++) {
        if (!present(signs[i]))
            fail_msg("\"%s\" is no sign", signs[i]);
    }
    for (size_t i = 0; i < COUNT(others); i++) {
        if (present(others[i]))
            fail_msg("\"%s\" is a sign", others[i]);
    }
}

static void size_ends_the_text(void **state)
{
    (void)state;
    assert_true(blocks_present("<script>", 8));
    assert_false(blocks_present("<script>", 7));
}

/* Cut anywhere, a block is an error or nothing, never a part. */
static void cut_blocks_are_never_parts(void **state)
{
    static const char text[] = "<persist>true</persist><script>echo hello</script>";

    (void)state;
    for (size_t size = 0; size <= sizeof text - 1; size++) {
        AUTO_PROBLEMS struct problems problems = {0};
        AUTO_PARTS struct parts parts = {0};
        struct error error = ERROR_INIT;
        int code = blocks_parse(text, size, "user-data", 1, &parts, &problems, &error);
        bool whole = size == sizeof text - 1;

        assert_int_equal(code, whole ? 0 : -1);
        assert_int_equal(parts.count, whole ? 1 : 0);
        assert_int_equal(error.kind, whole ? ERROR_NONE : ERROR_INPUT);
    }
}

static void parts_are_appended_with_their_place(void **state)
{
    static const char text[] = "<powershell>\n\n a\n</powershell><script>b</script>";
    AUTO_PROBLEMS struct problems problems = {0};
    AUTO_PARTS struct parts parts = {0};
    struct error error = ERROR_INIT;

    (void)state;
    parts_add(&parts, "before", "text/before");
    assert_int_equal(
        blocks_parse(text, sizeof text - 1, "user-data", 10, &parts, &problems, &error), 0);
    assert_int_equal(parts.count, 3);
    assert_string_equal(parts.items[1].type, "text/x-windows-script");
    assert_int_equal(parts.items[1].line, 13);
    assert_string_equal(parts.items[2].type, "text/x-powershell");
    assert_int_equal(parts.items[2].line, 12);
    assert_int_equal(problems.count, 0);
}

static void every_warning_is_given(void **state)
{
    static const char text[] = "x<script></script>\n<powershellArguments>a</powershellArguments>y";
    AUTO_PROBLEMS struct problems problems = {0};
    AUTO_PARTS struct parts parts = {0};
    struct error error = ERROR_INIT;

    (void)state;
    assert_int_equal(blocks_parse(text, sizeof text - 1, "user-data", 1, &parts, &problems, &error),
                     0);
    assert_int_equal(parts.count, 0);
    assert_int_equal(problems.count, 3);
    assert_int_equal(problems.errors, 0);
    assert_says(&problems.items[0].error, "user-data:1: text outside");
    assert_says(&problems.items[1].error, "user-data:2: <powershellArguments> has no");
    assert_says(&problems.items[2].error, "user-data:1: an empty block");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_opening_tag_is_a_sign),
        cmocka_unit_test(size_ends_the_text),
        cmocka_unit_test(cut_blocks_are_never_parts),
        cmocka_unit_test(parts_are_appended_with_their_place),
        cmocka_unit_test(every_warning_is_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
