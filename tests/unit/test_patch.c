/* JSON Patch: every operation of RFC 6902, pointers of RFC 6901, what is refused, and places. */
#include "cases.h"
#include "check.h"

#include "base/json.h"
#include "base/memory.h"
#include "config/patch.h"
#include "config/yaml.h"

#include "base/banned.h"

static void every_operation(void **state)
{
    static const struct {
        const char *document, *patch, *expected;
    } rows[] = {
        {"{'a':1}", "[{'op':'add','path':'/b','value':2}]", "{'a':1,'b':2}"},
        {"{'a':1}", "[{'op':'add','path':'/a','value':null}]", "{'a':null}"},
        {"{'a':[1,3]}", "[{'op':'add','path':'/a/1','value':2}]", "{'a':[1,2,3]}"},
        {"{'a':[1]}", "[{'op':'add','path':'/a/-','value':[2]}]", "{'a':[1,[2]]}"},
        {"{'a':[]}", "[{'op':'add','path':'/a/0','value':1}]", "{'a':[1]}"},
        {"{'a':1}", "[{'op':'add','path':'','value':{'b':2}}]", "{'b':2}"},
        {"{'a':1,'b':2}", "[{'op':'remove','path':'/a'}]", "{'b':2}"},
        {"{'a':[1,2,3]}", "[{'op':'remove','path':'/a/1'}]", "{'a':[1,3]}"},
        {"{'a':1}", "[{'op':'replace','path':'/a','value':{'b':[]}}]", "{'a':{'b':[]}}"},
        {"{'a':[1,2]}", "[{'op':'replace','path':'/a/0','value':0}]", "{'a':[0,2]}"},
        {"{'a':{'b':1},'c':{}}", "[{'op':'move','from':'/a/b','path':'/c/d'}]",
         "{'a':{},'c':{'d':1}}"},
        {"{'a':[1,2,3]}", "[{'op':'move','from':'/a/0','path':'/a/2'}]", "{'a':[2,3,1]}"},
        {"{'a':{'b':1}}", "[{'op':'copy','from':'/a','path':'/a/c'}]", "{'a':{'b':1,'c':{'b':1}}}"},
        {"{'a':[1,{'b':2}]}", "[{'op':'test','path':'/a','value':[1,{'b':2}]}]",
         "{'a':[1,{'b':2}]}"},
        {"{'/':{'~':{'~1':1}}}", "[{'op':'remove','path':'/~1/~0/~01'}]", "{'/':{'~':{}}}"},
        {"{'':1}", "[{'op':'replace','path':'/','value':2}]", "{'':2}"},
        {"{'a':{}}",
         "[{'op':'add','path':'/a/x','value':1},{'op':'copy','from':'/a/x','path':'/y'},"
         "{'op':'remove','path':'/a'}]",
         "{'y':1}"},
        {"{'a':1}", "[]", "{'a':1}"},
        {"{'a':1}", "[{'op':'test','path':'/a','value':1,'unknown':true}]", "{'a':1}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        json_t *document = json_of(rows[i].document);
        AUTO_JSON json_t *patch = json_of(rows[i].patch);
        struct error error = ERROR_INIT;

        assert_int_equal(patch_apply(&document, patch, NULL, &error), 0);
        assert_json(document, rows[i].expected);
    }
}

static void what_is_refused(void **state)
{
    static const struct {
        const char *document, *patch, *message;
    } rows[] = {
        {"{}", "{}", "a patch is a list"},
        {"{}", "[1]", "no mapping with op and path"},
        {"{}", "[{'op':'add','path':'/a'}]", "it has no value"},
        {"{}", "[{'op':'merge','path':'/a'}]", "op is none of"},
        {"{}", "[{'op':'add','path':'a','value':1}]", "a path begins with /"},
        {"{}", "[{'op':'add','path':'/a/b','value':1}]", "leads nowhere"},
        {"{'a':7}", "[{'op':'add','path':'/a/b','value':1}]", "leads nowhere"},
        {"{}", "[{'op':'remove','path':'/a'}]", "nothing at its path"},
        {"{}", "[{'op':'replace','path':'/a','value':1}]", "nothing at its path"},
        {"{}", "[{'op':'copy','path':'/a'}]", "it has no from"},
        {"{}", "[{'op':'copy','from':'/b','path':'/a'}]", "nothing at its path"},
        {"{'a':{}}", "[{'op':'move','from':'/a','path':'/a/b'}]", "into itself"},
        {"{'a':[]}", "[{'op':'add','path':'/a/1','value':1}]", "beyond the end"},
        {"{'a':[1]}", "[{'op':'remove','path':'/a/-'}]", "nothing at its path"},
        {"{'a':[1]}", "[{'op':'remove','path':'/a/00'}]", "no index"},
        {"{'a':[1]}", "[{'op':'remove','path':'/a/1x'}]", "no index"},
        {"{'a':[1]}", "[{'op':'remove','path':'/a/-1'}]", "no index"},
        {"{'a':1}", "[{'op':'remove','path':'/~2'}]", "followed by 0 or 1"},
        {"{'a':1}", "[{'op':'remove','path':''}]", "cannot be removed"},
        {"{'a':1}", "[{'op':'replace','path':'','value':[]}]", "no mapping of keys"},
        {"{'a':1}", "[{'op':'test','path':'/a','value':2}]", "the test does not hold"},
        {"{'a':'s3cret'}", "[{'op':'test','path':'/a','value':'other'}]", "the test does not"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO_JSON json_t *document = json_of(rows[i].document);
        AUTO_JSON json_t *patch = json_of(rows[i].patch);
        struct error error = ERROR_INIT;

        assert_int_equal(patch_apply(&document, patch, NULL, &error), -1);
        assert_non_null(strstr(error.message, rows[i].message));
        assert_null(strstr(error.message, "s3cret"));
        assert_int_equal(error.kind, ERROR_INPUT);
    }
}

static void copies_of_copies_come_to_an_end(void **state)
{
    static const char *const texts[] = {
        "{'op':'copy','from':'','path':'/a'}", /* ever deeper */
        "{'op':'add','path':'/l','value':[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]},"
        "{'op':'copy','from':'/l','path':'/l/-'}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        AUTO_FREE char *one = memory_format("[%s]", texts[i]);
        AUTO_JSON json_t *patch = json_of(one);
        AUTO_JSON json_t *document = json_of("{}");
        json_t *last = json_array_get(patch, json_array_size(patch) - 1);
        struct error error = ERROR_INIT;

        for (int times = 0; times < 100; times++)
            json_add(patch, json_incref(last));
        assert_int_equal(patch_apply(&document, patch, NULL, &error), -1);
        assert_non_null(strstr(error.message, "it makes too much"));
    }
}

static struct position place_of(struct positions *positions, json_t *document, const char *pointer)
{
    struct position position = {0};

    positions_pointer(positions, document, pointer, &position);
    return position;
}

static void values_keep_their_places(void **state)
{
    static const char text[] = "list:\n- one\n- two\nmap: {a: 1}\n";
    static const char patch_text[] = "[{op: add, path: /list/0, value: zero},\n"
                                     " {op: add, path: /map/b, value: {c: 2}},\n"
                                     " {op: remove, path: /list/1}]\n";
    AUTO_POSITIONS struct positions positions = {0};
    struct error error = ERROR_INIT;
    json_t *document = yaml_parse_placed(text, strlen(text), "first", &positions, &error);
    json_t *patch = yaml_parse_placed(patch_text, strlen(patch_text), "patch", &positions, &error);

    (void)state;
    assert_non_null(patch);
    assert_int_equal(patch_apply(&document, patch, &positions, &error), 0);
    assert_json(json_deep_copy(document), "{'list':['zero','two'],'map':{'a':1,'b':{'c':2}}}");
    assert_int_equal(place_of(&positions, document, "/list/0").line, 1);
    assert_string_equal(place_of(&positions, document, "/list/0").where, "patch");
    assert_int_equal(place_of(&positions, document, "/list/1").line, 3);
    assert_int_equal(place_of(&positions, document, "/map/b").line, 2);
    assert_int_equal(place_of(&positions, document, "/map/b/c").line, 2);
    assert_int_equal(place_of(&positions, document, "/map/a").line, 4);
    json_decref(document);
    json_decref(patch);
}

static void the_operation_that_does_not_go_is_named(void **state)
{
    static const char text[] = "- {op: test, path: '', value: {}}\n- {op: remove, path: /a}\n";
    AUTO_POSITIONS struct positions positions = {0};
    struct error error = ERROR_INIT;
    AUTO_JSON json_t *document = json_of("{}");
    AUTO_JSON json_t *patch = yaml_parse_placed(text, strlen(text), "part", &positions, &error);

    (void)state;
    assert_int_equal(patch_apply(&document, patch, &positions, &error), -1);
    assert_non_null(strstr(error.message, "operation 2 of the patch"));
    assert_string_equal(error.where, "part");
    assert_int_equal(error.line, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(copies_of_copies_come_to_an_end),
        cmocka_unit_test(values_keep_their_places),
        cmocka_unit_test(the_operation_that_does_not_go_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
