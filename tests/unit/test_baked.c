/*
 * What was baked and what a launch adds: joining the two, with their positions, and the difference
 * that is left of a step.
 */
#include "plan_modules.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "config/join.h"
#include "config/yaml.h"
#include "plan/difference.h"

static json_t *yaml_of(const char *text, const char *where, struct positions *positions)
{
    struct error error = ERROR_INIT;
    json_t *value = yaml_parse_placed(text, strlen(text), where, positions, &error);

    if (!value)
        fail_msg("%s: %s", text, error.message);
    return value;
}

static void check_join(const char *base, const char *later, const char *expected)
{
    json_t *joined = json_of(base), *with = json_of(later);

    join_config(joined, with, NULL);
    json_decref(with);
    assert_json(joined, expected);
}

static void values_come_together(void **state)
{
    (void)state;
    check_join("{}", "{}", "{}");
    check_join("{'a':1}", "{'b':2}", "{'a':1,'b':2}");
    check_join("{'a':1}", "{'a':2}", "{'a':2}");
    check_join("{'a':{'b':1,'c':{'d':[1]}}}", "{'a':{'c':{'d':[2],'e':3}}}",
               "{'a':{'b':1,'c':{'d':[1,2],'e':3}}}");
    check_join("{'a':[1]}", "{'a':[2]}", "{'a':[1,2]}");
    check_join("{'a':[1,2]}", "{'a':[1,2,3]}", "{'a':[1,2,3]}");
    check_join("{'a':[1,2]}", "{'a':[1,2]}", "{'a':[1,2]}");
    check_join("{'a':[1,2]}", "{'a':[2]}", "{'a':[1,2,2]}");
    check_join("{'a':[1,2]}", "{'a':[1]}", "{'a':[1,2,1]}");
    check_join("{'a':[]}", "{'a':[1]}", "{'a':[1]}");
    check_join("{'a':[1]}", "{'a':[]}", "{'a':[1]}");
    /* Of two kinds the later counts. */
    check_join("{'a':[1]}", "{'a':{'b':1}}", "{'a':{'b':1}}");
    check_join("{'a':{'b':1}}", "{'a':null}", "{'a':null}");
    check_join("{'a':'x'}", "{'a':[1]}", "{'a':[1]}");
}

static void assert_stands(struct positions *positions, json_t *root, const char *pointer,
                          const char *where, unsigned line)
{
    struct position position;

    if (!positions_pointer(positions, root, pointer, &position))
        fail_msg("%s stands nowhere", pointer);
    assert_string_equal(position.where, where);
    assert_int_equal(position.line, line);
}

static void positions_go_along(void **state)
{
    AUTO_POSITIONS struct positions positions = {0};
    AUTO_JSON json_t *base =
        yaml_of("list:\n- 1\n- 2\nmap:\n  one: 1\n  two: 2\nsame: [1]\n", "baked", &positions);
    AUTO_JSON json_t *later = yaml_of("map:\n  two: 3\n\n  three: 4\nlist:\n- 3\nsame:\n- 1\n- 2\n",
                                      "launch", &positions);

    (void)state;
    join_config(base, later, &positions);
    assert_stands(&positions, base, "/list/0", "baked", 2);
    assert_stands(&positions, base, "/list/2", "launch", 6);
    assert_stands(&positions, base, "/map/one", "baked", 5);
    assert_stands(&positions, base, "/map/two", "launch", 2);
    assert_stands(&positions, base, "/map/three", "launch", 4);
    assert_stands(&positions, base, "/same/0", "launch", 8);
    assert_stands(&positions, base, "/same/1", "launch", 9);
}

/* A step of module x, and facts in which the digest of each value has the value's own place. */
struct trial {
    struct modules modules;
    struct steps steps;
    json_t *facts;
};

static json_t *digest_of(const char *value)
{
    char text[DIGEST_TEXT_MAX];
    AUTO_JSON json_t *given = json_of(value);

    return json_string(json_digest(given, text));
}

/* baked: of `list` the items, and of `option` the value; NULL = none. */
static struct step *begin(struct trial *trial, bool by_item, const char *settings,
                          const char *const *items, const char *option)
{
    json_t *module = json_object(), *list = json_object(), *digests = json_object();
    struct step *step;

    *trial = (struct trial){.facts = json_object()};
    modules_add(&trial->modules, by_item ? "'name':'x','bakeable':true,'by_item':true"
                                         : "'name':'x','bakeable':true");
    for (; items && *items; items++) {
        AUTO_JSON json_t *digest = digest_of(*items);

        json_put_flag(digests, json_string_value(digest), true);
    }
    json_put(list, "items", digests);
    json_put(module, "list", list);
    if (option) {
        json_t *fact = json_object();

        json_put(fact, "whole", digest_of(option));
        json_put(module, "option", fact);
    }
    json_put(trial->facts, "x", module);
    step = steps_add(&trial->steps);
    step->name = memory_copy_string("x");
    step->module = trial->modules.items;
    step->settings = json_of(settings);
    step->run = true;
    step->reason = memory_copy_string("because");
    return step;
}

