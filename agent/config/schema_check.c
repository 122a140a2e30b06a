/* Checking a value against a schema: all problems in one go, in the order of the text. */
#include "base/banned.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/memory.h"
#include "config/schema_node.h"

/*
 * How a value is gone through. The first two only ask whether it fits and end at the first
 * problem; an unknown key is one to MATCH_EXACT alone. COUNT finds out which form is nearest.
 */
enum mode { MATCH_EXACT, MATCH, COUNT, TELL };

struct checking {
    json_t *root;
    const char *where;
    struct positions *positions;
    schema_report *report;
    void *context;
    size_t told, errors;
    size_t counted;
    size_t visits;
};

static bool check(struct checking *checking, const struct schema_node *node, json_t *value,
                  const struct schema_spot *spot, enum mode mode);

/* Telling. */

/* Whether a problem is to be told; one too many is counted only. */
static bool tells(struct checking *checking, enum mode mode, bool warning)
{
    if (mode == COUNT)
        checking->counted++;
    if (mode != TELL)
        return false;
    checking->errors += !warning;
    return checking->told++ < SCHEMA_PROBLEMS_MAX;
}

/* Tells a problem that the error describes, about the spot's value or (a name) its key. */
static void tell(struct checking *checking, const struct schema_spot *spot, const char *name,
                 bool warning, struct error *error)
{
    char text[SCHEMA_KEY_MAX];
    struct position key, value;

    if (name) {
        struct schema_spot member = {.up = spot, .key = name};

        schema_spot_position(&member, checking->root, checking->positions, &key, &value);
        value = key;
    } else {
        schema_spot_position(spot, checking->root, checking->positions, &key, &value);
    }
    error_at(error, value.where ? value.where : checking->where, value.line, value.column);
    checking->report(checking->context, warning, schema_spot_text(spot, name, text), error);
}

/* The subject of a message: the value's path. */
static const char *subject(const struct schema_spot *spot, char text[static SCHEMA_KEY_MAX])
{
    schema_spot_text(spot, NULL, text);
    return *text ? text : "the whole";
}

/* Every problem of a value but those with words of their own; returns false, it does not fit. */
static bool wrong(struct checking *checking, const struct schema_spot *spot, enum mode mode,
                  const char *what, const char *hint)
{
    char text[SCHEMA_KEY_MAX];
    struct error error = ERROR_INIT;

    if (!tells(checking, mode, false))
        return false;
    error_set(&error, ERROR_INPUT, "%s %s", subject(spot, text), what);
    if (hint)
        error_hint(&error, "%s", hint);
    tell(checking, spot, NULL, false, &error);
    return false;
}

/* What people mostly meant when the kind is another. */
static const char *kind_hint(unsigned wanted, const json_t *value)
{
    if (wanted & SCHEMA_STRING && (json_is_number(value) || json_is_boolean(value)))
        return "without quotes YAML reads a number, or yes, no, on and off, as such: put it in "
               "quotes";
    if (wanted & SCHEMA_ARRAY && !json_is_array(value))
        return "begin each item with \"- \", or write [ ] around it";
    if (wanted & (SCHEMA_NUMBER | SCHEMA_INTEGER | SCHEMA_BOOLEAN) && json_is_string(value))
        return "write it without quotes";
    if (wanted & SCHEMA_OBJECT && json_is_array(value))
        return "leave the \"- \" before the keys away";
    if (json_is_null(value))
        return "nothing stands behind the colon: look at the indentation of what follows";
    return NULL;
}

static bool wrong_kind(struct checking *checking, unsigned wanted, const json_t *value,
                       const struct schema_spot *spot, enum mode mode)
{
    char need[SCHEMA_TYPES_TEXT_MAX], is[SCHEMA_TYPES_TEXT_MAX];
    AUTO_FREE char *what = NULL;
    unsigned type = schema_type_of(value);

    if (mode < TELL)
        return wrong(checking, spot, mode, "", NULL);
    schema_types_text(wanted, need);
    if (json_is_integer(value))
        type = SCHEMA_INTEGER;
    schema_types_text(type, is);
    what = memory_format("must be %s, but is %s", need, is);
    return wrong(checking, spot, mode, what, kind_hint(wanted, value));
}

