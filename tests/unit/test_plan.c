/* The plan: which steps there are, in which order, with which names, limits and digests. */
#include "plan_modules.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "plan/plan.h"

static void plan_as_asked(struct plan *plan, const struct modules *modules,
                          struct plan_request request)
{
    struct error error = ERROR_INIT;

    request.modules = modules->items;
    request.module_count = modules->count;
    request.boot_id = "boot";
    if (plan_make(plan, &request, &error) < 0)
        fail_msg("%s", error.message);
}

/* "name/module name/module …" */
static void assert_steps(const struct plan *plan, const char *expected)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(1 << 20);

    for (size_t i = 0; i < plan->steps.count; i++)
        buffer_format(&text, "%s%s/%s", i ? " " : "", plan->steps.items[i].name,
                      plan->steps.items[i].module->name);
    assert_string_equal(buffer_text(&text), expected);
}

static struct part *add_part(struct parts *parts, const char *name, const char *type,
                             const char *bytes)
{
    struct part *part = parts_add(parts, name, type);

    part->bytes = memory_copy_string(bytes);
    part->size = strlen(bytes);
    return part;
}

static void nothing_to_do_is_an_empty_plan(void **state)
{
    AUTO_MODULES struct modules modules = {0};
    AUTO_PLAN struct plan plan = {0};

    (void)state;
    modules_add(&modules, "'name':'a','keys':['k'],'types':['t']");
    plan_as_asked(&plan, &modules, (struct plan_request){0});
    assert_steps(&plan, "");
    assert_int_equal(plan_count_runs(&plan), 0);
    assert_json(plan_to_json(&plan, NULL), "{'steps':[],'problems':[]}");
}

static void order_is_the_modules_then_their_names(void **state)
{
    AUTO_MODULES struct modules modules = {0};
    AUTO_JSON json_t *config = json_of("{'a':1,'b':2,'c':3,'d':4}");
    AUTO_PLAN struct plan plan = {0};

    (void)state;
    modules_add(&modules, "'name':'am','keys':['a'],'order':900");
    modules_add(&modules, "'name':'zm','keys':['b'],'order':100");
    modules_add(&modules, "'name':'bm','keys':['c'],'order':100");
    modules_add(&modules, "'name':'cm','keys':['d'],'order':0");
    plan_as_asked(&plan, &modules, (struct plan_request){.config = config});
    assert_steps(&plan, "cm/cm bm/bm zm/zm am/am");
}

static void parts_keep_their_order_at_their_modules_place(void **state)
{
    AUTO_MODULES struct modules modules = {0};
    AUTO_JSON json_t *config = json_of("{'a':1,'b':2}");
    AUTO_PARTS struct parts parts = {0};
    AUTO_PLAN struct plan plan = {0};

    (void)state;
    modules_add(&modules, "'name':'before','keys':['a'],'order':100");
    modules_add(&modules, "'name':'one','types':['t/1'],'order':500");
    modules_add(&modules, "'name':'two','types':['t/2','t/3'],'order':600");
    modules_add(&modules, "'name':'behind','keys':['b'],'order':700");
    add_part(&parts, "p", "t/3", "");
    add_part(&parts, "q", "t/1", "");
    add_part(&parts, "r", "t/2", "");
    plan_as_asked(&plan, &modules, (struct plan_request){.config = config, .parts = &parts});
    assert_steps(&plan, "before/before q/one p/two r/two behind/behind");
    assert_ptr_equal(plan.steps.items[1].part, &parts.items[1]);
    assert_null(plan.steps.items[2].settings);
}

static void equal_names_are_told_apart(void **state)
{
    AUTO_MODULES struct modules modules = {0};
    AUTO_PARTS struct parts parts = {0};
    AUTO_PLAN struct plan plan = {0};

    (void)state;
    modules_add(&modules, "'name':'m','types':['t']");
    add_part(&parts, "a", "t", "");
    add_part(&parts, "a-2", "t", "");
    add_part(&parts, "a", "t", "");
    add_part(&parts, "a", "t", "");
    plan_as_asked(&plan, &modules, (struct plan_request){.parts = &parts});
    assert_steps(&plan, "a/m a-2/m a-3/m a-4/m");
}

