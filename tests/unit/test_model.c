/* What the stages hand each other: parts, steps and their outcomes, problems. */
#include "check.h"

#include "base/banned.h"
#include "base/memory.h"
#include "model/part.h"
#include "model/problem.h"
#include "model/step.h"

static void parts_begin_empty(void **state)
{
    AUTO_PARTS struct parts parts = {0};

    (void)state;
    for (int i = 0; i < 9; i++)
        parts_add(&parts, "a", "text/a");
    assert_int_equal(parts.count, 9);
    assert_json(part_to_json(&parts.items[8]),
                "{'name':'a','type':'text/a','size':0,'frequency':'default','line':1}");
    parts_clear(&parts);
    assert_int_equal(parts.count, 0);
    parts_clear(NULL);
}

static void part_shows_all_that_it_has(void **state)
{
    AUTO_PARTS struct parts parts = {0};
    struct part *part = parts_add(&parts, "n\xff", "text/a");

    (void)state;
    part->bytes = memory_copy_string("abc");
    part->size = 3;
    part->line = 7;
    part->frequency = PART_PER_BOOT;
    part->arguments = memory_copy_string("-x \xe9");
    part->detach = true;
    assert_json(part_to_json(part), "{'name':'n\xef\xbf\xbd','type':'text/a','size':3,"
                                    "'frequency':'per-boot','line':7,"
                                    "'arguments':'-x \xef\xbf\xbd','detach':true}");
}

static void part_frequencies_and_their_names(void **state)
{
    (void)state;
    assert_string_equal(part_frequency_name(PART_DEFAULT), "default");
    assert_string_equal(part_frequency_name(PART_PER_INSTANCE), "per-instance");
    assert_string_equal(part_frequency_name(PART_PER_BOOT), "per-boot");
    assert_string_equal(part_frequency_name(PART_ONCE), "once");
}

static void states_and_their_names(void **state)
{
    static const char *const names[] = {"pending", "running", "done",
                                        "failed",  "cut off", "skipped"};

    (void)state;
    for (unsigned i = 0; i < COUNT(names); i++) {
        assert_string_equal(step_state_name((enum step_state)i), names[i]);
        assert_int_equal(step_state_of(names[i]), i);
    }
    assert_int_equal(step_state_of("other"), STEP_PENDING);
    assert_int_equal(step_state_of(""), STEP_PENDING);
    assert_int_equal(step_state_of(NULL), STEP_PENDING);
}

static void steps_are_found_by_name(void **state)
{
    struct steps steps = {0};

    (void)state;
    for (int i = 0; i < 5; i++)
        steps_add(&steps)->name = memory_format("step-%d", i);
    assert_ptr_equal(steps_find(&steps, "step-3"), &steps.items[3]);
    assert_null(steps_find(&steps, "step-5"));
    assert_int_equal(steps.items[4].outcome.exit_code, -1);
    assert_int_equal(steps.items[4].outcome.state, STEP_PENDING);
    steps_clear(&steps);
    assert_int_equal(steps.count, 0);
    steps_clear(NULL);
}

static json_t *shown(const struct outcome *outcome)
{
    json_t *object = json_object();

    outcome_to_json(outcome, object);
    return object;
}

static void untouched_outcome(void **state)
{
    struct outcome outcome = {.exit_code = -1};

    (void)state;
    assert_json(shown(&outcome), "{'status':'pending','exit_code':null,'started':null,"
                                 "'duration_ms':0,'message':'','output':''}");
}

static void only_a_done_step_is_changed(void **state)
{
    struct outcome outcome = {.state = STEP_DONE, .changed = true, .exit_code = 0};

    (void)state;
    assert_json(shown(&outcome), "{'status':'done','changed':true,'exit_code':0,'started':null,"
                                 "'duration_ms':0,'message':'','output':''}");
    outcome.state = STEP_FAILED;
    assert_json(shown(&outcome), "{'status':'failed','exit_code':0,'started':null,"
                                 "'duration_ms':0,'message':'','output':''}");
}

