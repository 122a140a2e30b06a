/* Compiling schemas: the keywords of the subset, each checked as strictly as what it describes. */
#include "base/banned.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/memory.h"
#include "config/schema_node.h"

struct compiler {
    struct schema *schema;
    json_t *indexes; /* $defs' names -> index of the node */
    struct error *error;
    const char *where;
    const char *path[SCHEMA_DEPTH_MAX * 2]; /* for the error's text */
    unsigned depth;
};

static int refuse(struct compiler *compiler, const char *keyword, const char *what)
{
    AUTO_BUFFER struct buffer path = BUFFER_INIT(ERROR_MESSAGE_MAX / 2);

    for (unsigned i = 0; i < compiler->depth; i++)
        buffer_format(&path, "/%s", compiler->path[i]);
    error_set(compiler->error, ERROR_INPUT, "the schema at #%s: %s %s", buffer_text(&path), keyword,
              what);
    return error_at(compiler->error, compiler->where, 0, 0);
}

static struct schema_node *new_node(struct compiler *compiler)
{
    struct schema *schema = compiler->schema;
    struct schema_node *node = memory_zeroed(1, sizeof *node);

    *node = (struct schema_node){.types = SCHEMA_ANY,
                                 .max_length = SIZE_MAX,
                                 .max_items = SIZE_MAX,
                                 .max_members = SIZE_MAX};
    schema->nodes = memory_grow(schema->nodes, schema->count, sizeof(struct schema_node *));
    schema->nodes[schema->count++] = node;
    return node;
}

static struct schema_node *compile(struct compiler *compiler, json_t *value);

/* Compiles what stands below one step of the path, or two. */
static struct schema_node *compile_below(struct compiler *compiler, const char *first,
                                         const char *second, json_t *value)
{
    unsigned depth = compiler->depth;
    struct schema_node *node;

    if (depth + 2 > ARRAY_SIZE(compiler->path)) {
        refuse(compiler, first, "is nested too deeply");
        return NULL;
    }
    compiler->path[compiler->depth++] = first;
    if (second)
        compiler->path[compiler->depth++] = second;
    node = compile(compiler, value);
    compiler->depth = depth;
    return node;
}

/* Keywords: each reads its value into the node. */

static unsigned type_named(const char *name)
{
    static const struct {
        const char *name;
        unsigned type;
    } types[] = {
        {"null", SCHEMA_NULL},     {"boolean", SCHEMA_BOOLEAN}, {"integer", SCHEMA_INTEGER},
        {"number", SCHEMA_NUMBER}, {"string", SCHEMA_STRING},   {"array", SCHEMA_ARRAY},
        {"object", SCHEMA_OBJECT},
    };

    for (size_t i = 0; name && i < ARRAY_SIZE(types); i++) {
        if (strcmp(name, types[i].name) == 0)
            return types[i].type;
    }
    return 0;
}

static int read_type(struct compiler *compiler, struct schema_node *node, json_t *value)
{
    size_t index;
    json_t *name;

    node->types = json_is_string(value) ? type_named(json_string_value(value)) : 0;
    json_array_foreach(value, index, name)
    {
        unsigned type = type_named(json_string_value(name));

        if (!type || node->types & type)
            return refuse(compiler, "type", "has a kind that is not known, or twice");
        node->types |= type;
    }
    return node->types ? 0 : refuse(compiler, "type", "is no kind and no list of kinds");
}

static int read_enum(struct compiler *compiler, struct schema_node *node, json_t *value)
{
    node->choices = value;
    return json_array_size(value) ? 0 : refuse(compiler, "enum", "is no list of values");
}

static int read_const(struct compiler *compiler, struct schema_node *node, json_t *value)
{
    (void)compiler;
    node->constant = value;
    return 0;
}

static int read_minimum(struct compiler *compiler, struct schema_node *node, json_t *value)
{
    node->minimum = value;
    return json_is_number(value) ? 0 : refuse(compiler, "minimum", "is no number");
}

static int read_maximum(struct compiler *compiler, struct schema_node *node, json_t *value)
{
    node->maximum = value;
    return json_is_number(value) ? 0 : refuse(compiler, "maximum", "is no number");
}

static int read_count(struct compiler *compiler, const char *keyword, json_t *value, size_t *out)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return refuse(compiler, keyword, "is no count");
    *out = (size_t)json_integer_value(value);
    return 0;
}

