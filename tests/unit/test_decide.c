/*
 * Whether a step is run: every frequency, every state that the journal may have, every setting,
 * every --rerun, in the boot of the entry and in another.
 */
#include "plan_modules.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "plan/decide.h"

static const char *const frequencies[] = {"per-instance", "per-boot", "once"};
static const char *const states[] = {NULL, "done", "failed", "running", "cut off"};
static const char *const settings[] = {"{}", "{'x':{'on_failure':'retry'}}",
                                       "{'x':{'on_interrupt':'rerun'}}",
                                       "{'other':{'on_failure':'retry','on_interrupt':'rerun'}}"};
static const char *const reruns[] = {NULL, "all", "failed", "x", "y"};

/* One run of each setting: what becomes of a step whose entry counts, r = run. */
static const char *const by_state[] = {
    /*           keep  retry rerun other, then the same of a repeatable module */
    /* none */ "rrrr"
               "rrrr",
    /* done */
    "----"
    "----",
    /* failed */
    "-r--"
    "rrrr",
    /* running */
    "--r-"
    "rrrr",
    /* cut off */
    "--r-"
    "rrrr",
};

struct situation {
    unsigned frequency, state, setting, rerun;
    bool repeatable, this_boot;
};

static bool expected(const struct situation *s)
{
    /* What happened to a per-boot step in another boot does not count. */
    unsigned state = s->frequency == 1 && !s->this_boot ? 0 : s->state;
    const char *rerun = reruns[s->rerun];

    if (by_state[state][s->setting + (s->repeatable ? COUNT(settings) : 0)] == 'r')
        return true;
    return rerun && (strcmp(rerun, "all") == 0 || strcmp(rerun, "x") == 0 ||
                     (strcmp(rerun, "failed") == 0 && s->state >= 2));
}

static void add_step(struct steps *steps, const char *name, const struct description *module)
{
    struct step *step = steps_add(steps);

    step->name = memory_copy_string(name);
    step->module = module;
    step->frequency = module->frequency;
}

static json_t *history_of(const char *state, const char *boot_id)
{
    json_t *history = json_object(), *entry = json_object();

    if (!state) {
        json_decref(entry);
        return history;
    }
    json_put_text(entry, "status", state);
    json_put_text(entry, "boot_id", boot_id);
    json_put_text(entry, "digest", "d");
    json_put(history, "x", entry);
    return history;
}

static void check(const struct situation *s)
{
    AUTO_MODULES struct modules modules = {0};
    AUTO_JSON json_t *history = history_of(states[s->state], s->this_boot ? "this" : "other");
    AUTO_JSON json_t *wrong = history_of(s->state == 1 ? NULL : "done", "this");
    AUTO_JSON json_t *module_settings = json_of(settings[s->setting]);
    AUTO_FREE char *members =
        memory_format("'name':'x','frequency':'%s','repeatable':%s", frequencies[s->frequency],
                      s->repeatable ? "true" : "false");
    const char *rerun[] = {reruns[s->rerun], NULL};
    /* Of the two journals, the one that is not the frequency's says something else. */
    const struct plan_request request = {.boot_id = "this",
                                         .history = s->frequency == 2 ? wrong : history,
                                         .history_once = s->frequency == 2 ? history : wrong,
                                         .module_settings = module_settings,
                                         .rerun = rerun};
    struct steps steps = {0};
    struct error error = ERROR_INIT;

    modules_add(&modules, members);
    add_step(&steps, "x", &modules.items[0]);
    add_step(&steps, "y", &modules.items[0]);
    assert_int_equal(decide_from(&steps, 0, &request, &error), 0);
    if (steps.items[0].run != expected(s))
        fail_msg("%s, %s, %s, repeatable %d, --rerun %s, this boot %d: \"%s\"",
                 frequencies[s->frequency], states[s->state] ? states[s->state] : "unknown",
                 settings[s->setting], s->repeatable, reruns[s->rerun] ? reruns[s->rerun] : "none",
                 s->this_boot, steps.items[0].reason);
    steps_clear(&steps);
}

static void every_situation(void **state)
{
    struct situation s = {0};

    (void)state;
    for (s.frequency = 0; s.frequency < COUNT(frequencies); s.frequency++)
        for (s.state = 0; s.state < COUNT(states); s.state++)
            for (s.setting = 0; s.setting < COUNT(settings); s.setting++)
                for (s.rerun = 0; s.rerun < COUNT(reruns); s.rerun++)
                    for (unsigned i = 0; i < 4; i++) {
                        s.repeatable = i & 1;
                        s.this_boot = i & 2;
                        check(&s);
                    }
}

static void assert_reason(const char *frequency, const char *entry, const char *rerun, bool run,
                          const char *reason)
{
    AUTO_MODULES struct modules modules = {0};
    AUTO_JSON json_t *history = json_of(entry);
    AUTO_FREE char *members = memory_format("'name':'x','frequency':'%s'", frequency);
    const char *words[] = {rerun, NULL};
    const struct plan_request request = {.boot_id = "this",
                                         .history = history,
                                         .history_once = history,
                                         .rerun = rerun ? words : NULL};
    struct steps steps = {0};
    struct error error = ERROR_INIT;

    modules_add(&modules, members);
    add_step(&steps, "x", &modules.items[0]);
    snprintf(steps.items[0].digest, sizeof steps.items[0].digest, "d");
    assert_int_equal(decide_from(&steps, 0, &request, &error), 0);
    assert_string_equal(steps.items[0].reason, reason);
    assert_int_equal(steps.items[0].run, run);
    steps_clear(&steps);
}

