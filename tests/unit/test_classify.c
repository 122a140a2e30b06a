/* Classification beyond what tests/cases show: prefixes, names and lines, large scripts. */
#include "check.h"

#include "base/banned.h"
#include "base/memory.h"
#include "classify/classify.h"

static const char *type_of(const char *text)
{
    const char *type = classify_prefix(text, strlen(text));

    return type ? type : "none";
}

static void every_prefix_in_any_case(void **state)
{
    static const struct {
        const char *prefix, *type;
    } table[] = {
        {"#cloud-config-archive", "text/cloud-config-archive"},
        {"#cloud-config-jsonp", "text/cloud-config-jsonp"},
        {"## template: jinja", "text/jinja2"},
        {"#cloud-boothook", "text/cloud-boothook"},
        {"#include-once", "text/x-include-once-url"},
        {"#cloud-config", "text/cloud-config"},
        {"#part-handler", "text/part-handler"},
        {"#include", "text/x-include-url"},
        {"#!", "text/x-shellscript"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        AUTO_FREE char *upper = memory_copy_string(table[i].prefix);
        AUTO_FREE char *more = memory_format("%s\nmore", table[i].prefix);
        size_t length = strlen(upper);

        for (char *c = upper; *c; c++)
            *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
        assert_string_equal(type_of(table[i].prefix), table[i].type);
        assert_string_equal(type_of(more), table[i].type);
        assert_string_equal(type_of(upper), table[i].type);
        /* One character less is another prefix or none. */
        upper[length - 1] = '\0';
        assert_string_not_equal(type_of(upper), table[i].type);
    }
}

static void what_is_no_prefix(void **state)
{
    static const char *const texts[] = {"",
                                        "#",
                                        "# cloud-configs",
                                        " #!/bin/sh",
                                        "\n#!",
                                        "x#!",
                                        "## templates:jinja",
                                        "#cloud-confi",
                                        "<script>x",
                                        "---",
                                        "---\n#cloud-config-archive\n",
                                        "--- #cloud-config",
                                        "# cloud-config of mine",
                                        "---\na: 1\n#cloud-config\n",
                                        "# template: jinja",
                                        "# include\n",
                                        "#\n#cloud-config\n"};

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        if (classify_prefix(texts[i], strlen(texts[i])))
            fail_msg("\"%s\" is taken", texts[i]);
    }
}

