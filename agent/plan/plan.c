/* plan: parts, the modules' descriptions and what the journal says, made an ordered list of steps.
 */
#include "plan/plan.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "plan/decide.h"

#include <math.h>

static const struct description *module_for_type(const struct plan_request *request,
                                                 const char *type)
{
    for (size_t i = 0; i < request->module_count; i++) {
        if (description_has_type(&request->modules[i], type))
            return &request->modules[i];
    }
    return NULL;
}

/* A name that no step has yet: the wanted one, or with -2, -3, … behind it. */
static char *free_name(const struct plan *plan, const char *wanted)
{
    char *name = memory_copy_string(wanted);

    for (unsigned i = 2; steps_find(&plan->steps, name); i++) {
        free(name);
        name = memory_format("%s-%u", wanted, i);
    }
    return name;
}

static enum bootlace_frequency frequency_of(const struct part *part,
                                            const struct description *module)
{
    switch (part ? part->frequency : PART_DEFAULT) {
    case PART_PER_INSTANCE:
        return BOOTLACE_PER_INSTANCE;
    case PART_PER_BOOT:
        return BOOTLACE_PER_BOOT;
    case PART_ONCE:
        return BOOTLACE_ONCE;
    case PART_DEFAULT:
        break;
    }
    return module->frequency;
}

static unsigned time_limit_of(const struct plan_request *request, const struct description *module)
{
    const json_t *settings = json_object_get(request->module_settings, module->name);
    const json_t *limit = json_object_get(settings, "time_limit");

    if (limit)
        return (unsigned)ceil(json_number_value(limit));
    if (module->time_limit)
        return module->time_limit;
    if (request->stage == BOOTLACE_STAGE_EARLY)
        return TIME_LIMIT_EARLY_S; /* logins wait for it */
    if (request->stage == BOOTLACE_STAGE_INSTANCE)
        return TIME_LIMIT_INSTANCE_S; /* and everything for this */
    return module->no_limit ? 0 : TIME_LIMIT_DEFAULT_S;
}

/* What tells whether the step is the same as the one that the journal knows. */
static void make_digest(struct step *step)
{
    struct digest digest;

    digest_init(&digest);
    digest_add_text(&digest, step->module->name);
    if (step->part) {
        digest_add_text(&digest, step->part->type);
        digest_add_text(&digest, step->part->arguments);
        digest_add(&digest, step->part->bytes, step->part->size);
    }
    if (step->settings) {
        AUTO_FREE char *text = json_dumps(step->settings, JSON_COMPACT | JSON_SORT_KEYS);

        digest_add_text(&digest, text);
    }
    digest_text(&digest, step->digest);
}

static struct step *add_step(struct plan *plan, const struct plan_request *request,
                             const char *name, const struct description *module,
                             const struct part *part)
{
    struct step *step;
    char *unique = free_name(plan, name);

    step = steps_add(&plan->steps);
    step->name = unique;
    step->module = module;
    step->part = part;
    step->frequency = frequency_of(part, module);
    step->stage = request->stage;
    step->time_limit = time_limit_of(request, module);
    return step;
}

static void refuse_part(struct plan *plan, const struct part *part,
                        const struct description *module)
{
    struct error error = ERROR_INIT;

    if (module) {
        error_set(&error, ERROR_INPUT, "the module %s, which takes %s, is not installed",
                  module->name, part->type);
        error_hint(&error, "install the package %s", module->package);
    } else {
        error_set(&error, ERROR_INPUT, "no module here takes %s", part->type);
        error_hint(&error, "`bootlace modules` lists what is installed");
    }
    error_at(&error, part->name, part->line, 0);
    problems_add_error(&plan->problems, &error);
}

static void refuse_parts(struct plan *plan, const struct plan_request *request)
{
    for (size_t i = 0; request->parts && i < request->parts->count; i++) {
        const struct part *part = &request->parts->items[i];
        const struct description *module = module_for_type(request, part->type);

        if (!part->merged && (!module || module->package))
            refuse_part(plan, part, module);
    }
}

/* The parts whose modules have this place in the order, as they came. */
static void plan_parts(struct plan *plan, const struct plan_request *request, int order)
{
    for (size_t i = 0; request->parts && i < request->parts->count; i++) {
        const struct part *part = &request->parts->items[i];
        const struct description *module = module_for_type(request, part->type);

        if (module && !module->package && !part->merged && module->order == order &&
            module->stage == request->stage)
            add_step(plan, request, part->name, module, part);
    }
}

/* Adds those of the description's keys that the configuration has. */
static void collect_settings(json_t *settings, const struct plan_request *request,
                             const struct description *module, const char *member)
{
    const json_t *keys = json_object_get(module->object, member), *item;
    size_t i;

    json_array_foreach(keys, i, item)
    {
        json_t *value = json_object_get(request->config, json_string_value(item));

        if (value)
            json_put(settings, json_string_value(item), json_incref(value));
    }
}

