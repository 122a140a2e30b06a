/* YAML, by libyaml, as JSON values; see yaml.h for what is read how. */
#include "config/yaml.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <strings.h>
#include <yaml.h>

struct anchor {
    char *name;
    json_t *value; /* owned reference */
    size_t nodes;
};

struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the one being looked at */
    bool have_event;
    const char *where;
    struct error *error;
    struct anchor *anchors;
    size_t anchor_count;
    size_t nodes;
    unsigned depth;
};

static void take_event(struct reader *reader)
{
    if (reader->have_event)
        yaml_event_delete(&reader->event);
    reader->have_event = false;
}

static int refuse_at(struct reader *reader, yaml_mark_t mark)
{
    return error_at(reader->error, reader->where, (unsigned)mark.line + 1,
                    (unsigned)mark.column + 1);
}

static int refuse(struct reader *reader, const char *message, const char *hint)
{
    error_set(reader->error, ERROR_INPUT, "%s", message);
    if (hint)
        error_hint(reader->error, "%s", hint);
    return refuse_at(reader, reader->event.start_mark);
}

static int next_event(struct reader *reader)
{
    take_event(reader);
    if (yaml_parser_parse(&reader->parser, &reader->event)) {
        reader->have_event = true;
        return 0;
    }
    error_set(reader->error, ERROR_INPUT, "not valid YAML: %s%s%s",
              reader->parser.problem ? reader->parser.problem : "out of memory",
              reader->parser.context ? ", " : "",
              reader->parser.context ? reader->parser.context : "");
    return refuse_at(reader, reader->parser.problem_mark);
}

/* Every value counts, and one that an alias repeats counts again: a bomb stays small. */
static int count_nodes(struct reader *reader, size_t count)
{
    reader->nodes += count;
    if (reader->nodes > YAML_NODES_MAX)
        return refuse(reader, "too many values", NULL);
    return 0;
}

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++) {
        if (strcmp(text, *words) == 0)
            return true;
    }
    return false;
}

/* Integers of YAML 1.1: 12, -7, 0x1f, 0o17, 017, 1_000. NULL where it is none. */
static json_t *read_integer(const char *text)
{
    char digits[32];
    size_t count = 0;
    const char *c = text;
    bool negative = *c == '-';
    int base = 10;
    long long value;
    char *end;

    if (*c == '-' || *c == '+')
        c++;
    if (c[0] == '0' && (c[1] == 'x' || c[1] == 'o')) {
        base = c[1] == 'x' ? 16 : 8;
        c += 2;
    } else if (c[0] == '0' && c[1]) {
        base = 8;
        c++;
    }
    for (; *c; c++) {
        if (*c == '_')
            continue;
        if (count + 1 >= sizeof digits || !strchr("0123456789abcdefABCDEF", *c))
            return NULL;
        digits[count++] = *c;
    }
    digits[count] = '\0';
    errno = 0;
    value = strtoll(digits, &end, base);
    if (!count || *end || errno)
        return NULL;
    return json_integer(negative ? -value : value);
}

static json_t *read_float(const char *text)
{
    size_t length = strlen(text);
    double value;
    char *end;

    if (strspn(text, "+-0123456789.eE") != length || !strchr(text, '.') ||
        !strpbrk(text, "0123456789"))
        return NULL;
    value = strtod(text, &end);
    return *end || !isfinite(value) ? NULL : json_real(value);
}

static json_t *plain_scalar(const char *text, size_t size)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", "yes", "Yes",
                                        "YES",  "on",   "On",   "ON",  NULL};
    static const char *const falses[] = {"false", "False", "FALSE", "no",  "No",
                                         "NO",    "off",   "Off",   "OFF", NULL};
    json_t *value = NULL;

    if (is_one_of(text, nulls))
        return json_null();
    if (is_one_of(text, trues) || is_one_of(text, falses))
        return json_boolean(is_one_of(text, trues));
    if (strchr("+-.0123456789", *text))
        value = read_integer(text);
    if (!value && strchr("+-.0123456789", *text))
        value = read_float(text);
    return value ? value : json_stringn(text, size);
}

static json_t *scalar(struct reader *reader)
{
    const char *text = (const char *)reader->event.data.scalar.value;
    size_t size = reader->event.data.scalar.length;
    const char *tag = (const char *)reader->event.data.scalar.tag;
    bool plain = reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    json_t *value;

    if (tag && strcmp(tag, YAML_STR_TAG) != 0 && strcmp(tag, "!") != 0) {
        refuse(reader, "a tag that is not known here", "remove the ! word before the value");
        return NULL;
    }
    value = plain && !tag ? plain_scalar(text, size) : json_stringn(text, size);
    if (!value)
        refuse(reader, "text that is not UTF-8", NULL);
    return value;
}

static json_t *read_value(struct reader *reader);

static json_t *read_sequence(struct reader *reader)
{
    AUTO_JSON json_t *list = memory_need(json_array());

    for (;;) {
        json_t *item;

        if (next_event(reader) < 0)
            return NULL;
        if (reader->event.type == YAML_SEQUENCE_END_EVENT)
            return TAKE_POINTER(list);
        item = read_value(reader);
        if (!item)
            return NULL;
        json_add(list, item);
    }
}