static void warn_of_deprecation(struct checking *checking, const struct schema_node *node,
                                const struct schema_spot *spot)
{
    char text[SCHEMA_KEY_MAX];
    struct error error = ERROR_INIT;

    error_set(&error, ERROR_INPUT, "%s is deprecated", subject(spot, text));
    if (node->description)
        error_hint(&error, "%s", node->description);
    tell(checking, spot->up ? spot->up : spot, spot->key, true, &error);
}

/* Kinds of values. */

static bool is_choice(const json_t *choices, const json_t *value)
{
    size_t index;
    json_t *choice;

    json_array_foreach(choices, index, choice)
    {
        if (json_equal(choice, value) || (json_is_number(choice) && json_is_number(value) &&
                                          json_number_value(choice) == json_number_value(value)))
            return true;
    }
    return false;
}

static void list_choices(const json_t *choices, struct buffer *text)
{
    size_t index;
    json_t *choice;

    json_array_foreach(choices, index, choice)
    {
        AUTO_FREE char *item = json_is_string(choice)
                                   ? memory_copy_string(json_string_value(choice))
                                   : json_one_line(choice);

        /* Too many for the buffer: the rest stays away. */
        if (!buffer_format(text, "%s%s", index ? ", " : "", item))
            break;
    }
}

/* A word that is nearly the value, or why a word is not read as one. */
static char *choice_hint(const json_t *choices, const json_t *value)
{
    const char *nearest =
        json_is_string(value) ? schema_nearest_choice(choices, json_string_value(value)) : NULL;

    if (nearest)
        return memory_format("did you mean %s?", nearest);
    if (json_is_string(json_array_get(choices, 0)) && kind_hint(SCHEMA_STRING, value))
        return memory_copy_string(kind_hint(SCHEMA_STRING, value));
    return NULL;
}

static bool wrong_choice(struct checking *checking, const json_t *choices, const json_t *value,
                         const struct schema_spot *spot, enum mode mode)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(ERROR_MESSAGE_MAX / 2);
    AUTO_FREE char *hint = NULL;

    if (mode < TELL)
        return wrong(checking, spot, mode, "", NULL);
    buffer_append_text(&text, json_array_size(choices) > 1 ? "must be one of: " : "must be ");
    list_choices(choices, &text);
    if (!spot->secret)
        hint = choice_hint(choices, value);
    return wrong(checking, spot, mode, buffer_text(&text), hint);
}

/* One "must have at least 3 items" for all counts. */
static bool check_count(struct checking *checking, size_t count, size_t least, size_t most,
                        const char *things, const struct schema_spot *spot, enum mode mode)
{
    char what[96];

    if (count >= least && count <= most)
        return true;
    snprintf(what, sizeof what, "must have at %s %zu %s, but has %zu",
             count < least ? "least" : "most", count < least ? least : most, things, count);
    return wrong(checking, spot, mode, what, NULL);
}

