/* Where values stand, what merge keys and !!binary mean, and JSON that libyaml does not take. */
#include "check.h"

#include "base/banned.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/memory.h"
#include "config/yaml.h"

static json_t *placed(const char *text, const char *where, struct positions *positions)
{
    struct error error = ERROR_INIT;
    json_t *value = yaml_parse_placed(text, strlen(text), where, positions, &error);

    if (!value)
        fail_msg("\"%s\": %s", text, error.message);
    assert_silent(&error);
    return value;
}

static void assert_place(struct positions *positions, json_t *root, const char *pointer,
                         unsigned line, unsigned column)
{
    struct position position;

    if (!positions_pointer(positions, root, pointer, &position))
        fail_msg("%s has no position", pointer);
    assert_string_equal(position.where, "file");
    if (position.line != line || position.column != column)
        fail_msg("%s: %u:%u", pointer, position.line, position.column);
}

static void every_value_has_its_place(void **state)
{
    AUTO_POSITIONS struct positions positions = {0};
    AUTO_JSON json_t *root = placed("# comment\na: 1\nb:\n  - x\n  -   {c: yes, d: ~}\n"
                                    "e: |\n  text\n\"f/~g\": \xc3\xa9\nh: {i: [[], {}]}\n",
                                    "file", &positions);

    (void)state;
    assert_place(&positions, root, "", 2, 1);
    assert_place(&positions, root, "/a", 2, 4);
    assert_place(&positions, root, "/b", 4, 3);
    assert_place(&positions, root, "/b/0", 4, 5);
    assert_place(&positions, root, "/b/1", 5, 7);
    assert_place(&positions, root, "/b/1/c", 5, 11);
    assert_place(&positions, root, "/b/1/d", 5, 19);
    assert_place(&positions, root, "/e", 6, 4);
    assert_place(&positions, root, "/f~1~0g", 8, 9);
    assert_place(&positions, root, "/h/i", 9, 8);
    assert_place(&positions, root, "/h/i/0", 9, 9);
    assert_place(&positions, root, "/h/i/1", 9, 13);
}

static void columns_count_characters(void **state)
{
    AUTO_POSITIONS struct positions positions = {0};
    AUTO_JSON json_t *root = placed("{\"\xc3\xa9\xe2\x82\xac\": 1, b: 2}\n", "file", &positions);

    (void)state;
    assert_place(&positions, root, "/b", 1, 14);
}

static void keys_have_their_own_place(void **state)
{
    AUTO_POSITIONS struct positions positions = {0};
    AUTO_JSON json_t *root = placed("a:\n  b:\n    c\n", "file", &positions);
    struct position key, value;
    json_t *a = json_object_get(root, "a");
    const char *own;
    json_t *child;

    (void)state;
    assert_true(positions_member(&positions, a, "b", &key, &value));
    assert_int_equal(key.line, 2);
    assert_int_equal(key.column, 3);
    assert_int_equal(value.line, 3);
    assert_int_equal(value.column, 5);
    json_object_foreach(a, own, child)
    {
        assert_true(positions_key(&positions, own, NULL, &value));
        assert_int_equal(value.line, 3);
    }
}

static void what_is_not_known_is_said(void **state)
{
    AUTO_POSITIONS struct positions positions = {0};
    AUTO_JSON json_t *root = placed("a: [1]\n", "file", &positions), *other = json_array();
    struct position position = {.line = 7};

    (void)state;
    assert_false(positions_pointer(&positions, root, "/b", &position));
    assert_int_equal(position.line, 0);
    assert_null(position.where);
    assert_false(positions_pointer(&positions, root, "/a/1", &position));
    assert_false(positions_pointer(&positions, root, "/a/x", &position));
    assert_false(positions_pointer(&positions, root, "/a/", &position));
    assert_false(positions_pointer(&positions, root, "a", &position));
    assert_false(positions_pointer(&positions, root, "/a/0/b", &position));
    assert_false(positions_root(&positions, other, &position));
    assert_false(positions_root(NULL, root, &position));
    assert_false(positions_member(&positions, root, "absent", NULL, &position));
}

static void documents_share_a_table(void **state)
{
    AUTO_POSITIONS struct positions positions = {0};
    AUTO_JSON json_t *one = placed("a: 1\n", "one", &positions);
    AUTO_JSON json_t *two = placed("\n\na: 1\n", "two", &positions);
    struct position position;

    (void)state;
    assert_true(positions_pointer(&positions, one, "/a", &position));
    assert_string_equal(position.where, "one");
    assert_true(positions_pointer(&positions, two, "/a", &position));
    assert_string_equal(position.where, "two");
    assert_int_equal(position.line, 3);
}

