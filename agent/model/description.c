/* A module's description: what it is called, what it owns, how often and when it runs. */
#include "model/description.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"

static const char *const frequency_names[] = {[BOOTLACE_PER_INSTANCE] = "per-instance",
                                              [BOOTLACE_PER_BOOT] = "per-boot",
                                              [BOOTLACE_ONCE] = "once"};
static const char *const stage_names[] = {[BOOTLACE_STAGE_MAIN] = "main",
                                          [BOOTLACE_STAGE_EARLY] = "early",
                                          [BOOTLACE_STAGE_INSTANCE] = "instance"};

enum { ORDER_DEFAULT = 500, ORDER_MAX = 1000, TIME_LIMIT_MAX = 7 * 24 * 3600 };

const char *description_frequency_name(enum bootlace_frequency frequency)
{
    return frequency_names[frequency];
}

const char *description_stage_name(enum bootlace_stage stage)
{
    return stage_names[stage];
}

/* The index of the member's text among names; 0 where the member is absent; -1 and an error. */
static int read_choice(const json_t *object, const char *member, const char *const *names,
                       size_t count, struct error *error)
{
    const json_t *value = json_object_get(object, member);
    const char *text = json_string_value(value);

    if (!value)
        return 0;
    for (size_t i = 0; text && i < count; i++) {
        if (strcmp(text, names[i]) == 0)
            return (int)i;
    }
    return error_set(error, ERROR_INPUT, "\"%s\" is not one of %s, %s%s%s", member, names[0],
                     names[1], count > 2 ? ", " : "", count > 2 ? names[2] : "");
}

static int check_strings(const json_t *object, const char *member, struct error *error)
{
    const json_t *list = json_object_get(object, member), *item;
    size_t i;

    if (list && !json_is_array(list))
        return error_set(error, ERROR_INPUT, "\"%s\" is not a list", member);
    json_array_foreach(list, i, item)
    {
        if (!json_is_string(item))
            return error_set(error, ERROR_INPUT, "\"%s\" has an item that is no string", member);
    }
    return 0;
}

