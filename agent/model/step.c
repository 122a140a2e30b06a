/* A step: one module and what it is to do, and how that went. */
#include "model/step.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"

static const char *const state_names[] = {
    [STEP_PENDING] = "pending", [STEP_RUNNING] = "running", [STEP_DONE] = "done",
    [STEP_FAILED] = "failed",   [STEP_CUT_OFF] = "cut off", [STEP_SKIPPED] = "skipped"};

const char *step_state_name(enum step_state state)
{
    return state_names[state];
}

enum step_state step_state_of(const char *name)
{
    for (size_t i = 0; name && i < ARRAY_SIZE(state_names); i++) {
        if (strcmp(name, state_names[i]) == 0)
            return (enum step_state)i;
    }
    return STEP_PENDING;
}

const char *step_action(const struct step *step)
{
    return step->run ? "run" : step->is_baked ? "baked" : "skip";
}

struct step *steps_add(struct steps *steps)
{
    struct step *step;

    steps->items = memory_grow(steps->items, steps->count, sizeof *steps->items);
    step = &steps->items[steps->count++];
    *step = (struct step){.copy_fd = -1, .outcome = {.exit_code = -1}};
    return step;
}

void steps_cut(struct steps *steps, size_t count)
{
    while (steps->count > count) {
        struct step *step = &steps->items[--steps->count];

        free(step->name);
        free(step->reason);
        json_decref(step->settings);
        json_decref(step->will);
        json_decref(step->baked);
        outcome_clear(&step->outcome);
    }
}

void steps_clear(struct steps *steps)
{
    if (!steps)
        return;
    steps_cut(steps, 0);
    free(steps->items);
    *steps = (struct steps){0};
}

struct step *steps_find(const struct steps *steps, const char *name)
{
    for (size_t i = 0; i < steps->count; i++) {
        if (strcmp(steps->items[i].name, name) == 0)
            return &steps->items[i];
    }
    return NULL;
}

void outcome_clear(struct outcome *outcome)
{
    free(outcome->started);
    free(outcome->message);
    free(outcome->left);
    free(outcome->output);
    json_decref(outcome->items);
    *outcome = (struct outcome){.exit_code = -1};
}

void outcome_set_message(struct outcome *outcome, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        memory_exhausted();
    va_end(arguments);
    free(outcome->message);
    outcome->message = text;
}

void outcome_to_json(const struct outcome *outcome, json_t *object)
{
    json_put_text(object, "status", step_state_name(outcome->state));
    if (outcome->state == STEP_DONE)
        json_put_flag(object, "changed", outcome->changed);
    if (outcome->reboot)
        json_put_flag(object, "reboot", true);
    json_put(object, "exit_code",
             outcome->exit_code >= 0 ? json_integer(outcome->exit_code) : json_null());
    if (outcome->signal)
        json_put_number(object, "signal", outcome->signal);
    json_put(object, "started", outcome->started ? json_string(outcome->started) : json_null());
    json_put_number(object, "duration_ms", outcome->duration_ms);
    json_put_text(object, "message", outcome->message ? outcome->message : "");
    json_put_text(object, "left", outcome->left);
    json_put_text(object, "output", outcome->output ? outcome->output : "");
    if (json_array_size(outcome->items))
        json_put(object, "items", json_incref(outcome->items));
}

static char *text_member(const json_t *object, const char *member)
{
    const char *text = json_text_of(object, member, "");

    return *text ? memory_copy_string(text) : NULL;
}

void outcome_from_json(struct outcome *outcome, const json_t *object)
{
    outcome_clear(outcome);
    outcome->state = step_state_of(json_text_of(object, "status", NULL));
    outcome->changed = json_flag_of(object, "changed", false);
    outcome->reboot = json_flag_of(object, "reboot", false);
    outcome->exit_code = (int)json_number_of(object, "exit_code", -1);
    outcome->signal = (int)json_number_of(object, "signal", 0);
    outcome->started = text_member(object, "started");
    outcome->duration_ms = json_number_of(object, "duration_ms", 0);
    outcome->message = text_member(object, "message");
    outcome->left = text_member(object, "left");
    outcome->output = text_member(object, "output");
    outcome->items = json_incref(json_object_get(object, "items"));
}
