/*
 * Merging: tests/cases/merge/<case>/, in which base.yaml and over.yaml are two parts, merge-type
 * the second one's header, and expected.json is what cloud-init makes of them (regenerate.py
 * beside the cases wrote it); and what is ours: errors where cloud-init drops a part or takes a
 * text apart, warnings, positions that go along.
 */
#include "cases.h"
#include "check.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "config/merge.h"
#include "config/yaml.h"

static json_t *yaml_of(const char *text, const char *where, struct positions *positions)
{
    struct error error = ERROR_INIT;
    json_t *value = yaml_parse_placed(text, strlen(text), where, positions, &error);

    if (!value)
        fail_msg("%s: %s", text, error.message);
    return value;
}

/* Merges one part as the agent does; the error says why not. */
static int merge_part(json_t *base, json_t *over, const char *header, struct positions *positions,
                      struct problems *problems, struct error *error)
{
    struct merge_rules rules;

    if (merge_rules_of_part(&rules, over, header, positions, problems, error) < 0)
        return -1;
    return merge_into(&rules, base, over, positions, error);
}

static void check_case(const char *name)
{
    AUTO_BUFFER struct buffer first = BUFFER_INIT(CASES_FILE_MAX);
    AUTO_BUFFER struct buffer second = BUFFER_INIT(CASES_FILE_MAX);
    AUTO_BUFFER struct buffer header = BUFFER_INIT(CASES_FILE_MAX);
    AUTO_BUFFER struct buffer expected = BUFFER_INIT(CASES_FILE_MAX);
    AUTO_POSITIONS struct positions positions = {0};
    AUTO_JSON json_t *merged = json_object(), *base = NULL, *over = NULL, *wanted = NULL;
    struct error error = ERROR_INIT;
    char *text;

    assert_true(cases_read("merge", name, "base.yaml", &first));
    assert_true(cases_read("merge", name, "over.yaml", &second));
    assert_true(cases_read("merge", name, "expected.json", &expected));
    cases_read("merge", name, "merge-type", &header);
    base = yaml_of(buffer_text(&first), "base", &positions);
    over = yaml_of(buffer_text(&second), "over", &positions);
    wanted = json_loads(buffer_text(&expected), 0, NULL);
    if (merge_part(merged, base, NULL, &positions, NULL, &error) < 0 ||
        merge_part(merged, over, header.size ? buffer_text(&header) : NULL, &positions, NULL,
                   &error) < 0)
        fail_msg("%s: %s", name, error.message);
    if (!json_equal(merged, wanted)) {
        text = json_dumps(merged, JSON_SORT_KEYS | JSON_INDENT(2));
        fail_msg("%s: %s", name, text);
    }
}

static void cases_are_merged_as_cloud_init_does(void **state)
{
    static const char *names[CASES_MAX];
    size_t count = cases_list("merge", names), checked = 0;

    (void)state;
    for (size_t i = 0; i < count; i++) {
        if (strchr(names[i], '.'))
            continue;
        check_case(names[i]);
        checked++;
    }
    assert_true(checked >= 40);
}

static void assert_refused(const char *base_text, const char *over_text, unsigned line,
                           unsigned column, const char *words)
{
    AUTO_POSITIONS struct positions positions = {0};
    AUTO_JSON json_t *base = yaml_of(base_text, "base", &positions);
    AUTO_JSON json_t *over = yaml_of(over_text, "over", &positions);
    struct error error = ERROR_INIT;

    assert_int_equal(merge_part(base, over, NULL, &positions, NULL, &error), -1);
    assert_int_equal(error.kind, ERROR_INPUT);
    assert_says(&error, words);
    assert_string_equal(error.where, "over");
    if (error.line != line || error.column != column)
        fail_msg("\"%s\": at %u:%u", over_text, error.line, error.column);
}

static void what_cannot_be_merged_is_told_with_its_place(void **state)
{
    (void)state;
    assert_refused("a: [1]\n", "merge_how: dict(recurse_str)+list(append)\na: text\n", 2, 4,
                   "no list cannot be joined to a list");
    assert_refused("a: [1]\n", "merge_how: dict()+list(prepend)\na: {b: c}\n", 2, 4,
                   "no list cannot be joined to a list");
    assert_refused("a: {b: [x, [1]]}\n",
                   "merge_how: dict(recurse_list)+list(recurse_dict,recurse_list)+str(append)\n"
                   "a:\n  b: [[q], [2]]\n",
                   3, 7, "no text cannot be joined to a text");
}

static void rules_that_are_none_are_told_with_their_place(void **state)
{
    (void)state;
    assert_refused("{}", "a: 1\nmerge_how: dict\n", 2, 12, "not of the form name(options)");
    assert_refused("{}", "merge_how: (replace)\n", 1, 12, "not of the form name(options)");
    assert_refused("{}", "merge_how: dict(replace\n", 1, 12, "not of the form name(options)");
    assert_refused("{}", "merge_how: set()\n", 1, 12, "\"set\", which is no rule");
    assert_refused("{}", "merge_type: 7\n", 1, 13, "neither a text nor a list");
    assert_refused("{}", "merge_how: [7]\n", 1, 12, "its name and its settings");
    assert_refused("{}", "merge_how: [{name: dict}]\n", 1, 12, "its name and its settings");
    assert_refused("{}", "merge_how: [{name: dict, settings: [7]}]\n", 1, 12, "is no word");
    assert_refused("{}", "merge_how: [{name: 'dict()+list', settings: []}]\n", 1, 12,
                   "its name and its settings");
}

