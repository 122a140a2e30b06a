/* YAML, by libyaml, as JSON values; see yaml.h for what is read how. */
#include "config/yaml.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "config/scalar.h"

#include <stdbool.h>
#include <yaml.h>

struct anchor {
    json_t *value; /* owned reference */
    size_t nodes;
    unsigned height; /* of its value, 1 for a scalar */
};

struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the one being looked at */
    bool have_event;
    const char *where;
    struct error *error;
    struct positions *positions; /* or NULL */
    json_t *names;               /* anchors' names -> the latest anchor's index */
    struct anchor *anchors;
    size_t anchor_count;
    size_t nodes;
    unsigned depth;
    unsigned deepest; /* that any value within the current one reached */
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

/* What people do most often when libyaml says one of these. */
static void explain(struct reader *reader)
{
    static const struct {
        const char *problem, *hint;
    } hints[] = {
        {"cannot start any token", "indent by blanks, never by tabs; quote a text that begins "
                                   "with % @ or `"},
        {"mapping values are not allowed", "quote a text that has a colon and a blank in it"},
        {"did not find expected key", "look at the indentation and the quotes above"},
        {"invalid Unicode character escape", "write the character itself, or \\U and eight digits"},
        {"did not find expected '-' indicator", "items of one list begin in the same column"},
    };

    for (size_t i = 0; reader->parser.problem && i < ARRAY_SIZE(hints); i++) {
        if (strstr(reader->parser.problem, hints[i].problem))
            error_hint(reader->error, "%s", hints[i].hint);
    }
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
    explain(reader);
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

/* No tag, or the one that says nothing: ! */
static bool says_nothing(const yaml_char_t *tag)
{
    return !tag || strcmp((const char *)tag, "!") == 0;
}

static json_t *scalar(struct reader *reader)
{
    const char *text = (const char *)reader->event.data.scalar.value;
    size_t size = reader->event.data.scalar.length;
    const yaml_char_t *tag = reader->event.data.scalar.tag;
    json_t *value = NULL;

    if (count_nodes(reader, size / YAML_NODE_TEXT) < 0)
        return NULL;
    if (memchr(text, '\0', size)) {
        refuse(reader, "a text with a zero character", "write such bytes in base64");
        return NULL;
    }
    /* libyaml lets nothing through that is not UTF-8. */
    if (says_nothing(tag))
        return reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE
                   ? scalar_plain(text, size)
                   : memory_need(json_stringn_nocheck(text, size));
    if (!scalar_tagged((const char *)tag, text, size, &value))
        refuse(reader, "a tag that is not known here", "remove the ! word before the value");
    else if (!value)
        refuse(reader,
               strstr((const char *)tag, ":binary") ? "!!binary without valid base64"
                                                    : "a value that its tag does not fit",
               "remove the ! word before the value");
    return value;
}

static struct position position_of(const yaml_event_t *event)
{
    return (struct position){.line = (unsigned)event->start_mark.line + 1,
                             .column = (unsigned)event->start_mark.column + 1};
}

static json_t *read_value(struct reader *reader);

static int check_tag(struct reader *reader, const yaml_char_t *tag, const char *expected)
{
    if (!says_nothing(tag) && strcmp((const char *)tag, expected) != 0)
        return refuse(reader, "a tag that is not known here",
                      "remove the ! word before the list or mapping");
    return 0;
}

static json_t *read_sequence(struct reader *reader)
{
    AUTO_JSON json_t *list = memory_need(json_array());

    if (check_tag(reader, reader->event.data.sequence_start.tag, YAML_SEQ_TAG) < 0)
        return NULL;
    for (;;) {
        struct position position;
        json_t *item;

        if (next_event(reader) < 0)
            return NULL;
        if (reader->event.type == YAML_SEQUENCE_END_EVENT)
            return TAKE_POINTER(list);
        position = position_of(&reader->event);
        item = read_value(reader);
        if (!item)
            return NULL;
        json_add(list, item);
        if (reader->positions)
            positions_put_item(reader->positions, list, json_array_size(list) - 1, position);
    }
}

static int keep_anchor(struct reader *reader, const char *name, struct anchor anchor)
{
    if (reader->anchor_count >= YAML_ANCHORS_MAX)
        return refuse(reader, "too many anchors", NULL);
    reader->anchors = memory_grow(reader->anchors, reader->anchor_count, sizeof *reader->anchors);
    if (!reader->names)
        reader->names = memory_need(json_object());
    /* The latest anchor of a name counts. */
    json_put_number(reader->names, name, (int64_t)reader->anchor_count);
    json_incref(anchor.value);
    reader->anchors[reader->anchor_count++] = anchor;
    return 0;
}

/* The anchor that the current event, an alias, is of; NULL and an error where there is none. */
static const struct anchor *find_anchor(struct reader *reader)
{
    const char *name = (const char *)reader->event.data.alias.anchor;
    json_t *index = json_object_get(reader->names, name);

    if (!index)
        refuse(reader, "an alias whose anchor does not stand before it", NULL);
    return index ? &reader->anchors[json_integer_value(index)] : NULL;
}

static char *take_alias_key(struct reader *reader)
{
    const struct anchor *anchor = find_anchor(reader);

    if (anchor && json_is_string(anchor->value))
        return memory_copy_string(json_string_value(anchor->value));
    if (anchor)
        refuse(reader, "a key that is an alias of no text", NULL);
    return NULL;
}

static int keep_key_anchor(struct reader *reader)
{
    const char *name = (const char *)reader->event.data.scalar.anchor;
    AUTO_JSON json_t *value = scalar(reader);

    return value
               ? keep_anchor(reader, name, (struct anchor){.value = value, .nodes = 1, .height = 1})
               : -1;
}

/* The key that the current event is, to be freed; NULL and an error where it is none. */
static char *take_key(struct reader *reader)
{
    yaml_char_t *key = reader->event.data.scalar.value;

    if (reader->event.type == YAML_ALIAS_EVENT)
        return take_alias_key(reader);
    if (reader->event.type != YAML_SCALAR_EVENT) {
        refuse(reader, "a key that is no word", NULL);
        return NULL;
    }
    if (memchr(key, '\0', reader->event.data.scalar.length)) {
        refuse(reader, "a key with a zero character", NULL);
        return NULL;
    }
    if (reader->event.data.scalar.anchor && keep_key_anchor(reader) < 0)
        return NULL;
    reader->event.data.scalar.value = NULL; /* it is ours now */
    return (char *)key;
}

/* What a merge key brings in: a mapping, or a list of mappings. */
static int read_merge(struct reader *reader, json_t **merges)
{
    AUTO_JSON json_t *value = NULL;
    yaml_mark_t mark;
    size_t index;
    json_t *item;

    if (*merges)
        return refuse(reader, "a merge key << that stands twice in the same mapping",
                      "put both mappings into one list: <<: [*one, *other]");
    if (next_event(reader) < 0)
        return -1;
    mark = reader->event.start_mark;
    value = read_value(reader);
    if (!value)
        return -1;
    *merges = memory_need(json_array());
    if (json_is_array(value))
        json_array_extend(*merges, value);
    else
        json_array_append(*merges, value);
    json_array_foreach(*merges, index, item)
    {
        if (json_is_object(item))
            continue;
        error_set(reader->error, ERROR_INPUT,
                  "a merge key << whose value is neither a mapping nor a list of them");
        return refuse_at(reader, mark);
    }
    return 0;
}

/* YAML 1.1's merge key: what stands in the mapping itself counts, then an earlier mapping. */
static void apply_merges(struct reader *reader, json_t *object, json_t *merges)
{
    size_t index;
    const char *key;
    json_t *source, *value;

    json_array_foreach(merges, index, source)
    {
        json_object_foreach(source, key, value)
        {
            if (json_object_get(object, key))
                continue;
            json_put(object, key, json_incref(value));
            if (reader->positions)
                positions_copy_member(reader->positions, source, key, object, key);
        }
    }
}

static bool is_merge_key(const yaml_event_t *event)
{
    static const char merge_tag[] = "tag:yaml.org,2002:merge";
    const yaml_char_t *tag = event->type == YAML_SCALAR_EVENT ? event->data.scalar.tag : NULL;

    return event->type == YAML_SCALAR_EVENT &&
           strcmp((const char *)event->data.scalar.value, "<<") == 0 &&
           (tag ? strcmp((const char *)tag, merge_tag) == 0
                : event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE);
}

static int read_member(struct reader *reader, json_t *object)
{
    AUTO_FREE char *key = take_key(reader);
    yaml_mark_t mark = reader->event.start_mark;
    struct position key_position = position_of(&reader->event), position;
    size_t before = json_object_size(object);
    json_t *value;

    if (!key || next_event(reader) < 0)
        return -1;
    position = position_of(&reader->event);
    value = read_value(reader);
    if (!value)
        return -1;
    if (json_object_set_new_nocheck(object, key, value) < 0)
        memory_exhausted();
    if (json_object_size(object) == before) {
        error_set(reader->error, ERROR_INPUT, "a key that stands twice in the same mapping");
        error_hint(reader->error, "the first would be lost: put both values under one key");
        return refuse_at(reader, mark);
    }
    if (reader->positions)
        positions_put_member(reader->positions, object, key, key_position, position);
    return 0;
}

static json_t *read_mapping(struct reader *reader)
{
    AUTO_JSON json_t *object = memory_need(json_object());
    AUTO_JSON json_t *merges = NULL;

    if (check_tag(reader, reader->event.data.mapping_start.tag, YAML_MAP_TAG) < 0)
        return NULL;
    for (;;) {
        if (next_event(reader) < 0)
            return NULL;
        if (reader->event.type == YAML_MAPPING_END_EVENT)
            break;
        if ((is_merge_key(&reader->event) ? read_merge(reader, &merges)
                                          : read_member(reader, object)) < 0)
            return NULL;
    }
    if (merges)
        apply_merges(reader, object, merges);
    return TAKE_POINTER(object);
}

static json_t *read_alias(struct reader *reader)
{
    const struct anchor *anchor = find_anchor(reader);

    if (!anchor || count_nodes(reader, anchor->nodes) < 0)
        return NULL;
    if (reader->depth + anchor->height - 1 > YAML_DEPTH_MAX) {
        refuse(reader, "nested too deeply", NULL);
        return NULL;
    }
    if (reader->deepest < reader->depth + anchor->height - 1)
        reader->deepest = reader->depth + anchor->height - 1;
    return reader->positions ? positions_deep_copy(reader->positions, anchor->value)
                             : memory_need(json_deep_copy(anchor->value));
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

/* The value that begins with the current event, by its kind. */
static json_t *read_kind(struct reader *reader)
{
    switch (reader->event.type) {
    case YAML_ALIAS_EVENT:
        return read_alias(reader);
    case YAML_SCALAR_EVENT:
        return scalar(reader);
    case YAML_SEQUENCE_START_EVENT:
        return read_sequence(reader);
    case YAML_MAPPING_START_EVENT:
        return read_mapping(reader);
    default:
        refuse(reader, "something that is no value", NULL);
        return NULL;
    }
}

static json_t *read_value(struct reader *reader)
{
    const char *text = anchor_of(&reader->event);
    AUTO_FREE char *name = text ? memory_copy_string(text) : NULL;
    size_t before = reader->nodes;
    unsigned outer = reader->deepest;
    json_t *value;

    if (count_nodes(reader, 1) < 0)
        return NULL;
    if (++reader->depth > YAML_DEPTH_MAX) {
        refuse(reader, "nested too deeply", NULL);
        return NULL;
    }
    reader->deepest = reader->depth;
    value = read_kind(reader);
    reader->depth--;
    if (value && name) {
        struct anchor anchor = {.value = value,
                                .nodes = reader->nodes - before,
                                .height = reader->deepest - reader->depth};

        if (keep_anchor(reader, name, anchor) < 0) {
            json_decref(value);
            return NULL;
        }
    }
    if (reader->deepest < outer)
        reader->deepest = outer;
    return value;
}

static json_t *read_document(struct reader *reader)
{
    AUTO_JSON json_t *value = NULL;
    struct position position;

    do {
        if (next_event(reader) < 0)
            return NULL;
        if (reader->event.type == YAML_STREAM_END_EVENT)
            return json_null();
    } while (reader->event.type != YAML_DOCUMENT_START_EVENT);
    if (next_event(reader) < 0)
        return NULL;
    position = position_of(&reader->event);
    value = read_value(reader);
    if (!value || next_event(reader) < 0 || next_event(reader) < 0)
        return NULL;
    if (reader->event.type != YAML_STREAM_END_EVENT) {
        refuse(reader, "a second document", "only one is read: remove the --- before it");
        return NULL;
    }
    if (reader->positions)
        positions_put_root(reader->positions, value, position);
    return TAKE_POINTER(value);
}

/* Whether a value that is not read event by event keeps the limits. */
static bool within_limits(json_t *value, unsigned depth, size_t *nodes)
{
    const char *key;
    size_t index;
    json_t *child;

    *nodes += 1 + json_string_length(value) / YAML_NODE_TEXT;
    if (depth > YAML_DEPTH_MAX || *nodes > YAML_NODES_MAX)
        return false;
    json_object_foreach(value, key, child)
    {
        if (!within_limits(child, depth + 1, nodes))
            return false;
    }
    json_array_foreach(value, index, child)
    {
        if (!within_limits(child, depth + 1, nodes))
            return false;
    }
    return true;
}

/*
 * Nearly all JSON is YAML to libyaml, but not quite: "\ud83d\ude00". The positions are not known
 * then, and the error stays what libyaml said where it is no JSON either.
 */
static json_t *read_as_json(const char *text, size_t size, struct positions *positions)
{
    AUTO_JSON json_t *value = NULL;
    json_error_t details;
    size_t start = 0, nodes = 0;

    /* Blank space and comments, #cloud-config among them. */
    while (start < size && strchr(" \t\r\n#", text[start])) {
        if (text[start] == '#')
            while (start < size && text[start] != '\n')
                start++;
        else
            start++;
    }
    if (start == size || (text[start] != '{' && text[start] != '['))
        return NULL;
    value = json_loadb(text + start, size - start, JSON_REJECT_DUPLICATES, &details);
    if (!value || !within_limits(value, 1, &nodes))
        return NULL;
    if (positions) {
        positions_put_root(positions, value, (struct position){0});
        positions_put_unknown(positions, value);
    }
    return TAKE_POINTER(value);
}

json_t *yaml_parse_placed(const char *text, size_t size, const char *where,
                          struct positions *positions, struct error *error)
{
    struct error refused = ERROR_INIT;
    struct reader reader = {.where = where, .error = &refused, .positions = positions};
    json_t *value;

    if (!yaml_parser_initialize(&reader.parser))
        memory_exhausted();
    if (positions)
        positions_source(positions, where);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, size);
    value = read_document(&reader);
    if (!value && reader.parser.error)
        value = read_as_json(text, size, positions);
    if (!value)
        *error = refused;
    take_event(&reader);
    yaml_parser_delete(&reader.parser);
    for (size_t i = 0; i < reader.anchor_count; i++)
        json_decref(reader.anchors[i].value);
    free(reader.anchors);
    json_decref(reader.names);
    return value;
}

json_t *yaml_parse(const char *text, size_t size, const char *where, struct error *error)
{
    return yaml_parse_placed(text, size, where, NULL, error);
}