static void end(struct trial *trial)
{
    steps_clear(&trial->steps);
    modules_clear(&trial->modules);
    json_decref(trial->facts);
}

/* settings and baked: what the step has at the end; NULL settings: it is baked whole. */
static void check(bool by_item, const char *given, const char *settings, const char *baked)
{
    static const char *const items[] = {"1", "{'b':1,'a':2}", NULL};
    struct trial trial;
    struct step *step = begin(&trial, by_item, given, items, "'on'");

    difference_take(step, trial.facts);
    assert_int_equal(step->is_baked, settings == NULL);
    assert_int_equal(step->run, settings != NULL);
    assert_string_equal(step_action(step), settings ? "run" : "baked");
    if (settings)
        assert_json(json_incref(step->settings), settings);
    assert_json(json_incref(step->baked), baked);
    end(&trial);
}

static void the_difference_is_left(void **state)
{
    (void)state;
    for (int by_item = 0; by_item < 2; by_item++) {
        check(by_item, "{'list':[1]}", NULL, "['list']");
        check(by_item, "{'list':[{'a':2,'b':1},1]}", NULL, "['list']");
        check(by_item, "{'list':[1],'option':'on'}", NULL, "['list','option']");
        check(by_item, "{'list':[]}", NULL, "['list']");
        check(by_item, "{'option':'off'}", "{'option':'off'}", "[]");
        check(by_item, "{'other':1}", "{'other':1}", "[]");
        /* A list that was none then, and the other way round. */
        check(by_item, "{'list':'1'}", "{'list':'1'}", "[]");
        check(by_item, "{'option':['on']}", "{'option':['on']}", "[]");
        check(by_item, "{}", "{}", "[]");
    }
    check(true, "{'list':[1,3]}", "{'list':[3]}", "[]");
    check(false, "{'list':[1,3]}", "{'list':[1,3]}", "[]");
    check(true, "{'list':[1],'option':'off'}", "{'option':'off'}", "['list']");
    check(false, "{'list':[1],'option':'off'}", "{'list':[1],'option':'off'}", "['list']");
    check(true, "{'list':[3,1],'option':'on'}", "{'list':[3],'option':'on'}", "['option']");
}

static void without_facts_nothing_is_taken(void **state)
{
    struct trial trial;
    struct step *step = begin(&trial, true, "{'list':[1]}", NULL, NULL);

    (void)state;
    difference_take(step, NULL);
    assert_true(step->run);
    assert_string_equal(step->reason, "because");
    assert_json(json_incref(step->settings), "{'list':[1]}");
    end(&trial);
}

/* NULL settings: the step is left whole. */
static void check_leave(bool by_item, const char *templated, const char *settings)
{
    struct trial trial;
    struct step *step = begin(&trial, by_item, "{'list':[1,2],'option':'on'}", NULL, NULL);
    AUTO_JSON json_t *places = json_of(templated);

    difference_leave(step, places);
    assert_int_equal(step->run, settings != NULL);
    if (settings)
        assert_json(json_incref(step->settings), settings);
    else
        assert_string_equal(step->reason, "left for the launch: it speaks of the instance");
    end(&trial);
}

static void what_speaks_of_the_instance_is_left(void **state)
{
    static const char all[] = "{'list':[1,2],'option':'on'}";

    (void)state;
    for (int by_item = 0; by_item < 2; by_item++) {
        check_leave(by_item, "{}", all);
        check_leave(by_item, "{'other':true}", all);
        check_leave(by_item, "{'option':true}", NULL);
        check_leave(by_item, "{'list':{'0':true,'1':true}}", NULL);
    }
    check_leave(true, "{'list':{'1':true}}", "{'list':[1],'option':'on'}");
    check_leave(false, "{'list':{'1':true}}", NULL);
    check_leave(true, "{'list':true}", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_together),
        cmocka_unit_test(positions_go_along),
        cmocka_unit_test(the_difference_is_left),
        cmocka_unit_test(without_facts_nothing_is_taken),
        cmocka_unit_test(what_speaks_of_the_instance_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