static void any_output_is_shown(void **state)
{
    struct outcome outcome = {.exit_code = -1};

    (void)state;
    outcome.output = memory_copy_string("caf\xe9\n");
    outcome_set_message(&outcome, "%d %s", 7, "\xff");
    outcome_set_message(&outcome, "%d of %s", 7, "\xff");
    assert_json(shown(&outcome),
                "{'status':'pending','exit_code':null,'started':null,'duration_ms':0,"
                "'message':'7 of \xef\xbf\xbd','output':'caf\xef\xbf\xbd\\n'}");
    outcome_clear(&outcome);
}

static void outcomes_come_back_as_they_went(void **state)
{
    static const char *const rows[] = {
        "{'status':'pending','exit_code':null,'started':null,'duration_ms':0,'message':'',"
        "'output':''}",
        "{'status':'done','changed':true,'exit_code':0,'started':'2026-11-22T10:00:00.123Z',"
        "'duration_ms':1234,'message':'m','output':'a\\nb\\n'}",
        "{'status':'done','changed':false,'exit_code':null,'started':null,'duration_ms':0,"
        "'message':'','output':''}",
        "{'status':'failed','exit_code':255,'started':null,'duration_ms':5,'message':'m',"
        "'output':'','items':[{'item':'x','status':'failed'}]}",
        "{'status':'failed','exit_code':null,'signal':9,'started':null,'duration_ms':5,"
        "'message':'m','output':''}",
        "{'status':'cut off','exit_code':null,'started':null,'duration_ms':0,'message':'',"
        "'output':''}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        json_t *object = json_of(rows[i]);
        struct outcome outcome = {.message = memory_copy_string("old"), .changed = true};

        outcome_from_json(&outcome, object);
        json_decref(object);
        assert_json(shown(&outcome), rows[i]);
        outcome_clear(&outcome);
    }
}

static void strange_outcomes_are_read_as_nothing(void **state)
{
    static const char *const rows[] = {
        "{}", "{'status':7,'exit_code':'0','started':1,'duration_ms':'x','message':[],'output':{}}",
        "[]", "null"};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        json_t *object = json_of(rows[i]);
        struct outcome outcome = {.exit_code = 7, .signal = 9, .duration_ms = 5};

        outcome_from_json(&outcome, object);
        json_decref(object);
        assert_json(shown(&outcome), "{'status':'pending','exit_code':null,'started':null,"
                                     "'duration_ms':0,'message':'','output':''}");
        outcome_clear(&outcome);
    }
}

static void problems_are_shown_with_their_place(void **state)
{
    AUTO_PROBLEMS struct problems problems = {0};
    struct error error = ERROR_INIT;

    (void)state;
    error_set(&error, ERROR_INPUT, "m");
    problems_add_warning(&problems, &error);
    error_hint(&error, "h");
    error_at(&error, "p", 3, 4);
    problems_add_error(&problems, &error);
    assert_int_equal(problems.errors, 1);
    assert_json(problems_to_json(&problems, NULL),
                "[{'severity':'warning','part':'','message':'m','hint':''},"
                "{'severity':'error','part':'p','line':3,'column':4,'message':'m','hint':'h'}]");
    problems_clear(&problems);
    problems_clear(NULL);
    assert_json(problems_to_json(&problems, NULL), "[]");
}

static void too_many_problems_are_counted_only(void **state)
{
    AUTO_PROBLEMS struct problems problems = {0};
    struct error error = ERROR_INIT;

    (void)state;
    error_set(&error, ERROR_INPUT, "m");
    for (int i = 0; i < PROBLEMS_MAX + 5; i++)
        problems_add_error(&problems, &error);
    assert_int_equal(problems.count, PROBLEMS_MAX);
    assert_int_equal(problems.errors, PROBLEMS_MAX + 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_begin_empty),
        cmocka_unit_test(part_shows_all_that_it_has),
        cmocka_unit_test(part_frequencies_and_their_names),
        cmocka_unit_test(states_and_their_names),
        cmocka_unit_test(steps_are_found_by_name),
        cmocka_unit_test(untouched_outcome),
        cmocka_unit_test(only_a_done_step_is_changed),
        cmocka_unit_test(any_output_is_shown),
        cmocka_unit_test(outcomes_come_back_as_they_went),
        cmocka_unit_test(strange_outcomes_are_read_as_nothing),
        cmocka_unit_test(problems_are_shown_with_their_place),
        cmocka_unit_test(too_many_problems_are_counted_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
