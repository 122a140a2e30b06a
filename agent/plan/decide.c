/*
 * Whether each step is to be run now, by its frequency and by what the journal says of it.
 *
 * The rule, for a step that the journal knows: done is done. Failed and cut off are tried again
 * where the module calls itself repeatable, or where settings say so (on_failure: retry,
 * on_interrupt: rerun); the user's own scripts are not, since half a script run twice may do harm
 * that nobody foresaw. A per-boot step begins anew at each boot, whatever became of it before.
 */
#include "plan/decide.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "plan/difference.h"

static void decide(struct step *step, bool run, const char *reason)
{
    free(step->reason);
    step->run = run;
    step->reason = memory_copy_string(reason);
}

static bool setting_is(const struct step *step, const struct plan_request *request,
                       const char *name, const char *value)
{
    const json_t *settings = json_object_get(request->module_settings, step->module->name);

    return strcmp(json_text_of(settings, name, ""), value) == 0;
}

static const json_t *entry_of(const struct step *step, const struct plan_request *request)
{
    const json_t *history =
        step->frequency == BOOTLACE_ONCE ? request->history_once : request->history;

    return json_object_get(history, step->name);
}

static void decide_cut_off(struct step *step, const struct plan_request *request)
{
    if (step->module->repeatable || setting_is(step, request, "on_interrupt", "rerun"))
        decide(step, true, "cut off before; run again");
    else
        decide(step, false, "cut off before; run again only by --rerun");
}

static void decide_known(struct step *step, const struct plan_request *request, const json_t *entry)
{
    bool changed = strcmp(json_text_of(entry, "digest", ""), step->digest) != 0;
    const char *when = step->frequency == BOOTLACE_PER_BOOT ? "in this boot"
                       : step->frequency == BOOTLACE_ONCE   ? "on this system"
                                                            : "for this instance";
    AUTO_FREE char *reason = NULL;

    switch (step_state_of(json_text_of(entry, "status", NULL))) {
    case STEP_RUNNING:
        if (request->under_way)
            decide(step, false, "running now");
        else
            decide_cut_off(step, request);
        break;
    case STEP_DONE:
        reason = memory_format("done already %s%s", when,
                               changed ? ", with other content; again by --rerun changed" : "");
        decide(step, false, reason);
        break;
    case STEP_FAILED:
        if (step->module->repeatable || setting_is(step, request, "on_failure", "retry"))
            decide(step, true, "failed before; tried again");
        else
            decide(step, false, "failed before; run again only by --rerun");
        break;
    default:
        decide_cut_off(step, request);
        break;
    }
}

static void decide_one(struct step *step, const struct plan_request *request)
{
    const json_t *entry = entry_of(step, request);
    bool this_boot = strcmp(json_text_of(entry, "boot_id", ""), request->boot_id) == 0;

    if (entry && (step->frequency != BOOTLACE_PER_BOOT || this_boot))
        decide_known(step, request, entry);
    else if (!entry && request->user_data_changed)
        decide(step, false, "new in the changed user-data; run by --rerun changed");
    else if (step->frequency == BOOTLACE_PER_BOOT)
        decide(step, true, "runs at every boot");
    else if (step->frequency == BOOTLACE_ONCE)
        decide(step, true, "not yet run on this system");
    else
        decide(step, true, "not yet run for this instance");
}

/* What has other content than it had when it was run, or was not there then. */
static void rerun_changed(struct steps *steps, const struct plan_request *request)
{
    for (size_t i = 0; i < steps->count; i++) {
        struct step *step = &steps->items[i];
        const json_t *entry = entry_of(step, request);

        if (!entry && request->user_data_changed)
            decide(step, true, "new in the changed user-data");
        else if (entry && strcmp(json_text_of(entry, "digest", ""), step->digest) != 0)
            decide(step, true, "changed since it was run");
    }
}

/* By name, or among others: then it is done whole. */
static void ask(struct step *step, const char *reason)
{
    step->asked = true;
    decide(step, true, reason);
}

static int rerun(struct steps *steps, const struct steps *all_steps,
                 const struct plan_request *request, const char *what, struct error *error)
{
    bool all = strcmp(what, "all") == 0, failed = strcmp(what, "failed") == 0;
    struct step *step;

    for (size_t i = 0; (all || failed) && i < steps->count; i++) {
        enum step_state state =
            step_state_of(json_text_of(entry_of(&steps->items[i], request), "status", NULL));

        if (all || state == STEP_FAILED || state == STEP_RUNNING || state == STEP_CUT_OFF)
            ask(&steps->items[i], all ? "--rerun all" : "--rerun failed");
    }
    if (strcmp(what, "changed") == 0)
        rerun_changed(steps, request);
    if (all || failed || strcmp(what, "changed") == 0)
        return 0;
    step = steps_find(steps, what);
    if (!step && (request->stage == BOOTLACE_STAGE_INSTANCE || request->essentials_alone ||
                  steps_find(all_steps, what)))
        return 0;
    if (!step) {
        error_set(error, ERROR_USAGE, "there is no step named \"%.100s\"", what);
        return error_hint(error, "`bootlace plan` lists the steps");
    }
    ask(step, "asked for by --rerun");
    return 0;
}

/* What is in the image already is not done again; it counts as long as this instance has done
 * nothing of the step itself. */
static void take_baked(struct step *step, const struct plan_request *request)
{
    if (step->run && !step->asked && step->settings && step->module->bakeable &&
        step->frequency == BOOTLACE_PER_INSTANCE && !entry_of(step, request))
        difference_take(step, request->baked);
}

/* What wants a running machine is left for the instance that the image is launched as. */
static void leave_for_launch(struct steps *steps, const struct plan_request *request)
{
    for (size_t i = 0; i < steps->count; i++) {
        if (!steps->items[i].module->bakeable)
            decide(&steps->items[i], false, "left for the launch: it wants a running machine");
        else if (steps->items[i].run && steps->items[i].settings)
            difference_leave(&steps->items[i], request->templated);
    }
}

int decide_from(struct steps *steps, size_t first, const struct plan_request *request,
                struct error *error)
{
    struct steps fresh = {.items = steps->items + first, .count = steps->count - first};

    for (size_t i = 0; i < fresh.count; i++)
        decide_one(&fresh.items[i], request);
    for (const char *const *what = request->rerun; what && *what; what++) {
        if (rerun(&fresh, steps, request, *what, error) < 0)
            return -1;
    }
    for (size_t i = 0; request->baked && i < fresh.count; i++)
        take_baked(&fresh.items[i], request);
    if (request->in_image)
        leave_for_launch(&fresh, request);
    return 0;
}
