/*
 * What schemas mark: secrets that are redacted, texts that are rendered.
 *
 * A value may be described by many schemas at once (forms, references, patterns); it is marked if
 * one of them marks it, whether it fits otherwise or not. So a set of schemas goes down with the
 * value, each slot is looked at once, and the cost is linear whatever the forms are.
 */
#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "config/schema_node.h"

struct forms {
    const struct schema_node *items[SCHEMA_FORMS_MAX];
    size_t count;
    bool full; /* there are more than fit */
};

/* Returns the value for a marked slot: the same pointer, or a new reference; NULL ends the walk. */
struct marking {
    unsigned mark;
    json_t *(*replace)(struct marking *marking, json_t *value, const struct schema_spot *spot);
    json_t *root;
    struct positions *positions;
    schema_render *render;
    void *context;
    struct error *error;
};

/* Adds the schema and what it refers to, as far as the mark is in it and it admits the value. */
static void add_form(struct forms *forms, const struct schema_node *node, unsigned mark,
                     unsigned type)
{
    if (!node || !(node->bears & mark) || (type && !(node->types & type)))
        return;
    for (size_t i = 0; i < forms->count; i++) {
        if (forms->items[i] == node)
            return;
    }
    if (forms->count == SCHEMA_FORMS_MAX) {
        forms->full = true;
        return;
    }
    forms->items[forms->count++] = node;
    add_form(forms, node->target, mark, type);
    for (size_t i = 0; i < node->all_of.count; i++)
        add_form(forms, node->all_of.items[i], mark, type);
    for (size_t i = 0; i < node->any_of.count; i++)
        add_form(forms, node->any_of.items[i], mark, type);
    for (size_t i = 0; i < node->one_of.count; i++)
        add_form(forms, node->one_of.items[i], mark, type);
}

/* A secret is one whatever its kind; a template is a text. */
static unsigned type_for(const struct marking *marking, const json_t *value)
{
    return marking->mark == SCHEMA_SECRET ? 0 : schema_type_of(value);
}

static void add_member_forms(const struct marking *marking, struct forms *below,
                             const struct schema_node *node, const char *key, const json_t *value)
{
    const struct schema_node *property = schema_property(node, key);
    unsigned type = type_for(marking, value);
    bool described = property;
    const char *nearest;

    add_form(below, property, marking->mark, type);
    for (size_t i = 0; i < node->pattern_count; i++) {
        if (!schema_pattern_matches(&node->patterns[i].pattern, key))
            continue;
        described = true;
        add_form(below, node->patterns[i].node, marking->mark, type);
    }
    if (described)
        return;
    add_form(below, node->additional, marking->mark, type);
    if (marking->mark != SCHEMA_SECRET)
        return;
    nearest = schema_nearest_property(node, key, marking->mark);
    if (nearest)
        add_form(below, schema_property(node, nearest), marking->mark, type);
}

static int walk(struct marking *marking, const struct forms *forms, json_t *whole,
                const struct schema_spot *spot);

/* Replaces the value of one slot, or goes down into it. -1: an error ended it. */
static int visit_slot(struct marking *marking, const struct forms *forms, json_t *whole,
                      json_t *value, const struct schema_spot *spot)
{
    bool marked = forms->full && marking->mark == SCHEMA_SECRET;
    json_t *replacement;

    for (size_t i = 0; i < forms->count; i++)
        marked |= (forms->items[i]->marks & marking->mark) != 0;
    if (marked) {
        replacement = marking->replace(marking, value, spot);
        if (!replacement)
            return -1;
        if (replacement == value)
            return 0;
        if ((spot->key ? json_object_set_new(whole, spot->key, replacement)
                       : json_array_set_new(whole, spot->index, replacement)) < 0)
            memory_exhausted();
        return 0;
    }
    return forms->count ? walk(marking, forms, value, spot) : 0;
}

static int walk(struct marking *marking, const struct forms *forms, json_t *whole,
                const struct schema_spot *spot)
{
    const char *key;
    size_t index;
    json_t *child;
    void *next;

    json_object_foreach_safe(whole, next, key, child)
    {
        struct schema_spot below = {.up = spot, .key = key};
        struct forms described = {.full = forms->full};

        for (size_t i = 0; i < forms->count; i++)
            add_member_forms(marking, &described, forms->items[i], key, child);
        if (visit_slot(marking, &described, whole, child, &below) < 0)
            return -1;
    }
    json_array_foreach(whole, index, child)
    {
        struct schema_spot below = {.up = spot, .list = whole, .index = index};
        struct forms described = {.full = forms->full};

        for (size_t i = 0; i < forms->count; i++)
            add_form(&described, forms->items[i]->items, marking->mark, type_for(marking, child));
        if (visit_slot(marking, &described, whole, child, &below) < 0)
            return -1;
    }
    return 0;
}

/* The whole is no slot of anything: it stays, what is within it is gone through. */
static int walk_whole(struct marking *marking, const struct schema *schema)
{
    struct schema_spot whole = {0};
    struct forms forms = {0};

    add_form(&forms, schema->nodes[0], marking->mark, type_for(marking, marking->root));
    return forms.count ? walk(marking, &forms, marking->root, &whole) : 0;
}

static json_t *redact(struct marking *marking, json_t *value, const struct schema_spot *spot)
{
    (void)marking;
    (void)spot;
    return json_is_null(value) ? value : memory_need(json_string(SCHEMA_REDACTED));
}

json_t *schema_redact(const struct schema *schema, json_t *value)
{
    json_t *copy = memory_need(json_deep_copy(value));
    struct marking marking = {.mark = SCHEMA_SECRET, .replace = redact, .root = copy};

    walk_whole(&marking, schema);
    return copy;
}

static json_t *render(struct marking *marking, json_t *value, const struct schema_spot *spot)
{
    char path[SCHEMA_KEY_MAX];
    struct position key, position;
    json_t *rendered;

    if (!json_is_string(value))
        return value;
    rendered = marking->render(marking->context, json_string_value(value),
                               schema_spot_text(spot, NULL, path), marking->error);
    if (rendered)
        return rendered;
    schema_spot_position(spot, marking->root, marking->positions, &key, &position);
    error_at(marking->error, position.where, position.line, position.column);
    return NULL;
}

int schema_render_all(const struct schema *schema, json_t *value, struct positions *positions,
                      schema_render *render_text, void *context, struct error *error)
{
    struct marking marking = {.mark = SCHEMA_TEMPLATE,
                              .replace = render,
                              .root = value,
                              .positions = positions,
                              .render = render_text,
                              .context = context,
                              .error = error};

    return walk_whole(&marking, schema);
}
