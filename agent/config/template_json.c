/* Templates: values as JSON, as Jinja's tojson writes them; see template.h. */
#include "config/template_parts.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"

static int put(struct run *run, const struct node *node, struct buffer *out, const char *text)
{
    if (template_count_bytes(run, node, strlen(text)) < 0)
        return -1;
    if (buffer_append_text(out, text))
        return 0;
    template_refuse(run, node, "a text that grows too large");
    return -1;
}

/* The character at *text, which is valid UTF-8, and goes behind it. */
static unsigned long take_character(const char **text)
{
    static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    size_t length = template_offset(*text, strlen(*text) > 4 ? 4 : strlen(*text), 1);
    unsigned long code = (unsigned char)**text & masks[length];

    for (size_t i = 1; i < length; i++)
        code = code << 6 | ((unsigned char)(*text)[i] & 0x3f);
    *text += length;
    return code;
}

static int put_string(struct run *run, const struct node *node, const char *text,
                      struct buffer *out)
{
    static const char letters[] = "\n\r\t\b\f\\\"", names[] = "nrtbf\\\"";
    char escape[48];

    if (put(run, node, out, "\"") < 0)
        return -1;
    while (*text) {
        unsigned long code = take_character(&text);
        const char *letter = code < 0x80 ? strchr(letters, (int)code) : NULL;

        if (letter)
            snprintf(escape, sizeof escape, "\\%c", names[letter - letters]);
        else if (code > 0xffff)
            snprintf(escape, sizeof escape, "\\u%04lx\\u%04lx", 0xd7c0 + (code >> 10),
                     0xdc00 + (code & 0x3ff));
        else if (code < 0x20 || code > 0x7e || strchr("<>&'", (int)code))
            snprintf(escape, sizeof escape, code == 0x7f ? "\x7f" : "\\u%04lx", code);
        else
            snprintf(escape, sizeof escape, "%c", (char)code);
        if (put(run, node, out, escape) < 0)
            return -1;
    }
    return put(run, node, out, "\"");
}

/* A new line with its indentation, where there is any. */
static int put_line(struct run *run, const struct node *node, int indent, unsigned depth,
                    struct buffer *out)
{
    if (indent < 0)
        return 0;
    if (put(run, node, out, "\n") < 0)
        return -1;
    for (unsigned i = 0; i < (unsigned)indent * depth; i++) {
        if (put(run, node, out, " ") < 0)
            return -1;
    }
    return 0;
}

static int put_list(struct run *run, const struct node *node, const json_t *value, int indent,
                    unsigned depth, struct buffer *out)
{
    const char *comma = indent < 0 ? ", " : ",";

    if (!json_array_size(value))
        return put(run, node, out, "[]");
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (put(run, node, out, i ? comma : "[") < 0 ||
            put_line(run, node, indent, depth + 1, out) < 0 ||
            template_print_json(run, node, json_array_get(value, i), indent, depth + 1, out) < 0)
            return -1;
    }
    return put_line(run, node, indent, depth, out) < 0 ? -1 : put(run, node, out, "]");
}

static int by_name(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;

    return strcmp(*x, *y);
}

static int put_mapping(struct run *run, const struct node *node, const json_t *value, int indent,
                       unsigned depth, struct buffer *out)
{
    size_t count = 0, size = json_object_size(value);
    AUTO_FREE const char **keys = memory_zeroed(size, sizeof *keys);
    const char *key;
    json_t *item;

    if (!size)
        return put(run, node, out, "{}");
    if (template_count(run, node, size) < 0)
        return -1;
    /* jansson's macro wants an object that is not constant; nothing changes it. */
    json_object_foreach((json_t *)(uintptr_t)value, key, item) keys[count++] = key;
    qsort(keys, count, sizeof *keys, by_name);
    for (size_t i = 0; i < count; i++) {
        if (put(run, node, out,
                !i           ? "{"
                : indent < 0 ? ", "
                             : ",") < 0 ||
            put_line(run, node, indent, depth + 1, out) < 0 ||
            put_string(run, node, keys[i], out) < 0 || put(run, node, out, ": ") < 0 ||
            template_print_json(run, node, json_object_get(value, keys[i]), indent, depth + 1,
                                out) < 0)
            return -1;
    }
    return put_line(run, node, indent, depth, out) < 0 ? -1 : put(run, node, out, "}");
}

int template_print_json(struct run *run, const struct node *node, const json_t *value, int indent,
                        unsigned depth, struct buffer *out)
{
    if (depth > TEMPLATE_VALUE_DEPTH_MAX) {
        template_refuse(run, node, "a value that is nested too deeply");
        return -1;
    }
    if (template_count(run, node, 1) < 0)
        return -1;
    if (value == run->nothing) {
        template_refuse(run, node, "nothing has no JSON");
        return -1;
    }
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return put_mapping(run, node, value, indent, depth, out);
    case JSON_ARRAY:
        return put_list(run, node, value, indent, depth, out);
    case JSON_STRING:
        return put_string(run, node, json_string_value(value), out);
    case JSON_TRUE:
        return put(run, node, out, "true");
    case JSON_FALSE:
        return put(run, node, out, "false");
    case JSON_NULL:
        return put(run, node, out, "null");
    default:
        return template_print(run, node, value, out);
    }
}