static void what_is_meant_plainly(void **state)
{
    static const struct {
        const char *text, *type;
    } rows[] = {
        {"# cloud-config", "text/cloud-config"},
        {"# Cloud-Config \r\na: 1", "text/cloud-config"},
        {"---\n#cloud-config\n", "text/cloud-config"},
        {"--- \r\n\r\n\n#cloud-config\r\n", "text/cloud-config"},
        {"##template:jinja", "text/jinja2"},
        {"##\ttemplate:   jinja\n", "text/jinja2"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(type_of(rows[i].text), rows[i].type);
}

struct result {
    struct parts parts;
    struct problems problems;
    struct error error;
    int code;
};

static struct result classify(const char *text, size_t size, const char *name, unsigned line)
{
    struct result result = {.error = ERROR_INIT};
    struct part *part;

    part = parts_add(&result.parts, "before", TYPE_WINDOWS_SCRIPT);
    part->bytes = memory_copy_string("a\r\nb");
    part->size = 4;
    result.code =
        classify_text(text, size, name, line, &result.parts, &result.problems, &result.error);
    /* What was there before stays as it was. */
    assert_string_equal(result.parts.items[0].name, "before");
    assert_string_equal(result.parts.items[0].bytes, "a\r\nb");
    assert_int_equal(result.parts.items[0].size, 4);
    return result;
}

static void result_clear(struct result *result)
{
    parts_clear(&result->parts);
    problems_clear(&result->problems);
}

static void scripts_are_named_as_asked(void **state)
{
    __attribute__((cleanup(result_clear))) struct result result =
        classify("#!/bin/sh\n", 10, "part-001", 7);
    const struct part *part = &result.parts.items[1];

    (void)state;
    assert_int_equal(result.code, 0);
    assert_int_equal(result.parts.count, 2);
    assert_string_equal(part->name, "part-001");
    assert_int_equal(part->line, 7);
    assert_int_equal(part->frequency, PART_DEFAULT);
    assert_null(part->arguments);
    assert_false(part->detach);
    assert_silent(&result.error);
}

static void blocks_are_named_by_their_tags(void **state)
{
    static const char text[] = "<powershell>a\n</powershell>\n<script>b</script>";
    __attribute__((cleanup(result_clear))) struct result result =
        classify(text, sizeof text - 1, "user-data", 7);

    (void)state;
    assert_int_equal(result.code, 0);
    assert_int_equal(result.parts.count, 3);
    assert_string_equal(result.parts.items[1].name, "script");
    assert_int_equal(result.parts.items[1].line, 9);
    assert_string_equal(result.parts.items[2].name, "powershell");
    assert_int_equal(result.parts.items[2].line, 7);
}

static void errors_add_no_part_and_say_where(void **state)
{
    static const struct {
        const char *text;
        unsigned line;
    } rows[] = {{"<script>a</script>\n<powershell>", 8}, {"\nnothing known", 7}, {"", 7}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        __attribute__((cleanup(result_clear))) struct result result =
            classify(rows[i].text, strlen(rows[i].text), "the name", 7);

        assert_int_equal(result.code, -1);
        assert_int_equal(result.parts.count, 1);
        assert_int_equal(result.error.kind, ERROR_INPUT);
        assert_string_equal(result.error.where, "the name");
        assert_int_equal(result.error.line, rows[i].line);
        assert_int_equal(result.problems.count, 0);
    }
}

enum { MIB = 1 << 20 };

static void a_mebibyte_stays_byte_for_byte(void **state)
{
    AUTO_FREE char *text = memory_zeroed(MIB, 1);

    (void)state;
    for (size_t i = 0; i < MIB; i++)
        text[i] = (char)(i * 31 >> 3);
    memcpy(text, "#!/bin/sh\n", 10);
    __attribute__((cleanup(result_clear))) struct result result =
        classify(text, MIB, "user-data", 1);
    assert_int_equal(result.code, 0);
    assert_int_equal(result.parts.items[1].size, MIB);
    assert_memory_equal(result.parts.items[1].bytes, text, MIB);
}

static void a_mebibyte_of_crlf_becomes_lf(void **state)
{
    AUTO_FREE char *text = memory_zeroed(MIB, 1);

    (void)state;
    memcpy(text, "#!", 2);
    for (size_t i = 2; i < MIB; i += 2)
        memcpy(text + i, "\r\n", 2);
    __attribute__((cleanup(result_clear))) struct result result =
        classify(text, MIB, "user-data", 1);
    assert_int_equal(result.parts.items[1].size, MIB / 2 + 1);
    assert_null(memchr(result.parts.items[1].bytes, '\r', MIB / 2 + 1));
}

static void a_mebibyte_of_block_is_found(void **state)
{
    AUTO_FREE char *text = memory_zeroed(MIB, 1);

    (void)state;
    memset(text, '<', MIB);
    memcpy(text, "<script>", 8);
    memcpy(text + MIB - 9, "</script>", 9);
    __attribute__((cleanup(result_clear))) struct result result =
        classify(text, MIB, "user-data", 1);
    assert_int_equal(result.code, 0);
    assert_int_equal(result.parts.items[1].size, MIB - 17);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_prefix_in_any_case),
        cmocka_unit_test(what_is_no_prefix),
        cmocka_unit_test(what_is_meant_plainly),
        cmocka_unit_test(scripts_are_named_as_asked),
        cmocka_unit_test(blocks_are_named_by_their_tags),
        cmocka_unit_test(errors_add_no_part_and_say_where),
        cmocka_unit_test(a_mebibyte_stays_byte_for_byte),
        cmocka_unit_test(a_mebibyte_of_crlf_becomes_lf),
        cmocka_unit_test(a_mebibyte_of_block_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