#define COUNT_KEYWORD(function_, keyword_, member_)                                                \
    static int function_(struct compiler *compiler, struct schema_node *node, json_t *value)       \
    {                                                                                              \
        return read_count(compiler, keyword_, value, &node->member_);                              \
    }
COUNT_KEYWORD(read_min_length, "minLength", min_length)
COUNT_KEYWORD(read_max_length, "maxLength", max_length)
COUNT_KEYWORD(read_min_items, "minItems", min_items)
COUNT_KEYWORD(read_max_items, "maxItems", max_items)
COUNT_KEYWORD(read_min_members, "minProperties", min_members)
COUNT_KEYWORD(read_max_members, "maxProperties", max_members)

static int compile_pattern(struct compiler *compiler, const char *keyword, const char *text,
                           struct schema_pattern *pattern)
{
    const char *why = schema_pattern_compile(pattern, text);

    return why ? refuse(compiler, keyword, why) : 0;
}

static int read_pattern(struct compiler *compiler, struct schema_node *node, json_t *value)
{
    return compile_pattern(compiler, "pattern", json_string_value(value), &node->pattern);
}

static int by_name(const void *a, const void *b)
{
    const struct schema_property *first = a, *second = b;

    return strcmp(first->name, second->name);
}

static int read_properties(struct compiler *compiler, struct schema_node *node, json_t *value)
{
    size_t count = json_object_size(value);
    const char *name;
    json_t *schema;

    if (!json_is_object(value))
        return refuse(compiler, "properties", "is no object");
    node->properties = memory_zeroed(count, sizeof *node->properties);
    json_object_foreach(value, name, schema)
    {
        struct schema_property *property = &node->properties[node->property_count];

        property->name = name;
        property->node = compile_below(compiler, "properties", name, schema);
        if (!property->node)
            return -1;
        node->property_count++;
    }
    if (count)
        qsort(node->properties, count, sizeof *node->properties, by_name);
    return 0;
}

static int read_pattern_properties(struct compiler *compiler, struct schema_node *node,
                                   json_t *value)
{
    const char *name;
    json_t *schema;

    if (!json_is_object(value))
        return refuse(compiler, "patternProperties", "is no object");
    node->patterns = memory_zeroed(json_object_size(value), sizeof *node->patterns);
    json_object_foreach(value, name, schema)
    {
        struct schema_pattern_property *pattern = &node->patterns[node->pattern_count];

        if (compile_pattern(compiler, "a name in patternProperties", name, &pattern->pattern) < 0)
            return -1;
        node->pattern_count++;
        pattern->node = compile_below(compiler, "patternProperties", name, schema);
        if (!pattern->node)
            return -1;
    }
    return 0;
}

static int read_additional(struct compiler *compiler, struct schema_node *node, json_t *value)
{
    node->additional = compile_below(compiler, "additionalProperties", NULL, value);
    return node->additional ? 0 : -1;
}

static int read_items(struct compiler *compiler, struct schema_node *node, json_t *value)
{
    node->items = compile_below(compiler, "items", NULL, value);
    return node->items ? 0 : -1;
}

static int read_required(struct compiler *compiler, struct schema_node *node, json_t *value)
{
    size_t index;
    json_t *name;

    node->required = value;
    json_array_foreach(value, index, name)
    {
        if (!json_is_string(name))
            return refuse(compiler, "required", "has something that is no name");
    }
    return json_is_array(value) ? 0 : refuse(compiler, "required", "is no list of names");
}

static int read_forms(struct compiler *compiler, const char *keyword, json_t *value,
                      struct schema_list *list)
{
    size_t index;
    json_t *schema;

    if (!json_array_size(value))
        return refuse(compiler, keyword, "is no list of schemas");
    list->items = memory_zeroed(json_array_size(value), sizeof(struct schema_node *));
    json_array_foreach(value, index, schema)
    {
        list->items[list->count] = compile_below(compiler, keyword, NULL, schema);
        if (!list->items[list->count])
            return -1;
        list->count++;
    }
    return 0;
}

static int read_one_of(struct compiler *compiler, struct schema_node *node, json_t *value)
{
    return read_forms(compiler, "oneOf", value, &node->one_of);
}

static int read_any_of(struct compiler *compiler, struct schema_node *node, json_t *value)
{
    return read_forms(compiler, "anyOf", value, &node->any_of);
}