static void keys_of_a_module_are_one_step(void **state)
{
    AUTO_MODULES struct modules modules = {0};
    AUTO_JSON json_t *config = json_of("{'b':{'x':[1]},'a':null,'z':1}");
    AUTO_PLAN struct plan plan = {0};

    (void)state;
    modules_add(&modules, "'name':'m','keys':['a','b','c']");
    modules_add(&modules, "'name':'n','keys':['z']");
    plan_as_asked(&plan, &modules, (struct plan_request){.config = config});
    assert_steps(&plan, "m/m n/n");
    assert_json(json_incref(plan.steps.items[0].settings), "{'a':null,'b':{'x':[1]}}");
    assert_null(plan.steps.items[0].part);
}

static void module_without_keys_and_types_runs_always(void **state)
{
    AUTO_MODULES struct modules modules = {0};
    AUTO_PLAN struct plan plan = {0};

    (void)state;
    modules_add(&modules, "'name':'always'");
    modules_add(&modules, "'name':'asked','keys':['k']");
    plan_as_asked(&plan, &modules, (struct plan_request){0});
    assert_steps(&plan, "always/always");
    assert_json(json_incref(plan.steps.items[0].settings), "{}");
}

static void stages_do_not_mix(void **state)
{
    AUTO_MODULES struct modules modules = {0};
    AUTO_JSON json_t *config = json_of("{'a':1,'b':2}");
    AUTO_PARTS struct parts parts = {0};
    AUTO_PLAN struct plan early = {0};
    AUTO_PLAN struct plan late = {0};

    (void)state;
    modules_add(&modules, "'name':'em','keys':['a'],'stage':'early'");
    modules_add(&modules, "'name':'mm','keys':['b'],'types':['t']");
    add_part(&parts, "p", "t", "");
    plan_as_asked(
        &early, &modules,
        (struct plan_request){.config = config, .parts = &parts, .stage = BOOTLACE_STAGE_EARLY});
    assert_steps(&early, "em/em");
    assert_int_equal(early.problems.count, 0);
    plan_as_asked(&late, &modules, (struct plan_request){.config = config, .parts = &parts});
    assert_steps(&late, "p/mm mm/mm");
    assert_int_equal(late.problems.count, 0);
}

static void unclaimed_types_are_errors(void **state)
{
    AUTO_MODULES struct modules modules = {0};
    AUTO_PARTS struct parts parts = {0};
    AUTO_PLAN struct plan plan = {0};

    (void)state;
    modules_add(&modules, "'name':'m','types':['t']");
    add_part(&parts, "p", "other/1", "")->line = 7;
    add_part(&parts, "q", "t", "");
    add_part(&parts, "r", "other/2", "");
    plan_as_asked(&plan, &modules, (struct plan_request){.parts = &parts});
    assert_steps(&plan, "q/m");
    assert_int_equal(plan.problems.errors, 2);
    assert_says(&plan.problems.items[0].error, "p:7: no module here takes other/1");
    assert_says(&plan.problems.items[1].error, "r:1: no module here takes other/2");
}

static void types_are_errors_without_any_module(void **state)
{
    AUTO_MODULES struct modules modules = {0};
    AUTO_PARTS struct parts parts = {0};
    AUTO_PLAN struct plan plan = {0};

    (void)state;
    add_part(&parts, "p", "t", "");
    plan_as_asked(&plan, &modules, (struct plan_request){.parts = &parts});
    assert_int_equal(plan.problems.errors, 1);
}

static void part_frequency_comes_before_the_modules(void **state)
{
    static const enum bootlace_frequency expected[] = {BOOTLACE_ONCE, BOOTLACE_PER_INSTANCE,
                                                       BOOTLACE_PER_BOOT, BOOTLACE_ONCE};
    AUTO_MODULES struct modules modules = {0};
    AUTO_PARTS struct parts parts = {0};
    AUTO_PLAN struct plan plan = {0};

    (void)state;
    modules_add(&modules, "'name':'m','types':['t'],'frequency':'once'");
    for (unsigned i = 0; i < COUNT(expected); i++)
        add_part(&parts, "p", "t", "")->frequency = (enum part_frequency)i;
    plan_as_asked(&plan, &modules, (struct plan_request){.parts = &parts});
    for (unsigned i = 0; i < COUNT(expected); i++)
        assert_int_equal(plan.steps.items[i].frequency, expected[i]);
}

