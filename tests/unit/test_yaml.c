/* YAML as JSON values: every kind of scalar, anchors, what is refused and where, the limits. */
#include "check.h"

#include "base/banned.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/memory.h"
#include "config/yaml.h"

static void assert_yaml(const char *text, const char *expected)
{
    struct error error = ERROR_INIT;
    json_t *value = yaml_parse(text, strlen(text), "the file", &error);

    if (!value)
        fail_msg("\"%s\": %s", text, error.message);
    assert_json(value, expected);
    assert_silent(&error);
}

static void assert_refused(const char *text, unsigned line, unsigned column, const char *words)
{
    struct error error = ERROR_INIT;
    json_t *value = yaml_parse(text, strlen(text), "the file", &error);

    if (value)
        fail_msg("\"%s\" is taken", text);
    assert_int_equal(error.kind, ERROR_INPUT);
    assert_string_equal(error.where, "the file");
    assert_says(&error, words);
    if (error.line != line || error.column != column)
        fail_msg("\"%s\": at %u:%u", text, error.line, error.column);
}

static void nothing_is_null(void **state)
{
    (void)state;
    assert_yaml("", "null");
    assert_yaml("\n# a comment\n\n", "null");
    assert_yaml("---\n", "null");
    assert_yaml("---\n...\n", "null");
}

static void words_of_yaml_1_1(void **state)
{
    (void)state;
    assert_yaml("[true, True, TRUE, yes, Yes, YES, on, On, ON]",
                "[true,true,true,true,true,true,true,true,true]");
    assert_yaml("[false, False, FALSE, no, No, NO, off, Off, OFF]",
                "[false,false,false,false,false,false,false,false,false]");
    assert_yaml("[null, Null, NULL, ~, ]", "[null,null,null,null]");
    assert_yaml("a:\nb: ~\n", "{'a':null,'b':null}");
    assert_yaml("[tRUE, yEs, nULL, y, n, Off.]", "['tRUE','yEs','nULL','y','n','Off.']");
}

static void integers(void **state)
{
    (void)state;
    assert_yaml("[0, 7, -7, +7, 1_000, 9223372036854775807]",
                "[0,7,-7,7,1000,9223372036854775807]");
    assert_yaml("[0x1f, 0XFF, -0x10, 0644, 0o17, 00]", "[31,'0XFF',-16,420,'0o17',0]");
    assert_yaml("[08, 0o8, 0x, 0xg, -, +, _, 1__, 12a, 1 2]",
                "['08','0o8','0x','0xg','-','+','_',1,'12a','1 2']");
    assert_yaml("[9223372036854775808, 99999999999999999999999999999999999999]",
                "['9223372036854775808','99999999999999999999999999999999999999']");
}

static void floats(void **state)
{
    (void)state;
    assert_yaml("[1.5, -0.25, .5, 1., 1.0e+3, +1.5]", "[1.5,-0.25,0.5,1.0,1000.0,1.5]");
    assert_yaml("[1e3, ., .e, 1.2.3, 1.5x, -., .inf, 1.0e999]",
                "['1e3','.','.e','1.2.3','1.5x','-.','.inf','1.0e999']");
}

static void quoted_is_text(void **state)
{
    (void)state;
    assert_yaml("[\"true\", 'no', \"7\", '', \"~\", '1.5']", "['true','no','7','','~','1.5']");
    assert_yaml("a: |\n  yes\nb: >\n  7\n  8\n", "{'a':'yes\\n','b':'7 8\\n'}");
    assert_yaml("[! '7', !!str 8]", "['7','8']");
    assert_yaml("\"\\u00e9\\n\"", "'\xc3\xa9\\n'");
}

static void tags_say_what_a_scalar_is(void **state)
{
    (void)state;
    assert_yaml("[! 7, !!int '7', !!int 0x10, !!float 7, !!bool 'on', !!null x]",
                "[7,7,16,7.0,true,null]");
    assert_yaml("[!!timestamp 2001-12-14, !!python/unicode x, !<tag:yaml.org,2002:str> 5]",
                "['2001-12-14','x','5']");
    assert_refused("a: !!int x\n", 1, 4, "its tag does not fit");
    assert_refused("a: !!bool 7\n", 1, 4, "its tag does not fit");
    assert_refused("a: !!omap [b: 1]\n", 1, 4, "a tag that is not known here");
}