static int read_all_of(struct compiler *compiler, struct schema_node *node, json_t *value)
{
    return read_forms(compiler, "allOf", value, &node->all_of);
}

static int read_reference(struct compiler *compiler, struct schema_node *node, json_t *value)
{
    static const char prefix[] = "#/$defs/";
    const char *text = json_string_value(value);

    if (!text || strncmp(text, prefix, sizeof prefix - 1) != 0)
        return refuse(compiler, "$ref", "does not lead to #/$defs/NAME");
    node->reference = text + sizeof prefix - 1;
    return 0;
}

static int read_definitions(struct compiler *compiler, struct schema_node *node, json_t *value)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    const char *name;
    json_t *schema;

    (void)node;
    if (compiler->depth || !json_is_object(value))
        return refuse(compiler, "$defs", "stands not at the top, or is no object");
    json_object_foreach(value, name, schema)
    {
        size_t index = compiler->schema->count;

        if (!*name || strspn(name, letters) != strlen(name))
            return refuse(compiler, "$defs", "has a name with other than letters, digits, _ . -");
        if (!compile_below(compiler, "$defs", name, schema))
            return -1;
        json_put_number(compiler->indexes, name, (int64_t)index);
    }
    return 0;
}

#define MARK_KEYWORD(function_, keyword_, mark_)                                                   \
    static int function_(struct compiler *compiler, struct schema_node *node, json_t *value)       \
    {                                                                                              \
        node->marks |= json_is_true(value) ? (mark_) : 0;                                          \
        return json_is_boolean(value) ? 0 : refuse(compiler, keyword_, "is no truth value");       \
    }
MARK_KEYWORD(read_deprecated, "deprecated", SCHEMA_DEPRECATED)
MARK_KEYWORD(read_secret, "x-secret", SCHEMA_SECRET)
MARK_KEYWORD(read_template, "x-template", SCHEMA_TEMPLATE)

static int read_description(struct compiler *compiler, struct schema_node *node, json_t *value)
{
    node->description = json_string_value(value);
    return node->description ? 0 : refuse(compiler, "description", "is no text");
}

static int read_text(struct compiler *compiler, struct schema_node *node, json_t *value)
{
    (void)node;
    return json_is_string(value) ? 0 : refuse(compiler, "an annotation", "is no text");
}

static int read_examples(struct compiler *compiler, struct schema_node *node, json_t *value)
{
    (void)node;
    return json_is_array(value) ? 0 : refuse(compiler, "examples", "is no list");
}

static int read_nothing(struct compiler *compiler, struct schema_node *node, json_t *value)
{
    (void)compiler;
    (void)node;
    (void)value;
    return 0;
}

typedef int read_keyword(struct compiler *compiler, struct schema_node *node, json_t *value);

static const struct {
    const char *name;
    read_keyword *read;
} keywords[] = {
    {"type", read_type},
    {"properties", read_properties},
    {"items", read_items},
    {"description", read_description},
    {"enum", read_enum},
    {"const", read_const},
    {"required", read_required},
    {"additionalProperties", read_additional},
    {"patternProperties", read_pattern_properties},
    {"pattern", read_pattern},
    {"minimum", read_minimum},
    {"maximum", read_maximum},
    {"minLength", read_min_length},
    {"maxLength", read_max_length},
    {"minItems", read_min_items},
    {"maxItems", read_max_items},
    {"minProperties", read_min_members},
    {"maxProperties", read_max_members},
    {"oneOf", read_one_of},
    {"anyOf", read_any_of},
    {"allOf", read_all_of},
    {"$ref", read_reference},
    {"$defs", read_definitions},
    {"default", read_nothing},
    {"examples", read_examples},
    {"deprecated", read_deprecated},
    {"x-secret", read_secret},
    {"x-template", read_template},
    {"x-differs", read_text},
    {"title", read_text},
    {"$schema", read_text},
    {"$id", read_text},
    {"$comment", read_text},
};

static int read_member(struct compiler *compiler, struct schema_node *node, const char *name,
                       json_t *value)
{
    for (size_t i = 0; i < ARRAY_SIZE(keywords); i++) {
        if (strcmp(keywords[i].name, name) == 0)
            return keywords[i].read(compiler, node, value);
    }
    return refuse(compiler, name, "is no keyword of the subset that is known here");
}

static struct schema_node *compile(struct compiler *compiler, json_t *value)
{
    struct schema_node *node;
    const char *name;
    json_t *member;