static void sources_have_their_limit(void **state)
{
    AUTO_POSITIONS struct positions positions = {0};
    struct position position;

    (void)state;
    for (int i = 0; i < POSITIONS_SOURCES_MAX + 2; i++) {
        AUTO_FREE char *name = memory_format("%d", i);
        AUTO_JSON json_t *value = placed("[1]", name, &positions);

        assert_true(positions_item(&positions, value, 0, &position));
        if (i < POSITIONS_SOURCES_MAX)
            assert_string_equal(position.where, name);
        else
            assert_null(position.where);
        assert_int_equal(position.line, 1);
    }
}

static void far_columns_are_not_known(void **state)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(1 << 20);
    AUTO_POSITIONS struct positions positions = {0};
    AUTO_JSON json_t *root = NULL;

    (void)state;
    buffer_append_text(&text, "[");
    while (text.size < POSITIONS_COLUMN_MAX - 1)
        buffer_append_text(&text, " ");
    buffer_append_text(&text, "1,2]");
    root = placed(text.bytes, "file", &positions);
    assert_place(&positions, root, "/0", 1, POSITIONS_COLUMN_MAX);
    assert_place(&positions, root, "/1", 1, 0);
}

static void aliases_stand_where_they_are_written(void **state)
{
    AUTO_POSITIONS struct positions positions = {0};
    AUTO_JSON json_t *root = placed("a: &x {b: [1, 2]}\nc: *x\nd: [*x]\n", "file", &positions);

    (void)state;
    assert_place(&positions, root, "/c", 2, 4);
    assert_place(&positions, root, "/c/b", 1, 11);
    assert_place(&positions, root, "/c/b/1", 1, 15);
    assert_place(&positions, root, "/d/0", 3, 5);
    assert_place(&positions, root, "/d/0/b", 1, 11);
}

static void assert_yaml(const char *text, const char *expected)
{
    assert_json(placed(text, "file", NULL), expected);
}

static void assert_refused(const char *text, unsigned line, unsigned column, const char *words)
{
    AUTO_POSITIONS struct positions positions = {0};
    struct error error = ERROR_INIT;

    assert_null(yaml_parse_placed(text, strlen(text), "file", &positions, &error));
    assert_int_equal(error.kind, ERROR_INPUT);
    assert_says(&error, words);
    if (error.line != line || error.column != column)
        fail_msg("\"%s\": at %u:%u", text, error.line, error.column);
}

static void merge_keys_bring_in_what_is_not_there(void **state)
{
    (void)state;
    assert_yaml("a: &x {p: 1, q: 2}\nb:\n  q: 3\n  <<: *x\n",
                "{'a':{'p':1,'q':2},'b':{'q':3,'p':1}}");
    assert_yaml("a: &x {p: 1}\nb:\n  <<: *x\n  p: 3\n", "{'a':{'p':1},'b':{'p':3}}");
    assert_yaml("a: &x {p: 1}\nb: &y {p: 2, q: 2}\nc: {<<: [*x, *y], r: 3}\n",
                "{'a':{'p':1},'b':{'p':2,'q':2},'c':{'p':1,'q':2,'r':3}}");
    assert_yaml("a: &x {p: [1]}\nb: &y {<<: *x, q: 2}\nc: {<<: *y}\n",
                "{'a':{'p':[1]},'b':{'p':[1],'q':2},'c':{'p':[1],'q':2}}");
    assert_yaml("a: {<<: {p: 1}}\nb: {<<: []}\n", "{'a':{'p':1},'b':{}}");
    assert_yaml("a: {\"<<\": 1}\n", "{'a':{'<<':1}}");
}

static void merge_keys_that_bring_no_mapping_are_refused(void **state)
{
    (void)state;
    assert_refused("a: {<<: 1}\n", 1, 9, "neither a mapping nor a list");
    assert_refused("a: &x {}\nb:\n  <<: [*x, 7]\n", 3, 7, "neither a mapping nor a list");
    assert_refused("a: &x {}\nb:\n  <<: *x\n  <<: *x\n", 4, 3, "stands twice");
}

static void what_merge_keys_bring_stands_where_it_is_written(void **state)
{
    AUTO_POSITIONS struct positions positions = {0};
    AUTO_JSON json_t *root = placed("a: &x\n  p: [1]\nb:\n  <<: *x\n  q: 2\n", "file", &positions);

    (void)state;
    assert_place(&positions, root, "/b", 4, 3);
    assert_place(&positions, root, "/b/p", 2, 6);
    assert_place(&positions, root, "/b/p/0", 2, 7);
    assert_place(&positions, root, "/b/q", 5, 6);
}

static void binary_is_the_text_that_it_encodes(void **state)
{
    (void)state;
    assert_yaml("a: !!binary aGk=\n", "{'a':'hi'}");
    assert_yaml("a: !!binary |\n  aGVs\n  bG8K\n", "{'a':'hello\\n'}");
    assert_yaml("a: !!binary ''\n", "{'a':''}");
    assert_yaml("a: !!binary |\n  aG-k\n  ....\n  =\n", "{'a':'hi'}");
    assert_yaml("[!!binary YQ==, !!binary YWI=, !!binary YWJj]", "['a','ab','abc']");
}