static void reasons_are_told(void **state)
{
    static const char done[] = "{'x':{'status':'done','digest':'d','boot_id':'this'}}";
    static const char failed[] = "{'x':{'status':'failed','digest':'d'}}";

    (void)state;
    assert_reason("per-instance", "{}", NULL, true, "not yet run for this instance");
    assert_reason("per-boot", "{}", NULL, true, "runs at every boot");
    assert_reason("once", "{}", NULL, true, "not yet run on this system");
    assert_reason("per-instance", done, NULL, false, "done already for this instance");
    assert_reason("per-boot", done, NULL, false, "done already in this boot");
    assert_reason("once", done, NULL, false, "done already on this system");
    assert_reason("per-instance", failed, NULL, false, "failed before; run again only by --rerun");
    assert_reason("per-instance", "{'x':{'status':'running'}}", NULL, false,
                  "cut off before; run again only by --rerun");
    assert_reason("per-instance", done, "all", true, "--rerun all");
    assert_reason("per-instance", failed, "failed", true, "--rerun failed");
    assert_reason("per-instance", done, "x", true, "asked for by --rerun");
}

static void changed_content_is_told_and_not_run(void **state)
{
    (void)state;
    assert_reason("per-instance", "{'x':{'status':'done','digest':'e'}}", NULL, false,
                  "done already for this instance, with other content; again by --rerun changed");
    assert_reason("once", "{'x':{'status':'done','digest':'e'}}", NULL, false,
                  "done already on this system, with other content; again by --rerun changed");
}

static void unknown_steps_cannot_be_rerun(void **state)
{
    static const char *const words[] = {"all", "nosuch", NULL};
    const struct plan_request request = {.boot_id = "this", .rerun = words};
    AUTO_MODULES struct modules modules = {0};
    struct steps steps = {0};
    struct error error = ERROR_INIT;

    (void)state;
    modules_add(&modules, "'name':'x'");
    add_step(&steps, "x", &modules.items[0]);
    assert_int_equal(decide_from(&steps, 0, &request, &error), -1);
    assert_int_equal(error.kind, ERROR_USAGE);
    assert_says(&error, "\"nosuch\"");
    assert_says(&error, "bootlace plan");
    steps_clear(&steps);
}

static void several_reruns_add_up(void **state)
{
    static const char *const words[] = {"x", "failed", NULL};
    AUTO_JSON json_t *history =
        json_of("{'x':{'status':'done'},'y':{'status':'failed'},'z':{'status':'done'}}");
    const struct plan_request request = {.boot_id = "this", .rerun = words, .history = history};
    AUTO_MODULES struct modules modules = {0};
    struct steps steps = {0};
    struct error error = ERROR_INIT;

    (void)state;
    modules_add(&modules, "'name':'m'");
    add_step(&steps, "x", &modules.items[0]);
    add_step(&steps, "y", &modules.items[0]);
    add_step(&steps, "z", &modules.items[0]);
    assert_int_equal(decide_from(&steps, 0, &request, &error), 0);
    assert_true(steps.items[0].run);
    assert_true(steps.items[1].run);
    assert_false(steps.items[2].run);
    steps_clear(&steps);
}

static void what_changed_is_run_when_asked(void **state)
{
    static const char *const words[] = {"changed", NULL};
    AUTO_JSON json_t *history = json_of("{'same':{'status':'done','digest':''},"
                                        "'other':{'status':'done','digest':'old'},"
                                        "'failed':{'status':'failed','digest':'old'}}");
    struct plan_request request = {
        .boot_id = "this", .history = history, .user_data_changed = true};
    AUTO_MODULES struct modules modules = {0};
    struct steps steps = {0};
    struct error error = ERROR_INIT;

    (void)state;
    modules_add(&modules, "'name':'m'");
    add_step(&steps, "same", &modules.items[0]);
    add_step(&steps, "other", &modules.items[0]);
    add_step(&steps, "failed", &modules.items[0]);
    add_step(&steps, "new", &modules.items[0]);
    assert_int_equal(decide_from(&steps, 0, &request, &error), 0);
    for (size_t i = 0; i < steps.count; i++)
        assert_false(steps.items[i].run);
    assert_string_equal(steps.items[3].reason,
                        "new in the changed user-data; run by --rerun changed");
    request.rerun = words;
    assert_int_equal(decide_from(&steps, 0, &request, &error), 0);
    assert_false(steps.items[0].run);
    assert_true(steps.items[1].run);
    assert_true(steps.items[2].run);
    assert_true(steps.items[3].run);
    steps_clear(&steps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_situation),
        cmocka_unit_test(reasons_are_told),
        cmocka_unit_test(changed_content_is_told_and_not_run),
        cmocka_unit_test(unknown_steps_cannot_be_rerun),
        cmocka_unit_test(several_reruns_add_up),
        cmocka_unit_test(what_changed_is_run_when_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