    if (compiler->schema->count >= SCHEMA_NODES_MAX) {
        refuse(compiler, "it", "is too large");
        return NULL;
    }
    node = new_node(compiler);
    node->never = json_is_false(value);
    if (!json_is_object(value) && !json_is_boolean(value)) {
        refuse(compiler, "it", "is neither an object nor true or false");
        return NULL;
    }
    json_object_foreach(value, name, member)
    {
        if (read_member(compiler, node, name, member) < 0)
            return NULL;
    }
    node->bears = node->marks;
    return node;
}

/* References. */

static int resolve(struct compiler *compiler)
{
    struct schema *schema = compiler->schema;

    for (size_t i = 0; i < schema->count; i++) {
        struct schema_node *node = schema->nodes[i];
        json_t *index =
            node->reference ? json_object_get(compiler->indexes, node->reference) : NULL;

        if (!node->reference)
            continue;
        if (!index)
            return refuse(compiler, "a $ref", "leads to a name that $defs does not have");
        node->target = schema->nodes[json_integer_value(index)];
    }
    return 0;
}

enum { UNSEEN, OPEN, DONE };

/* Whether a schema leads back to itself without going into the value: that would never end. */
static bool is_circular(struct schema_node *node);

static bool any_is_circular(const struct schema_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (is_circular(list->items[i]))
            return true;
    }
    return false;
}

static bool is_circular(struct schema_node *node)
{
    bool circular;

    if (node->visit != UNSEEN)
        return node->visit == OPEN;
    node->visit = OPEN;
    circular = (node->target && is_circular(node->target)) || any_is_circular(&node->one_of) ||
               any_is_circular(&node->any_of) || any_is_circular(&node->all_of);
    node->visit = DONE;
    return circular;
}

static unsigned bears_of_list(const struct schema_list *list)
{
    unsigned bears = 0;

    for (size_t i = 0; i < list->count; i++)
        bears |= list->items[i]->bears;
    return bears;
}

static unsigned bears_of(const struct schema_node *node)
{
    unsigned bears = node->marks | bears_of_list(&node->one_of) | bears_of_list(&node->any_of) |
                     bears_of_list(&node->all_of);

    for (size_t i = 0; i < node->property_count; i++)
        bears |= node->properties[i].node->bears;
    for (size_t i = 0; i < node->pattern_count; i++)
        bears |= node->patterns[i].node->bears;
    return bears | (node->additional ? node->additional->bears : 0) |
           (node->items ? node->items->bears : 0) | (node->target ? node->target->bears : 0);
}

/* Until nothing changes: inner schemas stand behind outer ones, so from the end it is soon. */
static void spread_marks(const struct schema *schema)
{
    bool changed = true;

    while (changed) {
        changed = false;
        for (size_t i = schema->count; i-- > 0;) {
            unsigned bears = bears_of(schema->nodes[i]);

            changed |= bears != schema->nodes[i]->bears;
            schema->nodes[i]->bears = bears;
        }
    }
}

struct schema *schema_compile(json_t *document, const char *where, struct error *error)
{
    AUTO_SCHEMA struct schema *schema = memory_zeroed(1, sizeof *schema);
    AUTO_JSON json_t *indexes = memory_need(json_object());
    struct compiler compiler = {
        .schema = schema, .indexes = indexes, .error = error, .where = where};

    if (!compile(&compiler, document) || resolve(&compiler) < 0)
        return NULL;
    for (size_t i = 0; i < schema->count; i++) {
        if (is_circular(schema->nodes[i])) {
            refuse(&compiler, "a $ref", "leads back to itself");
            return NULL;
        }
    }
    spread_marks(schema);
    return TAKE_POINTER(schema);
}

static void free_node(struct schema_node *node)
{
    schema_pattern_clear(&node->pattern);
    for (size_t i = 0; i < node->pattern_count; i++)
        schema_pattern_clear(&node->patterns[i].pattern);
    free(node->patterns);
    free(node->properties);
    free(node->one_of.items);
    free(node->any_of.items);
    free(node->all_of.items);
    free(node);
}

void schema_free(struct schema *schema)
{
    if (!schema)
        return;
    for (size_t i = 0; i < schema->count; i++)
        free_node(schema->nodes[i]);
    free(schema->nodes);
    free(schema);
}

void schema_release(struct schema **schema)
{
    schema_free(*schema);
}