static void bytes_that_are_no_text_stay_base64(void **state)
{
    (void)state;
    assert_yaml("a: !!binary |\n  f0VM\n  Rv8=\n", "{'a':{'!!binary':'f0VMRv8='}}");
    assert_yaml("a: !!binary AA==\n", "{'a':{'!!binary':'AA=='}}");
}

static void binary_that_is_no_base64_is_refused(void **state)
{
    static const char *const bad[] = {
        "a: !!binary a\n",    "a: !!binary aGk\n",  "a: !!binary a===\n",  "a: !!binary '='\n",
        "a: !!binary a=Gk\n", "a: !!binary a#k=\n", "a: !!binary '===='\n"};

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_refused(bad[i], 1, 4, "without valid base64");
}

static void collections_may_name_their_own_kind_only(void **state)
{
    (void)state;
    assert_yaml("a: !!map {b: !!seq [1]}\n", "{'a':{'b':[1]}}");
    assert_refused("a: !!set {b}\n", 1, 4, "a tag that is not known here");
    assert_refused("a: !!omap [b: 1]\n", 1, 4, "a tag that is not known here");
    assert_refused("a: !!python/tuple [1]\n", 1, 4, "a tag that is not known here");
    assert_refused("a: !!seq {}\n", 1, 4, "a tag that is not known here");
}

static void json_that_libyaml_does_not_take(void **state)
{
    AUTO_POSITIONS struct positions positions = {0};
    AUTO_JSON json_t *root =
        placed("{\"a\": [\"\\ud83d\\ude00\", {\"b\": 1}]}\n", "file", &positions);
    struct position position;

    (void)state;
    assert_string_equal(json_string_value(json_array_get(json_object_get(root, "a"), 0)),
                        "\xf0\x9f\x98\x80");
    assert_true(positions_pointer(&positions, root, "/a/1/b", &position));
    assert_string_equal(position.where, "file");
    assert_int_equal(position.line, 0);
    assert_refused("{\"a\": \"\\ud83d\\ude00\", \"a\": 1}", 1, 10, "not valid YAML");
    assert_refused("{\"a\": \"\\ud83d\\ude00\"", 1, 10, "not valid YAML");
    assert_refused("{\"a\": \"\\ud83d\\ude00\\u0000\"}", 1, 10, "not valid YAML");
}

static void json_keeps_the_limits(void **state)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(8 << 20);
    struct error error = ERROR_INIT;

    (void)state;
    for (int i = 0; i < YAML_DEPTH_MAX - 1; i++)
        buffer_append_text(&text, "[");
    buffer_append_text(&text, "\"\\ud83d\\ude00\"");
    for (int i = 0; i < YAML_DEPTH_MAX - 1; i++)
        buffer_append_text(&text, "]");
    json_decref(yaml_parse(text.bytes, text.size, "file", &error));
    assert_silent(&error);
    memmove(text.bytes + 1, text.bytes, text.size - 1);
    buffer_append_text(&text, "]]");
    assert_null(yaml_parse(text.bytes, text.size, "file", &error));
    assert_int_equal(error.kind, ERROR_INPUT);
}

static void frequent_mistakes_have_a_hint(void **state)
{
    (void)state;
    assert_refused("a:\n\tb: 1\n", 2, 1, "never by tabs");
    assert_refused("a: b: c\n", 1, 5, "a colon and a blank");
    assert_refused("a:\n  - b\n c: d\n", 3, 2, "indentation");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_has_its_place),
        cmocka_unit_test(columns_count_characters),
        cmocka_unit_test(keys_have_their_own_place),
        cmocka_unit_test(what_is_not_known_is_said),
        cmocka_unit_test(documents_share_a_table),
        cmocka_unit_test(sources_have_their_limit),
        cmocka_unit_test(far_columns_are_not_known),
        cmocka_unit_test(aliases_stand_where_they_are_written),
        cmocka_unit_test(merge_keys_bring_in_what_is_not_there),
        cmocka_unit_test(merge_keys_that_bring_no_mapping_are_refused),
        cmocka_unit_test(what_merge_keys_bring_stands_where_it_is_written),
        cmocka_unit_test(binary_is_the_text_that_it_encodes),
        cmocka_unit_test(bytes_that_are_no_text_stay_base64),
        cmocka_unit_test(binary_that_is_no_base64_is_refused),
        cmocka_unit_test(collections_may_name_their_own_kind_only),
        cmocka_unit_test(json_that_libyaml_does_not_take),
        cmocka_unit_test(json_keeps_the_limits),
        cmocka_unit_test(frequent_mistakes_have_a_hint),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