static json_t *read_mapping(struct reader *reader)
{
    AUTO_JSON json_t *object = memory_need(json_object());

    for (;;) {
        AUTO_FREE char *key = NULL;
        json_t *value;

        if (next_event(reader) < 0)
            return NULL;
        if (reader->event.type == YAML_MAPPING_END_EVENT)
            return TAKE_POINTER(object);
        if (reader->event.type != YAML_SCALAR_EVENT) {
            refuse(reader, "a key that is no word", NULL);
            return NULL;
        }
        key = memory_copy_string((const char *)reader->event.data.scalar.value);
        if (json_object_get(object, key)) {
            refuse(reader, "a key that stands twice in the same mapping",
                   "the first would be lost: put both values under one key");
            return NULL;
        }
        if (next_event(reader) < 0)
            return NULL;
        value = read_value(reader);
        if (!value)
            return NULL;
        if (json_object_set_new(object, key, value) < 0) {
            refuse(reader, "a key that is not UTF-8", NULL);
            return NULL;
        }
    }
}

static json_t *read_alias(struct reader *reader)
{
    const char *name = (const char *)reader->event.data.alias.anchor;

    /* The latest anchor of a name counts. */
    for (size_t i = reader->anchor_count; i-- > 0;) {
        if (strcmp(reader->anchors[i].name, name) == 0) {
            if (count_nodes(reader, reader->anchors[i].nodes) < 0)
                return NULL;
            return memory_need(json_deep_copy(reader->anchors[i].value));
        }
    }
    refuse(reader, "an alias whose anchor does not stand before it", NULL);
    return NULL;
}

static int keep_anchor(struct reader *reader, char *name, json_t *value, size_t nodes)
{
    if (reader->anchor_count >= YAML_ANCHORS_MAX)
        return refuse(reader, "too many anchors", NULL);
    reader->anchors = memory_grow(reader->anchors, reader->anchor_count, sizeof *reader->anchors);
    reader->anchors[reader->anchor_count++] = (struct anchor){
        .name = memory_copy_string(name), .value = json_incref(value), .nodes = nodes};
    return 0;
}

static const char *anchor_of(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return (const char *)event->data.scalar.anchor;
    case YAML_SEQUENCE_START_EVENT:
        return (const char *)event->data.sequence_start.anchor;
    case YAML_MAPPING_START_EVENT:
        return (const char *)event->data.mapping_start.anchor;
    default:
        return NULL;
    }
}

/* The value that begins with the current event. */
static json_t *read_value(struct reader *reader)
{
    const char *anchor = anchor_of(&reader->event);
    AUTO_FREE char *name = anchor ? memory_copy_string(anchor) : NULL;
    size_t before = reader->nodes;
    json_t *value = NULL;

    if (count_nodes(reader, 1) < 0)
        return NULL;
    if (++reader->depth > YAML_DEPTH_MAX) {
        refuse(reader, "nested too deeply", NULL);
        return NULL;
    }
    switch (reader->event.type) {
    case YAML_ALIAS_EVENT:
        value = read_alias(reader);
        break;
    case YAML_SCALAR_EVENT:
        value = scalar(reader);
        break;
    case YAML_SEQUENCE_START_EVENT:
        value = read_sequence(reader);
        break;
    case YAML_MAPPING_START_EVENT:
        value = read_mapping(reader);
        break;
    default:
        refuse(reader, "something that is no value", NULL);
        break;
    }
    reader->depth--;
    if (value && name && keep_anchor(reader, name, value, reader->nodes - before) < 0) {
        json_decref(value);
        return NULL;
    }
    return value;
}

static json_t *read_document(struct reader *reader)
{
    AUTO_JSON json_t *value = NULL;

    do {
        if (next_event(reader) < 0)
            return NULL;
        if (reader->event.type == YAML_STREAM_END_EVENT)
            return json_null();
    } while (reader->event.type != YAML_DOCUMENT_START_EVENT);
    if (next_event(reader) < 0)
        return NULL;
    value = read_value(reader);
    if (!value || next_event(reader) < 0 || next_event(reader) < 0)
        return NULL;
    if (reader->event.type != YAML_STREAM_END_EVENT) {
        refuse(reader, "a second document", "only one is read: remove the --- before it");
        return NULL;
    }
    return TAKE_POINTER(value);
}

json_t *yaml_parse(const char *text, size_t size, const char *where, struct error *error)
{
    struct reader reader = {.where = where, .error = error};
    json_t *value;

    if (!yaml_parser_initialize(&reader.parser))
        memory_exhausted();
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, size);
    value = read_document(&reader);
    take_event(&reader);
    yaml_parser_delete(&reader.parser);
    for (size_t i = 0; i < reader.anchor_count; i++) {
        free(reader.anchors[i].name);
        json_decref(reader.anchors[i].value);
    }
    free(reader.anchors);
    return value;
}
