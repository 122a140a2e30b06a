/*
 * Values as programs take them; see dump.h.
 *
 * YAML is written with every key and text in double quotes, as JSON has them (YAML 1.2, section
 * 5.7: all of JSON's escapes are YAML's), so no text can be read as anything else.
 */
#include <support/dump.h>

#include <stdlib.h>

enum { INDENT = 2, DEPTH_MAX = 64 };

char *dump_word(const json_t *value)
{
    if (json_is_string(value))
        return text_format("%s", json_string_value(value));
    return text_need(json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT));
}

void dump_json(struct text *out, const json_t *object)
{
    char *text = text_need(json_dumps(object, JSON_INDENT(INDENT)));

    text_add_format(out, "%s\n", text);
    free(text);
}

static void add_scalar(struct text *out, const json_t *value)
{
    char *text = text_need(json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT));

    text_add_format(out, " %s\n", text);
    free(text);
}

static void add_value(struct text *out, const json_t *value, int depth)
{
    const json_t *child;
    const char *key;
    size_t i;

    if ((json_is_object(value) && json_object_size(value) && depth < DEPTH_MAX)) {
        text_add_string(out, depth ? "\n" : "");
        json_object_foreach((json_t *)value, key, child)
        {
            json_t *name = text_need(json_string(key));
            char *quoted = text_need(json_dumps(name, JSON_ENCODE_ANY));

            text_add_format(out, "%*s%s:", depth * INDENT, "", quoted);
            add_value(out, child, depth + 1);
            free(quoted);
            json_decref(name);
        }
    } else if (json_is_array(value) && json_array_size(value) && depth < DEPTH_MAX) {
        text_add_string(out, "\n");
        json_array_foreach(value, i, child)
        {
            text_add_format(out, "%*s-", depth * INDENT, "");
            add_value(out, child, depth + 1);
        }
    } else {
        add_scalar(out, value);
    }
}

void dump_yaml(struct text *out, const json_t *object)
{
    if (!json_object_size(object))
        text_add_string(out, "{}\n");
    else
        add_value(out, object, 0);
}
