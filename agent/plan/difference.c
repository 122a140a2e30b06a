/* What a step has to do beside what was baked into the image; see difference.h. */
#include "plan/difference.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"

/* How many items there were, and how many are left. */
struct count {
    size_t all, left;
};

static void set_reason(struct step *step, bool run, char *reason)
{
    free(step->reason);
    step->reason = reason;
    step->run = run;
}

static void set_settings(struct step *step, json_t *settings)
{
    json_decref(step->settings);
    step->settings = settings;
}

static bool item_is_baked(const json_t *fact, const json_t *item)
{
    char digest[DIGEST_TEXT_MAX];

    return json_object_get(json_object_get(fact, "items"), json_digest(item, digest));
}

static bool value_is_baked(const json_t *fact, const json_t *value)
{
    char digest[DIGEST_TEXT_MAX];
    const json_t *item;
    size_t i;

    if (!json_is_array(value))
        return strcmp(json_text_of(fact, "whole", ""), json_digest(value, digest)) == 0;
    if (!json_object_get(fact, "items"))
        return false;
    json_array_foreach(value, i, item)
    {
        if (!item_is_baked(fact, item))
            return false;
    }
    return true;
}

/* The items that are not baked; a new reference. */
static json_t *rest_of(const json_t *fact, const json_t *list, struct count *count)
{
    json_t *rest = memory_need(json_array()), *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        if (!item_is_baked(fact, item))
            json_add(rest, json_incref(item));
    }
    count->all += json_array_size(list);
    count->left += json_array_size(rest);
    return rest;
}

void difference_take(struct step *step, const json_t *facts)
{
    const json_t *known = json_object_get(facts, step->module->name);
    json_t *settings = memory_need(json_object()), *baked = memory_need(json_array()), *value;
    struct count count = {0};
    const char *key;

    json_object_foreach(step->settings, key, value)
    {
        const json_t *fact = json_object_get(known, key);
        bool is_baked = value_is_baked(fact, value), by_item = step->module->by_item;

        if (is_baked)
            json_add(baked, json_string(key));
        if (!by_item || !json_is_array(value))
            json_put(settings, key, json_incref(value));
        else if (is_baked)
            count.all += json_array_size(value);
        else
            json_put(settings, key, rest_of(fact, value, &count));
    }
    if (json_object_size(step->settings) &&
        json_array_size(baked) == json_object_size(step->settings)) {
        step->is_baked = true;
        set_reason(step, false, memory_copy_string("done when the image was made"));
    } else if (count.left < count.all) {
        set_reason(step, true,
                   memory_format("not yet run for this instance; %zu of %zu items are baked",
                                 count.all - count.left, count.all));
    }
    if (!step->is_baked)
        set_settings(step, json_incref(settings));
    json_decref(settings);
    json_decref(step->baked);
    step->baked = baked;
}

/* The items that say the same in each instance; a new reference. */
static json_t *common_of(const json_t *list, const json_t *templated, struct count *count)
{
    json_t *common = memory_need(json_array()), *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        char index[32];

        snprintf(index, sizeof index, "%zu", i);
        if (!json_object_get(templated, index))
            json_add(common, json_incref(item));
    }
    count->all += json_array_size(list);
    count->left += json_array_size(common);
    return common;
}

void difference_leave(struct step *step, const json_t *templated)
{
    AUTO_JSON json_t *settings = memory_need(json_object());
    struct count count = {0};
    bool whole = false;
    const char *key;
    json_t *value;

    json_object_foreach(step->settings, key, value)
    {
        const json_t *places = json_object_get(templated, key);

        if (!places)
            json_put(settings, key, json_incref(value));
        else if (step->module->by_item && json_is_array(value) && json_is_object(places))
            json_put(settings, key, common_of(value, places, &count));
        else
            whole = true;
    }
    if (whole || (count.all && !count.left)) {
        set_reason(step, false,
                   memory_copy_string("left for the launch: it speaks of the instance"));
    } else if (count.all) {
        set_settings(step, json_incref(settings));
        set_reason(step, true,
                   memory_format("%s; %zu of %zu items speak of the instance and are left for the "
                                 "launch",
                                 step->reason, count.all - count.left, count.all));
    }
}