/* A number in quotes, say, would silently be the default. */
static int check_kinds(const json_t *object, struct error *error)
{
    static const char *const numbers[] = {"order", "time_limit"};
    static const char *const flags[] = {"repeatable", "bakeable", "prepare",   "stop",
                                        "forget",     "no_limit", "essential", "also_early",
                                        "tree_state", "by_item"};

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        const json_t *value = json_object_get(object, numbers[i]);

        if (value && !json_is_integer(value))
            return error_set(error, ERROR_INPUT, "\"%s\" is no whole number", numbers[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        const json_t *value = json_object_get(object, flags[i]);

        if (value && !json_is_boolean(value))
            return error_set(error, ERROR_INPUT, "\"%s\" is neither true nor false", flags[i]);
    }
    return 0;
}

static bool name_is_good(const char *name)
{
    size_t length = name ? strlen(name) : 0;

    return length && length <= DESCRIPTION_NAME_MAX && name[0] != '-' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

static int check_shape(const json_t *object, struct error *error)
{
    int64_t interface = json_number_of(object, "interface", 0);
    const json_t *schema = json_object_get(object, "schema");

    if (!json_is_object(object))
        return error_set(error, ERROR_INPUT, "the description is no JSON object");
    if (interface != BOOTLACE_INTERFACE)
        return error_set(error, ERROR_INPUT, "it speaks interface %lld, this agent speaks %d",
                         (long long)interface, BOOTLACE_INTERFACE);
    if (!name_is_good(json_text_of(object, "name", NULL)))
        return error_set(error, ERROR_INPUT, "\"name\" is not [a-z0-9-]+ of at most %d",
                         DESCRIPTION_NAME_MAX);
    if (schema && !json_is_object(schema) && !json_is_null(schema) && !json_is_true(schema))
        return error_set(error, ERROR_INPUT, "\"schema\" is no object");
    if (check_kinds(object, error) < 0)
        return -1;
    if (check_strings(object, "keys", error) < 0 || check_strings(object, "types", error) < 0 ||
        check_strings(object, "reads", error) < 0 || check_strings(object, "metadata", error) < 0)
        return -1;
    return 0;
}

int description_parse(struct description *description, json_t *object, const char *path,
                      bool native, struct error *error)
{
    int frequency, stage;
    int64_t order, time_limit;

    if (check_shape(object, error) < 0)
        return -1;
    frequency =
        read_choice(object, "frequency", frequency_names, ARRAY_SIZE(frequency_names), error);
    stage = read_choice(object, "stage", stage_names, ARRAY_SIZE(stage_names), error);
    if (frequency < 0 || stage < 0)
        return -1;
    order = json_number_of(object, "order", ORDER_DEFAULT);
    if (order < 0 || order > ORDER_MAX)
        return error_set(error, ERROR_INPUT, "\"order\" is not within 0 and %d", ORDER_MAX);
    time_limit = json_number_of(object, "time_limit", 0);
    if (time_limit < 0 || time_limit > TIME_LIMIT_MAX)
        return error_set(error, ERROR_INPUT, "\"time_limit\" is not within 0 and %d seconds",
                         TIME_LIMIT_MAX);
    *description = (struct description){
        .name = memory_copy_string(json_text_of(object, "name", "")),
        .path = memory_copy_string(path),
        .native = native,
        .frequency = (enum bootlace_frequency)frequency,
        .stage = (enum bootlace_stage)stage,
        .order = (int)order,
        .repeatable = json_flag_of(object, "repeatable", false),
        .bakeable = json_flag_of(object, "bakeable", false),
        .has_prepare = json_flag_of(object, "prepare", false),
        .has_stop = json_flag_of(object, "stop", false),
        .has_forget = json_flag_of(object, "forget", false),
        .no_limit = json_flag_of(object, "no_limit", false),
        .essential = json_flag_of(object, "essential", false),
        .also_early = json_flag_of(object, "also_early", false),
        .tree_state = json_flag_of(object, "tree_state", false),
        .by_item = json_flag_of(object, "by_item", false),
        .time_limit = (unsigned)time_limit,
        .object = json_incref(object),
    };
    return 0;
}

void description_clear(struct description *description)
{
    if (!description)
        return;
    free(description->name);
    free(description->path);
    free(description->package);
    json_decref(description->object);
    *description = (struct description){0};
}

static json_t *strings_of(const char *const *strings)
{
    json_t *list = memory_need(json_array());

    for (; strings && *strings; strings++)
        json_add(list, json_string(*strings));
    return list;
}

json_t *description_of_native(const struct bootlace_module *module)
{
    json_t *object = memory_need(json_object());

    json_put_number(object, "interface", module->interface);
    json_put_text(object, "name", module->name);
    json_put_text(object, "version", module->version);
    json_put_text(object, "summary", module->summary);
    json_put(object, "keys", strings_of(module->keys));
    if (module->reads)
        json_put(object, "reads", strings_of(module->reads));
    json_put(object, "types", strings_of(module->types));
    json_put(object, "metadata", strings_of(module->metadata));
    if ((size_t)module->frequency < ARRAY_SIZE(frequency_names))
        json_put_text(object, "frequency", frequency_names[module->frequency]);
    if ((size_t)module->stage < ARRAY_SIZE(stage_names))
        json_put_text(object, "stage", stage_names[module->stage]);
    json_put_number(object, "order", module->order);
    json_put_flag(object, "repeatable", module->flags & BOOTLACE_REPEATABLE);
    json_put_flag(object, "bakeable", module->flags & BOOTLACE_BAKEABLE);
    json_put_flag(object, "no_limit", module->flags & BOOTLACE_NO_LIMIT);
    json_put_flag(object, "essential", module->flags & BOOTLACE_ESSENTIAL);
    json_put_flag(object, "also_early", module->flags & BOOTLACE_ALSO_EARLY);
    json_put_flag(object, "tree_state", module->flags & BOOTLACE_TREE_STATE);
    json_put_flag(object, "by_item", module->flags & BOOTLACE_BY_ITEM);
    json_put_number(object, "time_limit", module->time_limit);
    json_put_flag(object, "prepare", module->prepare != NULL);
    json_put_flag(object, "stop", module->stop != NULL);
    json_put_flag(object, "forget", module->forget != NULL);
    if (module->schema) {
        json_error_t details;
        json_t *schema = json_loads(module->schema, JSON_REJECT_DUPLICATES, &details);

        if (schema)
            json_put(object, "schema", schema);
    }
    return object;
}

static bool list_has(const json_t *object, const char *member, const char *text)
{
    const json_t *list = json_object_get(object, member), *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        if (strcmp(json_string_value(item), text) == 0)
            return true;
    }
    return false;
}

bool description_has_type(const struct description *description, const char *type)
{
    return !description->left_out && list_has(description->object, "types", type);
}

bool description_has_key(const struct description *description, const char *key)
{
    return !description->left_out && list_has(description->object, "keys", key);
}

const char *description_text(const struct description *description, const char *member)
{
    return json_text_of(description->object, member, "");
}
