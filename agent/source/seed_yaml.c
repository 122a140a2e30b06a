/* A seed's meta-data file, read by libyaml's events into a flat list of items. */
#include "source/seed_yaml.h"

#include "base/banned.h"
#include "base/buffer.h"
#include "base/memory.h"

#include <stdint.h>
#include <yaml.h>

enum { KEY_MAX = 128, VALUES_MAX = 1 << 20 };

struct reader {
    yaml_parser_t parser;
    struct seed_items *items;
    const char *name;
    struct error *error;
};

void seed_items_free(struct seed_items *items)
{
    for (size_t i = 0; i < items->count; i++) {
        free(items->items[i].path);
        free(items->items[i].value);
    }
    free(items->items);
    *items = (struct seed_items){.items = NULL};
}

void seed_items_add(struct seed_items *items, const char *path, const char *value)
{
    items->items = memory_grow(items->items, items->count, sizeof *items->items);
    items->items[items->count++] =
        (struct seed_item){.path = memory_copy_string(path), .value = memory_copy_string(value)};
}

const char *seed_items_find(const struct seed_items *items, const char *path)
{
    for (size_t i = 0; i < items->count; i++) {
        if (strcmp(items->items[i].path, path) == 0)
            return items->items[i].value;
    }
    return NULL;
}

/* Refuses what stands at a mark. */
static int refuse(struct reader *reader, const yaml_mark_t *mark, const char *reason)
{
    error_set(reader->error, ERROR_INPUT, "%s", reason);
    return error_at(reader->error, reader->name, (unsigned)mark->line + 1,
                    (unsigned)mark->column + 1);
}

static bool has_anchor(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return true;
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor;
    default:
        return false;
    }
}

/* The next event, which the caller deletes; -1 and nothing to delete where there is none. */
static int next(struct reader *reader, yaml_event_t *event)
{
    if (!yaml_parser_parse(&reader->parser, event)) {
        error_set(reader->error, ERROR_INPUT, "not valid YAML: %s",
                  reader->parser.problem ? reader->parser.problem : "unreadable");
        return error_at(reader->error, reader->name, (unsigned)reader->parser.problem_mark.line + 1,
                        (unsigned)reader->parser.problem_mark.column + 1);
    }
    if (has_anchor(event)) {
        refuse(reader, &event->start_mark, "anchors and aliases are not allowed here");
        yaml_event_delete(event);
        return -1;
    }
    return 0;
}

/* An unquoted scalar that means "nothing". */
static bool is_null(const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;

    return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (!*text || !strcmp(text, "~") || !strcmp(text, "null") || !strcmp(text, "Null") ||
            !strcmp(text, "NULL"));
}

static int check_scalar(struct reader *reader, const yaml_event_t *event)
{
    if (strlen((const char *)event->data.scalar.value) != event->data.scalar.length)
        return refuse(reader, &event->start_mark, "a NUL character is not allowed here");
    return 0;
}

static int add_item(struct reader *reader, const yaml_mark_t *mark, const char *path,
                    const char *value)
{
    if (reader->items->count >= SEED_ITEMS_MAX)
        return refuse(reader, mark, "there are too many items");
    if (seed_items_find(reader->items, path))
        return refuse(reader, mark, "this item is given twice");
    seed_items_add(reader->items, path, value);
    return 0;
}

/* Extends a path by a component; -1 where that makes no path. */
static int extend(struct reader *reader, const yaml_mark_t *mark, struct buffer *path,
                  const char *component)
{
    size_t length = strlen(component);

    if (!length || length > KEY_MAX)
        return refuse(reader, mark, "a name here has 1 to 128 characters");
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)component[i] < ' ' || component[i] == 0x7f)
            return refuse(reader, mark, "a name here has no control characters");
    }
    if (!buffer_format(path, "%s%s", path->size ? "/" : "", component))
        return refuse(reader, mark, "the names of this item are too long");
    return 0;
}

static void shorten(struct buffer *path, size_t size)
{
    path->size = size;
    if (path->bytes)
        path->bytes[size] = '\0';
}

static int read_node(struct reader *reader, const yaml_event_t *event, struct buffer *path,
                     unsigned depth);