static unsigned time_limit(const char *members, const char *settings)
{
    AUTO_MODULES struct modules modules = {0};
    AUTO_JSON json_t *module_settings = json_of(settings);
    AUTO_PLAN struct plan plan = {0};

    modules_add(&modules, members);
    plan_as_asked(&plan, &modules, (struct plan_request){.module_settings = module_settings});
    return plan.steps.items[0].time_limit;
}

static unsigned early_time_limit(const char *members)
{
    AUTO_MODULES struct modules modules = {0};
    AUTO_PLAN struct plan plan = {0};

    modules_add(&modules, members);
    plan_as_asked(&plan, &modules, (struct plan_request){.stage = BOOTLACE_STAGE_EARLY});
    return plan.steps.items[0].time_limit;
}

static void time_limits(void **state)
{
    (void)state;
    assert_int_equal(time_limit("'name':'m'", "{}"), 3600);
    assert_int_equal(time_limit("'name':'m','time_limit':60", "{}"), 60);
    assert_int_equal(early_time_limit("'name':'m','stage':'early'"), 20);
    assert_int_equal(early_time_limit("'name':'m','stage':'early','time_limit':60"), 60);
    assert_int_equal(time_limit("'name':'m','no_limit':true", "{}"), 0);
    assert_int_equal(time_limit("'name':'m','no_limit':true", "{'m':{'time_limit':5}}"), 5);
    assert_int_equal(time_limit("'name':'m','time_limit':60", "{'m':{'time_limit':0}}"), 0);
    assert_int_equal(time_limit("'name':'m'", "{'n':{'time_limit':5}}"), 3600);
}

/* 0 would be no limit at all. */
static void parts_of_a_second_are_a_limit(void **state)
{
    (void)state;
    assert_int_equal(time_limit("'name':'m'", "{'m':{'time_limit':0.5}}"), 1);
    assert_int_equal(time_limit("'name':'m'", "{'m':{'time_limit':1.5}}"), 2);
}

static void digest_of(const char *type, const char *bytes, const char *arguments,
                      char digest[static DIGEST_TEXT_MAX])
{
    AUTO_MODULES struct modules modules = {0};
    AUTO_PARTS struct parts parts = {0};
    AUTO_PLAN struct plan plan = {0};
    struct part *part = add_part(&parts, "p", type, bytes);

    part->arguments = arguments ? memory_copy_string(arguments) : NULL;
    part->line = (unsigned)strlen(bytes);
    modules_add(&modules, "'name':'m','types':['t/1','t/2']");
    plan_as_asked(&plan, &modules, (struct plan_request){.parts = &parts});
    memcpy(digest, plan.steps.items[0].digest, DIGEST_TEXT_MAX);
    assert_int_equal(strlen(digest), DIGEST_TEXT_MAX - 1);
}

static void digest_changes_with_what_is_run(void **state)
{
    static const struct {
        const char *type, *bytes, *arguments;
    } rows[] = {{"t/1", "abc", NULL}, {"t/2", "abc", NULL}, {"t/1", "abd", NULL},
                {"t/1", "ab", "c"},   {"t/1", "abc", "c"},  {"t/1", "bc", "a"}};
    char digests[COUNT(rows)][DIGEST_TEXT_MAX], again[DIGEST_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        digest_of(rows[i].type, rows[i].bytes, rows[i].arguments, digests[i]);
        digest_of(rows[i].type, rows[i].bytes, rows[i].arguments, again);
        assert_string_equal(digests[i], again);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(digests[i], digests[j]);
    }
}

static void settings_digest(const char *config_text, char digest[static DIGEST_TEXT_MAX])
{
    AUTO_MODULES struct modules modules = {0};
    AUTO_JSON json_t *config = json_of(config_text);
    AUTO_PLAN struct plan plan = {0};

    modules_add(&modules, "'name':'m','keys':['a','b']");
    plan_as_asked(&plan, &modules, (struct plan_request){.config = config});
    memcpy(digest, plan.steps.items[0].digest, DIGEST_TEXT_MAX);
}

