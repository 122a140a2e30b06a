/* Templates: the methods of texts and mappings, those that change nothing; see template.h. */
#include "config/template_parts.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"

static bool is_of(struct call *call, json_type type)
{
    if (json_typeof(call->subject) == type && call->subject != call->run->nothing)
        return true;
    template_refuse(call->run, call->node, "%s has no method \"%s\"",
                    template_kind(call->run, call->subject), call->node->entry->name);
    return false;
}

/* The filter of the same name does it; but it would take other values, too. */
static json_t *as_filter(struct call *call)
{
    const char *name = call->node->entry->name;

    return template_find_filter(name, strlen(name))->function(call);
}

static json_t *method_items(struct call *call)
{
    return is_of(call, JSON_OBJECT) ? as_filter(call) : NULL;
}

static json_t *method_keys(struct call *call)
{
    return is_of(call, JSON_OBJECT) ? template_items(call->run, call->node, call->subject) : NULL;
}

static json_t *method_values(struct call *call)
{
    AUTO_JSON json_t *list = memory_need(json_array());
    const char *key;
    json_t *item;

    if (!is_of(call, JSON_OBJECT))
        return NULL;
    json_object_foreach(call->subject, key, item)
    {
        if (template_push(call->run, call->node, list, json_incref(item)) < 0)
            return NULL;
    }
    return TAKE_POINTER(list);
}

static json_t *method_get(struct call *call)
{
    const char *name = "";
    json_t *value;

    if (!is_of(call, JSON_OBJECT) || template_text_argument(call, 0, &name) < 0)
        return NULL;
    value = template_member(call->subject, name, strlen(name));
    if (value)
        return json_incref(value);
    return call->arguments[1] ? json_incref(call->arguments[1]) : json_null();
}

/* Splits at white space, which counts as one however much it is; most: how often, -1 always. */
static json_t *split_at_space(struct call *call, json_int_t most)
{
    const char *text = json_string_value(call->subject);
    AUTO_JSON json_t *list = memory_need(json_array());

    for (;;) {
        size_t length = 0;

        while (template_is_space(*text))
            text++;
        if (!*text)
            return TAKE_POINTER(list);
        while (text[length] && (most == 0 || !template_is_space(text[length])))
            length++;
        if (template_push(call->run, call->node, list, json_stringn(text, length)) < 0)
            return NULL;
        text += length;
        most -= most > 0;
    }
}

static json_t *split_by(struct call *call, const char *by, json_int_t most)
{
    const char *text = json_string_value(call->subject);
    AUTO_JSON json_t *list = memory_need(json_array());

    for (; most != 0; most -= most > 0) {
        const char *found = strstr(text, by);

        if (!found)
            break;
        if (template_push(call->run, call->node, list, json_stringn(text, (size_t)(found - text))) <
            0)
            return NULL;
        text = found + strlen(by);
    }
    return template_push(call->run, call->node, list, json_string(text)) < 0 ? NULL
                                                                             : TAKE_POINTER(list);
}

static json_t *method_split(struct call *call)
{
    const char *by = NULL;
    json_int_t most = -1;

    if (!is_of(call, JSON_STRING) || template_integer_argument(call, 1, &most) < 0 ||
        (!json_is_null(call->arguments[0]) && template_text_argument(call, 0, &by) < 0) ||
        template_count_bytes(call->run, call->node, json_string_length(call->subject)) < 0)
        return NULL;
    if (most < 0)
        most = -1;
    if (by && !*by)
        return template_refuse(call->run, call->node, "split by an empty text");
    return by ? split_by(call, by, most) : split_at_space(call, most);
}

static json_t *method_splitlines(struct call *call)
{
    AUTO_JSON json_t *list = memory_need(json_array());
    const char *text;

    if (!is_of(call, JSON_STRING))
        return NULL;
    for (text = json_string_value(call->subject); *text;) {
        size_t length = strcspn(text, "\r\n");

        if (template_push(call->run, call->node, list, json_stringn(text, length)) < 0)
            return NULL;
        text += length;
        text += strncmp(text, "\r\n", 2) == 0 ? 2 : *text ? 1 : 0;
    }
    return TAKE_POINTER(list);
}