static void rules_have_their_limits(void **state)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(1 << 20);
    struct merge_rules rules = {0};
    struct error error = ERROR_INIT;

    (void)state;
    buffer_append_text(&text, "dict(");
    for (int i = 0; i < MERGE_SETTINGS_MAX; i++)
        buffer_append_text(&text, "replace,");
    assert_true(buffer_append_text(&text, ")"));
    assert_int_equal(merge_rules_parse(&rules, text.bytes, NULL, &error), 0);
    text.bytes[text.size - 1] = 'x';
    assert_true(buffer_append_text(&text, ")"));
    assert_int_equal(merge_rules_parse(&rules, text.bytes, NULL, &error), -1);
    assert_says(&error, "more than 32 options");
    for (int i = 0; i < MERGE_RULES_TEXT_MAX; i++)
        buffer_append_text(&text, " ");
    assert_int_equal(merge_rules_parse(&rules, text.bytes, NULL, &error), -1);
    assert_says(&error, "longer than");
}

static void unknown_options_are_a_warning(void **state)
{
    AUTO_PROBLEMS struct problems problems = {0};
    AUTO_POSITIONS struct positions positions = {0};
    AUTO_JSON json_t *over = yaml_of("a: 1\nmerge_how: dict(recurse_lst)\n", "over", &positions);
    struct merge_rules rules;
    struct error error = ERROR_INIT;

    (void)state;
    assert_int_equal(merge_rules_of_part(&rules, over, NULL, &positions, &problems, &error), 0);
    assert_true(rules.dict.known);
    assert_false(rules.dict.recurse_list);
    assert_int_equal(problems.count, 1);
    assert_int_equal(problems.errors, 0);
    assert_says(&problems.items[0].error, "recurse_lst");
    assert_int_equal(problems.items[0].error.line, 2);
    assert_null(json_object_get(over, "merge_how"));
}

static void texts_may_stand_in_the_list_of_rules(void **state)
{
    AUTO_JSON json_t *over =
        yaml_of("merge_how: ['dict(replace)', 'list(append)']\n", "over", NULL);
    struct merge_rules rules;
    struct error error = ERROR_INIT;

    (void)state;
    assert_int_equal(merge_rules_of_part(&rules, over, NULL, NULL, NULL, &error), 0);
    assert_int_equal(rules.dict.method, MERGE_REPLACE);
    assert_int_equal(rules.list.method, MERGE_APPEND);
    assert_false(rules.str.known);
}

static void the_image_s_own_stands_behind(void **state)
{
    AUTO_JSON json_t *user = yaml_of("a: 1\nb: {x: 1}\nl: [1]\n", "user", NULL);
    AUTO_JSON json_t *image = yaml_of("a: 2\nb: {x: 2, y: 2}\nl: [2, 3]\nc: 3\n", "image", NULL);
    struct merge_rules rules = {0};
    struct error error = ERROR_INIT;

    (void)state;
    assert_int_equal(merge_rules_parse(&rules, MERGE_RULES_IMAGE, NULL, &error), 0);
    assert_int_equal(merge_into(&rules, user, image, NULL, &error), 0);
    assert_json(json_incref(user), "{'a':1,'b':{'x':1,'y':2},'l':[1],'c':3}");
}

static void assert_place(struct positions *positions, json_t *root, const char *pointer,
                         const char *where, unsigned line, unsigned column)
{
    struct position position;

    if (!positions_pointer(positions, root, pointer, &position))
        fail_msg("%s has no position", pointer);
    if (strcmp(position.where, where) != 0 || position.line != line || position.column != column)
        fail_msg("%s: %s:%u:%u", pointer, position.where, position.line, position.column);
}