static size_t characters_in(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static bool check_string(struct checking *checking, const struct schema_node *node, json_t *value,
                         const struct schema_spot *spot, enum mode mode)
{
    const char *text = json_string_value(value);
    AUTO_FREE char *what = NULL;
    bool fits = true;

    if (node->min_length || node->max_length != SIZE_MAX)
        fits = check_count(checking, characters_in(text), node->min_length, node->max_length,
                           "characters", spot, mode);
    if (!node->pattern.text)
        return fits;
    if (json_string_length(value) > SCHEMA_PATTERN_TEXT_MAX)
        return wrong(checking, spot, mode, "is too long", NULL);
    if (schema_pattern_matches(&node->pattern, text))
        return fits;
    if (mode < TELL)
        return wrong(checking, spot, mode, "", NULL);
    what = memory_format("does not have the form %s", node->pattern.text);
    return wrong(checking, spot, mode, what, node->description);
}

static bool check_number(struct checking *checking, const struct schema_node *node,
                         const json_t *value, const struct schema_spot *spot, enum mode mode)
{
    double number = json_number_value(value);
    bool low = node->minimum && number < json_number_value(node->minimum);
    bool high = node->maximum && number > json_number_value(node->maximum);
    AUTO_FREE char *limit = NULL, *what = NULL;

    if (!low && !high)
        return true;
    limit = json_one_line(low ? node->minimum : node->maximum);
    what = memory_format("must be at %s %s", low ? "least" : "most", limit);
    return wrong(checking, spot, mode, what, NULL);
}

static bool check_array(struct checking *checking, const struct schema_node *node, json_t *value,
                        const struct schema_spot *spot, enum mode mode)
{
    size_t count = json_array_size(value), least = node->min_items, most = node->max_items;
    bool fits = check_count(checking, count, least, most, "items", spot, mode);

    for (size_t i = 0; node->items && i < count && (fits || mode >= COUNT); i++) {
        struct schema_spot item = {.up = spot, .list = value, .index = i, .secret = spot->secret};

        if (!check(checking, node->items, json_array_get(value, i), &item, mode))
            fits = false;
    }
    return fits;
}

static bool has_template(const struct schema_node *node, const char *text)
{
    return node->marks & SCHEMA_TEMPLATE && (strstr(text, "{{") || strstr(text, "{%"));
}

/* What the value itself must be, whatever its kind. */
static bool check_value(struct checking *checking, const struct schema_node *node, json_t *value,
                        const struct schema_spot *spot, enum mode mode)
{
    AUTO_JSON json_t *constant = NULL;

    if (node->choices && !is_choice(node->choices, value))
        return wrong_choice(checking, node->choices, value, spot, mode);
    if (!node->constant)
        return true;
    constant = memory_need(json_array());
    json_add(constant, json_incref(node->constant));
    return is_choice(constant, value) || wrong_choice(checking, constant, value, spot, mode);
}

/* Objects. */

const struct schema_node *schema_property(const struct schema_node *node, const char *name)
{
    size_t from = 0, to = node->property_count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = strcmp(name, node->properties[middle].name);

        if (order == 0)
            return node->properties[middle].node;
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return NULL;
}

/* A key that nothing describes; its value is not looked at. */
static bool unknown_key(struct checking *checking, const struct schema_node *node,
                        const struct schema_spot *spot, const char *key, enum mode mode)
{
    char text[SCHEMA_KEY_MAX];
    struct error error = ERROR_INIT;
    const char *nearest;

    if (!tells(checking, mode, true))
        return mode != MATCH_EXACT;
    schema_spot_text(spot, key, text);
    error_set(&error, ERROR_INPUT,
              spot->secret ? "%s has a key that is not known" : "%s is no key that is known here",
              *text ? text : "the whole");
    nearest = spot->secret ? NULL : schema_nearest_property(node, key, 0);
    if (nearest)
        error_hint(&error, "did you mean %s?", nearest);
    tell(checking, spot, key, true, &error);
    return true;
}

static bool check_member(struct checking *checking, const struct schema_node *node, json_t *value,
                         const struct schema_spot *member, enum mode mode)
{
    const struct schema_node *property = schema_property(node, member->key);
    bool described = property, fits = true;

    if (property)
        fits = check(checking, property, value, member, mode);
    for (size_t i = 0; i < node->pattern_count; i++) {
        if (!schema_pattern_matches(&node->patterns[i].pattern, member->key))
            continue;
        described = true;
        if (!check(checking, node->patterns[i].node, value, member, mode))
            fits = false;
    }
    if (described || !node->additional)
        return fits;
    if (node->additional->never)
        return unknown_key(checking, node, member->up, member->key, mode);
    return check(checking, node->additional, value, member, mode);
}

static bool check_required(struct checking *checking, const struct schema_node *node,
                           const json_t *value, const struct schema_spot *spot, enum mode mode)
{
    bool fits = true;
    size_t index;
    json_t *name;

    json_array_foreach(node->required, index, name)
    {
        AUTO_FREE char *what = NULL;

        if (json_object_get(value, json_string_value(name)))
            continue;
        fits = false;
        if (mode < COUNT)
            break;
        what = memory_format("needs the key %s", json_string_value(name));
        wrong(checking, spot, mode, what, NULL);
    }
    return fits;
}

static bool check_object(struct checking *checking, const struct schema_node *node, json_t *value,
                         const struct schema_spot *spot, enum mode mode)
{
    bool fits = check_count(checking, json_object_size(value), node->min_members, node->max_members,
                            "keys", spot, mode);
    const char *key;
    json_t *member;

    if (node->required && (fits || mode >= COUNT) &&
        !check_required(checking, node, value, spot, mode))
        fits = false;
    if (!node->property_count && !node->pattern_count && !node->additional)
        return fits;
    json_object_foreach(value, key, member)
    {
        struct schema_spot below = {.up = spot, .key = key, .secret = spot->secret};

        if (!fits && mode < COUNT)
            return false;
        if (!check_member(checking, node, member, &below, mode))
            fits = false;
    }
    return fits;
}

/* Forms. */

/* The form that the value is most likely meant to have: of its kind, with the fewest problems. */
static const struct schema_node *nearest_form(struct checking *checking,
                                              const struct schema_list *forms, json_t *value,
                                              const struct schema_spot *spot)
{
    const struct schema_node *nearest = NULL;
    size_t outer = checking->counted, fewest = SIZE_MAX, candidates = 0;

    for (size_t i = 0; i < forms->count; i++) {
        if (!schema_admits(forms->items[i], schema_type_of(value)))
            continue;
        candidates++;
        nearest = forms->items[i];
    }
    if (candidates < 2)
        return nearest;
    for (size_t i = 0; i < forms->count; i++) {
        if (!schema_admits(forms->items[i], schema_type_of(value)))
            continue;
        checking->counted = 0;
        check(checking, forms->items[i], value, spot, COUNT);
        if (checking->counted < fewest) {
            fewest = checking->counted;
            nearest = forms->items[i];
        }
    }
    checking->counted = outer;
    return nearest;
}

static const struct schema_node *first_fitting(struct checking *checking,
                                               const struct schema_list *forms, json_t *value,
                                               const struct schema_spot *spot, enum mode mode,
                                               size_t *count)
{
    const struct schema_node *first = NULL;

    for (size_t i = 0; i < forms->count; i++) {
        if (!check(checking, forms->items[i], value, spot, mode))
            continue;
        if (!first)
            first = forms->items[i];
        ++*count;
    }
    return first;
}

static unsigned types_of_forms(const struct schema_list *forms)
{
    unsigned types = 0;

    for (size_t i = 0; i < forms->count; i++)
        types |= schema_types(forms->items[i]);
    return forms->count ? types : SCHEMA_ANY;
}

static bool check_forms(struct checking *checking, const struct schema_list *forms, bool only_one,
                        json_t *value, const struct schema_spot *spot, enum mode mode)
{
    size_t count = 0;
    const struct schema_node *form =
        first_fitting(checking, forms, value, spot, MATCH_EXACT, &count);
    bool exact;

    if (only_one && count > 1)
        return wrong(checking, spot, mode, "fits more than one of the forms that it may have",
                     NULL);
    exact = form;
    if (!form && mode != MATCH_EXACT)
        form = first_fitting(checking, forms, value, spot, MATCH, &count);
    if (mode < COUNT)
        return form;
    if (!form)
        form = nearest_form(checking, forms, value, spot);
    if (!form)
        return wrong_kind(checking, types_of_forms(forms), value, spot, mode);
    if (exact && !(form->bears & SCHEMA_DEPRECATED))
        return true;
    /* Its warnings, or why it does not fit. */
    return check(checking, form, value, spot, mode);
}

unsigned schema_types(const struct schema_node *node)
{
    unsigned types = node->never ? 0 : node->types;

    /* A number is a whole number, too. */
    types |= types & SCHEMA_NUMBER ? SCHEMA_INTEGER : 0;
    if (node->target)
        types &= schema_types(node->target);
    for (size_t i = 0; i < node->all_of.count; i++)
        types &= schema_types(node->all_of.items[i]);
    return types & types_of_forms(&node->one_of) & types_of_forms(&node->any_of);
}

bool schema_admits(const struct schema_node *node, unsigned type)
{
    return schema_types(node) & type;
}

static bool check_all(struct checking *checking, const struct schema_node *node, json_t *value,
                      const struct schema_spot *spot, enum mode mode)
{
    bool fits = !node->target || check(checking, node->target, value, spot, mode);

    for (size_t i = 0; i < node->all_of.count && (fits || mode >= COUNT); i++) {
        if (!check(checking, node->all_of.items[i], value, spot, mode))
            fits = false;
    }
    if (node->any_of.count && (fits || mode >= COUNT) &&
        !check_forms(checking, &node->any_of, false, value, spot, mode))
        fits = false;
    if (node->one_of.count && (fits || mode >= COUNT) &&
        !check_forms(checking, &node->one_of, true, value, spot, mode))
        fits = false;
    return fits;
}

static bool check_by_kind(struct checking *checking, const struct schema_node *node, json_t *value,
                          const struct schema_spot *spot, enum mode mode)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        return check_string(checking, node, value, spot, mode);
    case JSON_INTEGER:
    case JSON_REAL:
        return check_number(checking, node, value, spot, mode);
    case JSON_ARRAY:
        return check_array(checking, node, value, spot, mode);
    case JSON_OBJECT:
        return check_object(checking, node, value, spot, mode);
    default:
        return true;
    }
}