static void collections(void **state)
{
    (void)state;
    assert_yaml("a: {b: [1, {c: d}], e: []}\nf: {}\n", "{'a':{'b':[1,{'c':'d'}],'e':[]},'f':{}}");
    assert_yaml("- a\n-\n- - b\n", "['a',null,['b']]");
    assert_yaml("? a\n: b\n", "{'a':'b'}");
    assert_yaml("{\"json\": [1, true, null, \"x\"]}", "{'json':[1,true,null,'x']}");
}

static void keys_are_words_as_they_stand(void **state)
{
    (void)state;
    assert_yaml("yes: 1\n7: 2\n~: 3\n", "{'yes':1,'7':2,'~':3}");
}

static void aliases_repeat_their_anchor(void **state)
{
    (void)state;
    assert_yaml("a: &x [1, &y 2]\nb: *x\nc: *y\n", "{'a':[1,2],'b':[1,2],'c':2}");
    assert_yaml("[&x 1, *x, &x 2, *x]", "[1,1,2,2]");
    assert_yaml("a: &x\nb: *x\n", "{'a':null,'b':null}");
    assert_refused("a: *x\n", 1, 4, "anchor does not stand before it");
    assert_refused("a: &x [*x]\n", 1, 8, "anchor does not stand before it");
    assert_yaml("&x a: 1\nb: *x\nc: {*x : 2}\n", "{'a':1,'b':'a','c':{'a':2}}");
    assert_yaml("&x 1: &y b\n*y : *x\n", "{'1':'b','b':1}");
    assert_refused("a: &x [1]\n*x : 2\n", 2, 1, "a key that is an alias of no text");
}

static void marks_and_utf16_are_libyamls(void **state)
{
    struct error error = ERROR_INIT;

    (void)state;
    assert_yaml("\xef\xbb\xbf"
                "a: 1\n",
                "{'a':1}");
    assert_json(yaml_parse("\xff\xfe"
                           "a\0:\0 \0001\0",
                           10, "the file", &error),
                "{'a':1}");
}

static void what_is_no_yaml_is_told_with_its_place(void **state)
{
    (void)state;
    assert_refused("a: [1,\nb", 3, 1, "not valid YAML");
    assert_refused("a: b: c\n", 1, 5, "not valid YAML");
    assert_refused("a:\n\t- b\n", 2, 1, "not valid YAML");
    assert_refused("a: \"\n", 2, 1, "not valid YAML");
    assert_refused("a: \xff\n", 1, 1, "not valid YAML");
    assert_refused("%YAML 2.0\n---\na\n", 1, 1, "not valid YAML");
}

static void what_is_refused(void **state)
{
    (void)state;
    assert_refused("a: 1\nb: 2\na: 3\n", 3, 1, "stands twice");
    assert_refused("x: {a: 1, \"a\": 2}\n", 1, 11, "stands twice");
    assert_refused("[a]: 1\n", 1, 1, "a key that is no word");
    assert_refused("? {a: b}\n: 1\n", 1, 3, "a key that is no word");
    assert_refused("a: 1\n---\nb: 2\n", 2, 1, "a second document");
    assert_refused("a: !secret x\n", 1, 4, "a tag that is not known here");
    assert_refused("a: !!set {b}\n", 1, 4, "a tag that is not known here");
}

/* C would end the text there: two keys would be one, and a name another. */
static void zero_characters_are_refused(void **state)
{
    (void)state;
    assert_refused("\"a\\0b\": 1\na: 2\n", 1, 1, "zero");
    assert_refused("a: \"b\\0c\"\n", 1, 4, "zero");
}

/* So many brackets around what stands within. */
static void nest(struct buffer *text, unsigned depth, const char *within)
{
    for (unsigned i = 0; i < depth; i++)
        buffer_append_text(text, "[");
    buffer_append_text(text, within);
    for (unsigned i = 0; i < depth; i++)
        buffer_append_text(text, "]");
}

static void depth_has_its_limit(void **state)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(1 << 20);
    struct error error = ERROR_INIT;

    (void)state;
    nest(&text, YAML_DEPTH_MAX, "");
    json_decref(yaml_parse(text.bytes, text.size, "the file", &error));
    assert_silent(&error);
    buffer_clear(&text);
    nest(&text, YAML_DEPTH_MAX + 1, "");
    assert_refused(text.bytes, 1, YAML_DEPTH_MAX + 1, "nested too deeply");
    buffer_clear(&text);
    nest(&text, 100000, "");
    assert_refused(text.bytes, 1, YAML_DEPTH_MAX + 1, "nested too deeply");
}