/* A module without keys and types runs always, and so does what the image owes its people. */
static bool runs_always(const struct plan_request *request, const struct description *module)
{
    if (module->essential)
        return request->essentials;
    return !json_array_size(json_object_get(module->object, "keys")) &&
           !json_array_size(json_object_get(module->object, "reads")) &&
           !json_array_size(json_object_get(module->object, "types"));
}

/* All keys of a module together are one step, those that it only reads among them. */
static void plan_module(struct plan *plan, const struct plan_request *request,
                        const struct description *module)
{
    bool always = runs_always(request, module);
    json_t *settings;
    struct step *step;

    if (request->essentials_alone && !(module->essential && always))
        return;
    settings = memory_need(json_object());
    collect_settings(settings, request, module, "keys");
    collect_settings(settings, request, module, "reads");
    if (!always && !json_object_size(settings)) {
        json_decref(settings);
        return;
    }
    step = add_step(plan, request, module->name, module, NULL);
    step->settings = settings;
}

static int compare_order(const void *left, const void *right)
{
    const struct description *a = *(const struct description *const *)left;
    const struct description *b = *(const struct description *const *)right;

    return a->order != b->order ? (a->order < b->order ? -1 : 1) : strcmp(a->name, b->name);
}

/*
 * Steps come in the order of their modules. Parts whose modules have the same place keep their own
 * order, before the settings of that place.
 */
static void plan_all(struct plan *plan, const struct plan_request *request)
{
    AUTO_FREE const struct description **sorted =
        memory_zeroed(request->module_count, sizeof *sorted);

    refuse_parts(plan, request);
    for (size_t i = 0; i < request->module_count; i++)
        sorted[i] = &request->modules[i];
    qsort(sorted, request->module_count, sizeof *sorted, compare_order);
    for (size_t i = 0; i < request->module_count; i++) {
        if (i == 0 || sorted[i]->order != sorted[i - 1]->order)
            plan_parts(plan, request, sorted[i]->order);
        if (sorted[i]->left_out || sorted[i]->package)
            continue;
        if (sorted[i]->stage == request->stage ||
            (sorted[i]->also_early && request->stage == BOOTLACE_STAGE_EARLY))
            plan_module(plan, request, sorted[i]);
    }
}

static void warn_of_strangers(struct plan *plan, const struct plan_request *request)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)request->module_settings, name, value)
    {
        struct error error = ERROR_INIT;
        bool known = false;

        for (size_t i = 0; i < request->module_count; i++)
            known = known || strcmp(request->modules[i].name, name) == 0;
        if (known)
            continue;
        error_set(&error, ERROR_INPUT, "the settings bootlace.modules.%.64s are for no module here",
                  name);
        error_hint(&error, "`bootlace modules` lists what is installed");
        problems_add_warning(&plan->problems, &error);
    }
}

int plan_make(struct plan *plan, const struct plan_request *request, struct error *error)
{
    size_t first = plan->steps.count;

    plan_all(plan, request);
    if (request->stage != BOOTLACE_STAGE_INSTANCE && !request->essentials_alone)
        warn_of_strangers(plan, request);
    for (size_t i = first; i < plan->steps.count; i++)
        make_digest(&plan->steps.items[i]);
    if (plan->steps.count > STEPS_MAX)
        return error_set(error, ERROR_INPUT, "more than %d steps", STEPS_MAX);
    return decide_from(&plan->steps, first, request, error);
}

void plan_clear(struct plan *plan)
{
    steps_clear(&plan->steps);
    problems_clear(&plan->problems);
}

size_t plan_count_runs(const struct plan *plan)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->steps.count; i++)
        count += plan->steps.items[i].run;
    return count;
}

json_t *plan_wanted_metadata(const struct plan *plan)
{
    AUTO_JSON json_t *seen = memory_need(json_object());
    json_t *wanted = memory_need(json_array());

    for (size_t i = 0; i < plan->steps.count; i++) {
        const struct step *step = &plan->steps.items[i];
        const json_t *list = json_object_get(step->module->object, "metadata"), *item;
        size_t j;

        json_array_foreach(list, j, item)
        {
            const char *path = json_string_value(item);

            if (step->run && !json_object_get(seen, path)) {
                json_put_flag(seen, path, true);
                json_add(wanted, json_string(path));
            }
        }
    }
    return wanted;
}

static json_t *step_to_json(const struct step *step)
{
    json_t *object = memory_need(json_object());

    json_put_text(object, "name", step->name);
    json_put_text(object, "module", step->module->name);
    json_put_text(object, "frequency", description_frequency_name(step->frequency));
    json_put_text(object, "action", step_action(step));
    json_put_text(object, "reason", step->reason);
    json_put(object, "will", step->will && step->run ? json_incref(step->will) : json_array());
    return object;
}

json_t *plan_to_json(const struct plan *plan, const char *file)
{
    json_t *object = memory_need(json_object()), *steps = memory_need(json_array());

    for (size_t i = 0; i < plan->steps.count; i++)
        json_add(steps, step_to_json(&plan->steps.items[i]));
    json_put(object, "steps", steps);
    json_put(object, "problems", problems_to_json(&plan->problems, file));
    return object;
}