static void digest_of_settings_minds_no_order(void **state)
{
    char one[DIGEST_TEXT_MAX], same[DIGEST_TEXT_MAX], other[DIGEST_TEXT_MAX];

    (void)state;
    settings_digest("{'a':{'x':1,'y':2},'b':[1,2]}", one);
    settings_digest("{'b':[1,2],'a':{'y':2,'x':1},'other':7}", same);
    settings_digest("{'a':{'x':1,'y':2},'b':[2,1]}", other);
    assert_string_equal(one, same);
    assert_string_not_equal(one, other);
}

static void metadata_is_wanted_once_and_only_for_what_runs(void **state)
{
    AUTO_MODULES struct modules modules = {0};
    AUTO_JSON json_t *history = json_of("{'done':{'status':'done'}}");
    AUTO_PLAN struct plan plan = {0};

    (void)state;
    modules_add(&modules, "'name':'done','metadata':['hostname','never']");
    modules_add(&modules, "'name':'one','metadata':['hostname','ami-id']");
    modules_add(&modules, "'name':'two','metadata':['ami-id','local-ipv4']");
    plan_as_asked(&plan, &modules, (struct plan_request){.history = history});
    assert_int_equal(plan_count_runs(&plan), 2);
    assert_json(plan_wanted_metadata(&plan), "['hostname','ami-id','local-ipv4']");
}

static void plan_is_shown_with_its_reasons(void **state)
{
    AUTO_MODULES struct modules modules = {0};
    AUTO_JSON json_t *history = json_of("{'q':{'status':'failed','digest':'d'}}");
    AUTO_PARTS struct parts parts = {0};
    AUTO_PLAN struct plan plan = {0};

    (void)state;
    modules_add(&modules, "'name':'m','types':['t']");
    add_part(&parts, "p", "t", "abc")->detach = true;
    add_part(&parts, "q", "t", "abc");
    plan_as_asked(&plan, &modules, (struct plan_request){.parts = &parts, .history = history});
    assert_json(plan_to_json(&plan, NULL),
                "{'steps':["
                "{'name':'p','module':'m','frequency':'per-instance','action':'run',"
                "'reason':'not yet run for this instance',"
                "'will':[]},"
                "{'name':'q','module':'m','frequency':'per-instance','action':'skip',"
                "'reason':'failed before; run again only by --rerun','will':[]}],"
                "'problems':[]}");
}

static void steps_have_a_limit(void **state)
{
    AUTO_MODULES struct modules modules = {0};
    AUTO_PARTS struct parts parts = {0};
    AUTO_PLAN struct plan plan = {0};
    struct plan_request request = {.parts = &parts, .boot_id = "boot"};
    struct error error = ERROR_INIT;

    (void)state;
    modules_add(&modules, "'name':'m','types':['t']");
    for (int i = 0; i <= STEPS_MAX; i++) {
        AUTO_FREE char *name = memory_format("p%d", i);

        add_part(&parts, name, "t", "");
    }
    request.modules = modules.items;
    request.module_count = modules.count;
    assert_int_equal(plan_make(&plan, &request, &error), -1);
    assert_int_equal(error.kind, ERROR_INPUT);
    assert_says(&error, "more than 2000 steps");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_to_do_is_an_empty_plan),
        cmocka_unit_test(order_is_the_modules_then_their_names),
        cmocka_unit_test(parts_keep_their_order_at_their_modules_place),
        cmocka_unit_test(equal_names_are_told_apart),
        cmocka_unit_test(keys_of_a_module_are_one_step),
        cmocka_unit_test(module_without_keys_and_types_runs_always),
        cmocka_unit_test(stages_do_not_mix),
        cmocka_unit_test(unclaimed_types_are_errors),
        cmocka_unit_test(types_are_errors_without_any_module),
        cmocka_unit_test(part_frequency_comes_before_the_modules),
        cmocka_unit_test(time_limits),
        cmocka_unit_test(parts_of_a_second_are_a_limit),
        cmocka_unit_test(digest_changes_with_what_is_run),
        cmocka_unit_test(digest_of_settings_minds_no_order),
        cmocka_unit_test(metadata_is_wanted_once_and_only_for_what_runs),
        cmocka_unit_test(plan_is_shown_with_its_reasons),
        cmocka_unit_test(steps_have_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