static json_t *method_startswith(struct call *call)
{
    const char *start = "";

    if (!is_of(call, JSON_STRING) || template_text_argument(call, 0, &start) < 0)
        return NULL;
    return json_boolean(strncmp(json_string_value(call->subject), start, strlen(start)) == 0);
}

static json_t *method_endswith(struct call *call)
{
    const char *end = "";
    size_t size, length;

    if (!is_of(call, JSON_STRING) || template_text_argument(call, 0, &end) < 0)
        return NULL;
    size = json_string_length(call->subject);
    length = strlen(end);
    return json_boolean(size >= length &&
                        strcmp(json_string_value(call->subject) + size - length, end) == 0);
}

/* Whether the character of that length is among those to strip. */
static bool strips(const char *at, size_t length, const char *characters)
{
    char one[8] = "";

    if (!characters)
        return length == 1 && template_is_space(*at);
    if (length >= sizeof one)
        return false;
    memcpy(one, at, length);
    return strstr(characters, one) != NULL;
}

json_t *template_strip(struct call *call, const json_t *subject, bool left, bool right)
{
    const char *characters = NULL, *text = json_string_value(subject);
    size_t from = 0, to = json_string_length(subject), length;

    if (!json_is_null(call->arguments[0]) && template_text_argument(call, 0, &characters) < 0)
        return NULL;
    while (left && from < to) {
        length = template_offset(text + from, to - from, 1);
        if (!strips(text + from, length, characters))
            break;
        from += length;
    }
    while (right && to > from) {
        length = 1;
        while (to - length > from && (text[to - length] & 0xc0) == 0x80)
            length++;
        if (!strips(text + to - length, length, characters))
            break;
        to -= length;
    }
    return template_string(call->run, call->node, text + from, to - from);
}

static json_t *method_strip(struct call *call)
{
    return is_of(call, JSON_STRING) ? template_strip(call, call->subject, true, true) : NULL;
}

static json_t *method_lstrip(struct call *call)
{
    return is_of(call, JSON_STRING) ? template_strip(call, call->subject, true, false) : NULL;
}

static json_t *method_rstrip(struct call *call)
{
    return is_of(call, JSON_STRING) ? template_strip(call, call->subject, false, true) : NULL;
}

static json_t *method_of_text(struct call *call)
{
    return is_of(call, JSON_STRING) ? as_filter(call) : NULL;
}

static json_t *method_join(struct call *call)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(TEMPLATE_TEXT_MAX);
    AUTO_JSON json_t *items = NULL;

    if (!is_of(call, JSON_STRING) ||
        !(items = template_items(call->run, call->node, call->arguments[0])))
        return NULL;
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);

        if (!json_is_string(item))
            return template_refuse(call->run, call->node, "join of texts finds %s",
                                   template_kind(call->run, item));
        if ((i && template_print(call->run, call->node, call->subject, &text) < 0) ||
            template_print(call->run, call->node, item, &text) < 0)
            return NULL;
    }
    return template_string(call->run, call->node, buffer_text(&text), text.size);
}

const struct template_entry *template_find_method(const char *name, size_t size)
{
    static const struct template_entry methods[] = {
        {.name = "items", .function = method_items},
        {.name = "keys", .function = method_keys},
        {.name = "values", .function = method_values},
        {.name = "get", .function = method_get, .least = 1, .most = 2},
        {.name = "split", .function = method_split, .most = 2, .named = {"sep", "maxsplit"}},
        {.name = "splitlines", .function = method_splitlines},
        {.name = "startswith", .function = method_startswith, .least = 1, .most = 1},
        {.name = "endswith", .function = method_endswith, .least = 1, .most = 1},
        {.name = "strip", .function = method_strip, .most = 1},
        {.name = "lstrip", .function = method_lstrip, .most = 1},
        {.name = "rstrip", .function = method_rstrip, .most = 1},
        {.name = "join", .function = method_join, .least = 1, .most = 1},
        {.name = "lower", .function = method_of_text},
        {.name = "upper", .function = method_of_text},
        {.name = "capitalize", .function = method_of_text},
        {.name = "replace", .function = method_of_text, .least = 2, .most = 3},
    };

    return template_find(methods, ARRAY_SIZE(methods), name, size);
}
