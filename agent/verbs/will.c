/* What each step of a plan will do, in words for people; see will.h. */
#include "verbs/will.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "verbs/settings_check.h"

enum { LINE_MAX_BYTES = 4096 };

/* By which member an item is known, in this order. */
static const char *const naming[] = {"name",    "path",         "device", "repo",
                                     "program", "target_group", "from",   "url"};

/* The text's first line, as much of it as fits, never half a character. */
static void add_text(struct buffer *out, const char *text)
{
    size_t whole = strlen(text), size = strcspn(text, "\r\n");

    if (size > WILL_TEXT_MAX) {
        size = WILL_TEXT_MAX;
        while (size && ((unsigned char)text[size] & 0xc0) == 0x80)
            size--;
    }
    buffer_append(out, text, size);
    if (size < whole)
        buffer_append_text(out, "…");
}

static void add_value(struct buffer *out, const json_t *value);

/* A command's words, or values without a name. */
static void add_words(struct buffer *out, const json_t *list)
{
    AUTO_BUFFER struct buffer words = BUFFER_INIT(LINE_MAX_BYTES);
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        if (words.size > WILL_TEXT_MAX)
            break;
        buffer_append_text(&words, i ? " " : "");
        if (json_is_string(item))
            buffer_append_text(&words, json_string_value(item));
        else
            add_value(&words, item);
    }
    add_text(out, buffer_text(&words));
}

/* A mapping by its name, or else by its keys. */
static void add_mapping(struct buffer *out, const json_t *object)
{
    const char *key;
    json_t *value;
    bool first = true;

    for (size_t i = 0; i < ARRAY_SIZE(naming); i++) {
        const char *name = json_text_of(object, naming[i], NULL);

        if (name) {
            add_text(out, name);
            return;
        }
    }
    json_object_foreach((json_t *)object, key, value)
    {
        buffer_append_text(out, first ? "" : " ");
        add_text(out, key);
        first = false;
    }
}

static void add_value(struct buffer *out, const json_t *value)
{
    if (json_is_string(value)) {
        add_text(out, json_string_value(value));
    } else if (json_is_array(value)) {
        add_words(out, value);
    } else if (json_is_object(value)) {
        add_mapping(out, value);
    } else {
        AUTO_FREE char *text = memory_need(json_dumps(value, JSON_ENCODE_ANY));

        buffer_append_text(out, text);
    }
}

static void add_list(struct buffer *out, const json_t *list)
{
    size_t count = json_array_size(list), named = count < WILL_NAMED_MAX ? count : WILL_NAMED_MAX;

    for (size_t i = 0; i < named; i++) {
        buffer_append_text(out, i ? ", " : "");
        add_value(out, json_array_get(list, i));
    }
    if (!count)
        buffer_append_text(out, "nothing");
    if (count > named)
        buffer_format(out, ", and %zu more", count - named);
}

static json_t *tell_key(const char *key, const json_t *value)
{
    AUTO_BUFFER struct buffer line = BUFFER_INIT(LINE_MAX_BYTES);

    buffer_format(&line, value ? "%s: " : "%s", key);
    if (!value) /* what was not checked is not shown */
        return json_lossy_string(buffer_text(&line), line.size);
    if (json_is_array(value))
        add_list(&line, value);
    else
        add_value(&line, value);
    return json_lossy_string(buffer_text(&line), line.size);
}

/* What is shown of a list's items, as far as the step has them: the others are baked. The items
 * are the very ones of the config, in its order. */
static json_t *same_items(const json_t *all, const json_t *own, const json_t *shown)
{
    json_t *list = memory_need(json_array());
    size_t next = 0;

    for (size_t i = 0; i < json_array_size(all) && next < json_array_size(own); i++) {
        if (json_array_get(all, i) != json_array_get(own, next))
            continue;
        json_add(list, json_incref(json_array_get(shown, i)));
        next++;
    }
    return list;
}

static json_t *tell_settings(const struct step *step, const json_t *config, const json_t *shown)
{
    json_t *will = memory_need(json_array()), *own;
    const char *key;

    json_object_foreach(step->settings, key, own)
    {
        const json_t *all = json_object_get(config, key), *value = json_object_get(shown, key);
        AUTO_JSON json_t *some = json_is_array(own) && json_is_array(value) && own != all
                                     ? same_items(all, own, value)
                                     : NULL;

        json_add(will, tell_key(key, some ? some : value));
    }
    if (step->module->has_prepare)
        json_add(will, json_string("what it needs is fetched ahead, beside the steps before it"));
    return will;
}

static json_t *tell_part(const struct part *part)
{
    json_t *will = memory_need(json_array());
    AUTO_FREE char *text = memory_format("run the %s part, %zu bytes%s", part->type, part->size,
                                         part->detach ? ", without waiting for it" : "");

    json_add(will, json_string(text));
    return will;
}

void will_tell(struct launch *launch)
{
    struct steps *steps = &launch->plan.steps;
    AUTO_JSON json_t *shown = NULL;

    for (size_t i = 0; i < steps->count; i++) {
        struct step *step = &steps->items[i];

        if (!step->run)
            continue;
        if (!step->part && !shown)
            shown = settings_shown(&launch->user, &launch->schemas);
        json_decref(step->will);
        step->will =
            step->part ? tell_part(step->part) : tell_settings(step, launch->user.config, shown);
    }
}