static void positions_go_along(void **state)
{
    AUTO_POSITIONS struct positions positions = {0};
    AUTO_JSON json_t *base =
        yaml_of("a: [x]\nb: {c: 1, d: [1]}\ne: 5\nf: [1]\n", "one", &positions);
    AUTO_JSON json_t *over = yaml_of("merge_how: dict(recurse_list)+list(append)\n"
                                     "a:\n- [y]\nb:\n  g: {h: i}\n  d: [2]\ne: 6\n",
                                     "two", &positions);
    AUTO_JSON json_t *third = yaml_of("e: 7\nf:\n- 8\n", "three", &positions);
    struct error error = ERROR_INIT;

    (void)state;
    assert_int_equal(merge_part(base, over, NULL, &positions, NULL, &error), 0);
    assert_int_equal(merge_part(base, third, NULL, &positions, NULL, &error), 0);
    assert_json(json_incref(base),
                "{'a':['x',['y']],'b':{'c':1,'d':[1,2],'g':{'h':'i'}},'e':7,'f':[8]}");
    assert_place(&positions, base, "", "one", 1, 1);
    assert_place(&positions, base, "/a", "one", 1, 4);
    assert_place(&positions, base, "/a/0", "one", 1, 5);
    assert_place(&positions, base, "/a/1", "two", 3, 3);
    assert_place(&positions, base, "/a/1/0", "two", 3, 4);
    assert_place(&positions, base, "/b/c", "one", 2, 8);
    assert_place(&positions, base, "/b/d/1", "two", 6, 7);
    assert_place(&positions, base, "/b/g/h", "two", 5, 10);
    assert_place(&positions, base, "/e", "three", 1, 4);
    assert_place(&positions, base, "/f", "three", 3, 1);
    assert_place(&positions, base, "/f/0", "three", 3, 3);
}

static void positions_of_lists_that_are_joined_before(void **state)
{
    AUTO_POSITIONS struct positions positions = {0};
    AUTO_JSON json_t *base = yaml_of("a: [1, {b: 2}]\n", "one", &positions);
    AUTO_JSON json_t *over = yaml_of("merge_how: dict(recurse_list)+list(prepend)\n"
                                     "a: [3]\n",
                                     "two", &positions);
    struct error error = ERROR_INIT;

    (void)state;
    assert_int_equal(merge_part(base, over, NULL, &positions, NULL, &error), 0);
    assert_place(&positions, base, "/a", "one", 1, 4);
    assert_place(&positions, base, "/a/0", "two", 2, 5);
    assert_place(&positions, base, "/a/1", "one", 1, 5);
    assert_place(&positions, base, "/a/2", "one", 1, 8);
    assert_place(&positions, base, "/a/2/b", "one", 1, 12);
}

/* Many parts, with rules of every kind among them: what waits is where it belongs in the end. */
static void parts_that_are_merged_before_they_are_settled(void **state)
{
    static const char *const parts[] = {
        "a: [1, {b: 2}]\n", "merge_how: dict(recurse_list)+list(prepend)\na: [3, 4]\n",
        "merge_how: dict(recurse_list)+list(append)\na: [5]\n",
        "merge_how: dict(recurse_list)+list(prepend)\na: [6]\nn: {l: [x]}\n",
        /* Item by item, as many as there are: the first stands among those that wait. */
        "merge_how: dict(recurse_list)+list()\na: [7, 8, 9, 10]\n",
        "merge_how: dict(recurse_list)+list(prepend)\na: [11]\nn: {l: [y, z], t: u}\n",
        "merge_how: dict(recurse_str)+str(append)\nn: {t: v}\n",
        "merge_how: dict(recurse_str)+str(append)\nn: {t: wü}\n"};
    AUTO_POSITIONS struct positions positions = {0};
    AUTO_JSON json_t *base = yaml_of(parts[0], "0", &positions);
    struct merge_waiting waiting = {0};
    struct error error = ERROR_INIT;

    (void)state;
    for (size_t i = 1; i < ARRAY_SIZE(parts); i++) {
        AUTO_FREE char *name = memory_format("%zu", i);
        AUTO_JSON json_t *over = yaml_of(parts[i], name, &positions);
        struct merge_rules rules;

        assert_int_equal(merge_rules_of_part(&rules, over, NULL, &positions, NULL, &error), 0);
        assert_int_equal(merge_over(&rules, base, over, &waiting, &positions, &error), 0);
    }
    merge_settle(&waiting, &positions);
    assert_json(json_incref(base),
                "{'a':[11,7,8,9,10,{'b':2},5],'n':{'l':['y','z','x'],'t':'uvwü'}}");
    assert_place(&positions, base, "/a/0", "5", 2, 5);
    assert_place(&positions, base, "/a/1", "4", 2, 5);
    assert_place(&positions, base, "/a/4", "4", 2, 14);
    assert_place(&positions, base, "/a/5/b", "0", 1, 12);
    assert_place(&positions, base, "/a/6", "2", 2, 5);
    assert_place(&positions, base, "/n/l/1", "5", 3, 12);
    assert_place(&positions, base, "/n/l/2", "3", 3, 9);
    assert_place(&positions, base, "/n/t", "5", 3, 19);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases_are_merged_as_cloud_init_does),
        cmocka_unit_test(what_cannot_be_merged_is_told_with_its_place),
        cmocka_unit_test(rules_that_are_none_are_told_with_their_place),
        cmocka_unit_test(rules_have_their_limits),
        cmocka_unit_test(unknown_options_are_a_warning),
        cmocka_unit_test(texts_may_stand_in_the_list_of_rules),
        cmocka_unit_test(the_image_s_own_stands_behind),
        cmocka_unit_test(positions_go_along),
        cmocka_unit_test(positions_of_lists_that_are_joined_before),
        cmocka_unit_test(parts_that_are_merged_before_they_are_settled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