static bool check(struct checking *checking, const struct schema_node *node, json_t *value,
                  const struct schema_spot *spot, enum mode mode)
{
    struct schema_spot here = *spot;
    unsigned type = schema_type_of(value);
    bool fits;

    /* Beyond the limit nothing fits, and only that is told. */
    if (++checking->visits > SCHEMA_VISITS_MAX)
        return false;
    if (node->never)
        return wrong(checking, spot, mode, "must not be there", NULL);
    if (!(node->types & type))
        return wrong_kind(checking, node->types, value, spot, mode);
    here.secret |= (node->marks & SCHEMA_SECRET) != 0;
    if (node->marks & SCHEMA_DEPRECATED && mode == TELL && tells(checking, mode, true))
        warn_of_deprecation(checking, node, spot);
    if (json_is_string(value) && has_template(node, json_string_value(value)))
        return true;
    fits = check_value(checking, node, value, &here, mode);
    if ((fits || mode >= COUNT) && !check_by_kind(checking, node, value, &here, mode))
        fits = false;
    if ((fits || mode >= COUNT) && !check_all(checking, node, value, &here, mode))
        fits = false;
    return fits;
}

size_t schema_check(const struct schema *schema, json_t *value, const char *where,
                    struct positions *positions, schema_report *report, void *context)
{
    struct checking checking = {.root = value,
                                .where = where,
                                .positions = positions,
                                .report = report,
                                .context = context};
    struct schema_spot whole = {0};
    struct error error = ERROR_INIT;

    check(&checking, schema->nodes[0], value, &whole, TELL);
    if (checking.visits > SCHEMA_VISITS_MAX) {
        checking.errors++;
        error_set(&error, ERROR_INPUT, "the whole is too large to be checked");
        tell(&checking, &whole, NULL, false, &error);
    }
    return checking.errors;
}

void schema_report_problem(void *context, bool warning, const char *key, const struct error *error)
{
    problems_add_about(context, warning, key, error);
}