/* The members of a mapping whose start was read. */
static int read_mapping(struct reader *reader, struct buffer *path, unsigned depth)
{
    size_t base = path->size;

    for (;;) {
        yaml_event_t key, value;
        int result;

        if (next(reader, &key) < 0)
            return -1;
        if (key.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&key);
            return 0;
        }
        result = key.type != YAML_SCALAR_EVENT
                     ? refuse(reader, &key.start_mark, "a name is expected here")
                     : check_scalar(reader, &key);
        if (result == 0)
            result = extend(reader, &key.start_mark, path, (const char *)key.data.scalar.value);
        yaml_event_delete(&key);
        if (result < 0 || next(reader, &value) < 0)
            return -1;
        result = read_node(reader, &value, path, depth + 1);
        yaml_event_delete(&value);
        if (result < 0)
            return -1;
        shorten(path, base);
    }
}

/* The elements of a list whose start was read: scalars together are one value. */
static int read_sequence(struct reader *reader, const yaml_mark_t *mark, struct buffer *path,
                         unsigned depth)
{
    AUTO_BUFFER struct buffer lines = BUFFER_INIT(VALUES_MAX);
    size_t base = path->size;

    for (unsigned index = 0;; index++) {
        char number[16];
        yaml_event_t event;
        yaml_event_type_t type;
        int result;

        if (next(reader, &event) < 0)
            return -1;
        type = event.type;
        if (type == YAML_SCALAR_EVENT) {
            result = check_scalar(reader, &event);
            if (result == 0 && !is_null(&event))
                buffer_format(&lines, "%s%s", lines.size ? "\n" : "",
                              (const char *)event.data.scalar.value);
        } else if (type != YAML_SEQUENCE_END_EVENT) {
            snprintf(number, sizeof number, "%u", index);
            result = extend(reader, &event.start_mark, path, number);
            if (result == 0)
                result = read_node(reader, &event, path, depth + 1);
            shorten(path, base);
        } else {
            result = lines.size ? add_item(reader, mark, buffer_text(path), lines.bytes) : 0;
        }
        yaml_event_delete(&event);
        if (result < 0 || type == YAML_SEQUENCE_END_EVENT)
            return result;
    }
}

static int read_node(struct reader *reader, const yaml_event_t *event, struct buffer *path,
                     unsigned depth)
{
    if (depth > SEED_DEPTH_MAX)
        return refuse(reader, &event->start_mark, "this is nested too deeply");
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        if (check_scalar(reader, event) < 0)
            return -1;
        return is_null(event) ? 0
                              : add_item(reader, &event->start_mark, buffer_text(path),
                                         (const char *)event->data.scalar.value);
    case YAML_MAPPING_START_EVENT:
        return read_mapping(reader, path, depth);
    default:
        return read_sequence(reader, &event->start_mark, path, depth);
    }
}

/* What begins a stream: its start, a document's start, and a mapping; or its end. */
static int read_stream(struct reader *reader)
{
    AUTO_BUFFER struct buffer path = BUFFER_INIT(SEED_PATH_MAX);
    bool root = false;

    for (;;) {
        yaml_event_t event;
        yaml_event_type_t type;
        int result = 0;

        if (next(reader, &event) < 0)
            return -1;
        type = event.type;
        if (type == YAML_DOCUMENT_START_EVENT && root)
            result = refuse(reader, &event.start_mark, "a second document is not allowed here");
        else if (type == YAML_MAPPING_START_EVENT)
            result = read_mapping(reader, &path, 1);
        else if (type == YAML_SEQUENCE_START_EVENT ||
                 (type == YAML_SCALAR_EVENT && !is_null(&event)))
            result = refuse(reader, &event.start_mark, "lines of \"name: value\" are expected");
        root = root || type == YAML_DOCUMENT_START_EVENT;
        yaml_event_delete(&event);
        if (result < 0 || type == YAML_STREAM_END_EVENT)
            return result;
    }
}

int seed_yaml_read(const char *text, size_t size, const char *name, struct seed_items *items,
                   struct error *error)
{
    struct reader reader = {.items = items, .name = name, .error = error};
    int result;

    if (!yaml_parser_initialize(&reader.parser))
        memory_exhausted();
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, size);
    result = read_stream(&reader);
    yaml_parser_delete(&reader.parser);
    return result;
}