static void depth_is_not_passed_by_aliases(void **state)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(1 << 20);
    AUTO_JSON json_t *value = NULL;
    struct error error = ERROR_INIT;

    (void)state;
    buffer_append_text(&text, "a: &a ");
    nest(&text, YAML_DEPTH_MAX - 2, "x");
    buffer_append_text(&text, "\nb: ");
    nest(&text, 2, "*a");
    value = yaml_parse(text.bytes, text.size, "the file", &error);
    assert_null(value);
    assert_says(&error, "nested too deeply");
    buffer_clear(&text);
    buffer_append_text(&text, "a: &a ");
    nest(&text, YAML_DEPTH_MAX - 2, "x");
    buffer_append_text(&text, "\nb: *a\n");
    value = yaml_parse(text.bytes, text.size, "the file", &error);
    assert_non_null(value);
}

static void values_have_their_limit(void **state)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(8 << 20);
    struct error error = ERROR_INIT;

    (void)state;
    buffer_append_text(&text, "[");
    for (int i = 0; i < YAML_NODES_MAX - 1; i++)
        buffer_append_text(&text, "1,");
    buffer_append_text(&text, "]");
    json_decref(yaml_parse(text.bytes, text.size, "the file", &error));
    assert_silent(&error);
    text.bytes[text.size - 1] = '1';
    buffer_append_text(&text, "]");
    assert_null(yaml_parse(text.bytes, text.size, "the file", &error));
    assert_says(&error, "too many values");
}

/* Ten of ten of ten …: 10^9 values in 300 bytes. */
static void bombs_of_values_stay_small(void **state)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(1 << 20);
    struct error error = ERROR_INIT;

    (void)state;
    buffer_append_text(&text, "a0: &a0 x\n");
    for (int i = 1; i < 10; i++) {
        buffer_format(&text, "a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++)
            buffer_format(&text, "*a%d,", i - 1);
        buffer_append_text(&text, "]\n");
    }
    assert_null(yaml_parse(text.bytes, text.size, "the file", &error));
    assert_says(&error, "too many values");
}

/* One long text, repeated: 128 MiB in 80 KiB. */
static void bombs_of_text_stay_small(void **state)
{
    enum { LENGTH = 64 << 10, REPEATS = 2048 };
    AUTO_BUFFER struct buffer text = BUFFER_INIT(1 << 20);
    AUTO_JSON json_t *value = NULL;
    struct error error = ERROR_INIT;
    char *room;

    (void)state;
    buffer_append_text(&text, "a: &a ");
    room = buffer_room(&text, LENGTH);
    memset(room, 'x', LENGTH);
    buffer_grown(&text, LENGTH);
    buffer_append_text(&text, "\nb:\n");
    for (int i = 0; i < REPEATS; i++)
        buffer_append_text(&text, "- *a\n");
    value = yaml_parse(text.bytes, text.size, "the file", &error);
    assert_null(value);
    assert_says(&error, "too many values");
}

static void anchors_have_their_limit(void **state)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(1 << 20);
    struct error error = ERROR_INIT;

    (void)state;
    for (int i = 0; i < YAML_ANCHORS_MAX; i++)
        buffer_format(&text, "- &a%d x\n", i);
    json_decref(yaml_parse(text.bytes, text.size, "the file", &error));
    assert_silent(&error);
    buffer_append_text(&text, "- &a x\n");
    assert_null(yaml_parse(text.bytes, text.size, "the file", &error));
    assert_says(&error, "too many anchors");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_null),
        cmocka_unit_test(words_of_yaml_1_1),
        cmocka_unit_test(integers),
        cmocka_unit_test(floats),
        cmocka_unit_test(quoted_is_text),
        cmocka_unit_test(tags_say_what_a_scalar_is),
        cmocka_unit_test(collections),
        cmocka_unit_test(keys_are_words_as_they_stand),
        cmocka_unit_test(aliases_repeat_their_anchor),
        cmocka_unit_test(marks_and_utf16_are_libyamls),
        cmocka_unit_test(what_is_no_yaml_is_told_with_its_place),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(zero_characters_are_refused),
        cmocka_unit_test(depth_has_its_limit),
        cmocka_unit_test(depth_is_not_passed_by_aliases),
        cmocka_unit_test(values_have_their_limit),
        cmocka_unit_test(bombs_of_values_stay_small),
        cmocka_unit_test(bombs_of_text_stay_small),
        cmocka_unit_test(anchors_have_their_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
