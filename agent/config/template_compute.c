/* Templates: the value of an expression; see template.h. */
#include "config/template_parts.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"

/* Characters that Jinja takes for operators: each is an _ in an attribute's name. */
static bool is_operator(char c)
{
    return c && strchr("+-/*%~[](){}><=.:|,;", c);
}

static size_t operator_size(const char *text)
{
    static const char *const doubles[] = {"//", "**", "==", "!=", ">=", "<="};

    for (size_t i = 0; i < ARRAY_SIZE(doubles); i++) {
        if (strncmp(text, doubles[i], 2) == 0)
            return 2;
    }
    return is_operator(*text) ? 1 : 0;
}

/* Whether the key, its operators read as _, is that name. */
static bool is_alias(const char *key, const char *name, size_t size)
{
    size_t at = 0;

    for (; *key && at < size; at++) {
        size_t taken = name[at] == '_' ? operator_size(key) : 0;

        if (!taken && *key != name[at])
            return false;
        key += taken ? taken : 1;
    }
    return !*key && at == size;
}

json_t *template_member(const json_t *object, const char *name, size_t size)
{
    json_t *value = json_object_getn(object, name, size);
    const char *key;

    if (value || !memchr(name, '_', size))
        return value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if (is_alias(key, name, size))
            return value;
    }
    return NULL;
}

static json_t *missing(struct run *run, const struct node *node)
{
    run->missing_node = node;
    return json_incref(run->missing);
}

static json_t *compute_name(struct run *run, const struct node *node)
{
    json_t *value = template_look_up(run, node->text, node->size);

    if (!value && template_count_value(run, node, run->variables) < 0)
        return NULL;
    return value && value != run->missing ? json_incref(value) : missing(run, node);
}

/* What has no attributes at all is an error; what has, has this one or not. */
static json_t *compute_attribute(struct run *run, const struct node *node)
{
    AUTO_JSON json_t *one = template_compute(run, node->one);
    json_t *value;

    if (!one || one == run->missing)
        return TAKE_POINTER(one);
    if (one == run->nothing || !json_is_object(one))
        return missing(run, node);
    if (template_count_value(run, node, one) < 0)
        return NULL;
    value = template_member(one, node->text, node->size);
    return value ? json_incref(value) : missing(run, node);
}

static json_t *item_of_text(struct run *run, const struct node *node, const json_t *text,
                            json_int_t index)
{
    const char *bytes = json_string_value(text);
    size_t size = json_string_length(text), length = template_length(bytes, size), at;

    if (template_count_bytes(run, node, size) < 0)
        return NULL;
    if (index < 0)
        index += (json_int_t)length;
    if (index < 0 || (size_t)index >= length)
        return missing(run, node);
    at = template_offset(bytes, size, (size_t)index);
    return template_string(run, node, bytes + at, template_offset(bytes + at, size - at, 1));
}

static json_t *item_of(struct run *run, const struct node *node, json_t *container,
                       const json_t *index)
{
    json_t *value = NULL;
    json_int_t number;

    if (json_is_object(container)) {
        if (json_is_string(index))
            value = template_member(container, json_string_value(index), json_string_length(index));
    } else if (json_is_integer(index) || json_is_boolean(index)) {
        number = json_is_integer(index) ? json_integer_value(index) : json_is_true(index);
        if (json_is_string(container))
            return item_of_text(run, node, container, number);
        if (number < 0)
            number += (json_int_t)json_array_size(container);
        if (number >= 0)
            value = json_array_get(container, (size_t)number);
    }
    return value ? json_incref(value) : missing(run, node);
}

static json_t *compute_subscript(struct run *run, const struct node *node)
{
    AUTO_JSON json_t *one = template_compute(run, node->one), *two = NULL;

    if (!one || one == run->missing)
        return TAKE_POINTER(one);
    if (!(two = template_need(run, node->two)) || template_count_value(run, node, one) < 0)
        return NULL;
    return one == run->nothing ? missing(run, node) : item_of(run, node, one, two);
}

/* A slice's bound: 1, 0 where it is not given, -1. */
static int slice_bound(struct run *run, const struct node *node, json_int_t *bound)
{
    AUTO_JSON json_t *value = node ? template_need(run, node) : NULL;

    if (!node || (value && json_is_null(value)))
        return 0;
    if (!value)
        return -1;
    if (!json_is_integer(value)) {
        template_refuse(run, node, "a part's bound is a whole number, not %s",
                        template_kind(run, value));
        return -1;
    }
    *bound = json_integer_value(value);
    return 1;
}

/* A bound as Python takes it: from the end where negative, and never outside. */
static json_int_t clamp(json_int_t bound, json_int_t length, bool backwards)
{
    json_int_t lowest = backwards ? -1 : 0, highest = backwards ? length - 1 : length;

    if (bound < 0)
        bound = bound < -length ? lowest : bound + length;
    return bound < lowest ? lowest : bound > highest ? highest : bound;
}

/* The items of a list at from, from + step, … before to; length is the list's. */
static json_t *take_slice(struct run *run, const struct node *node, const json_t *list,
                          json_int_t bounds[3], const int given[3])
{
    json_int_t length = (json_int_t)json_array_size(list), step = given[2] ? bounds[2] : 1;
    json_int_t from, to;
    AUTO_JSON json_t *items = memory_need(json_array());

    if (!step)
        return template_refuse(run, node, "a step of 0");
    if (step > length + 1 || step < -length - 1)
        step = step > 0 ? length + 1 : -length - 1;
    from = given[0] ? clamp(bounds[0], length, step < 0) : step < 0 ? length - 1 : 0;
    to = given[1] ? clamp(bounds[1], length, step < 0) : step < 0 ? -1 : length;
    for (json_int_t i = from; step > 0 ? i < to : i > to; i += step) {
        if (template_push(run, node, items, json_incref(json_array_get(list, (size_t)i))) < 0)
            return NULL;
    }
    return TAKE_POINTER(items);
}

static json_t *compute_slice(struct run *run, const struct node *node)
{
    AUTO_JSON json_t *one = template_need(run, node->one), *list = NULL, *items = NULL;
    AUTO_BUFFER struct buffer text = BUFFER_INIT(TEMPLATE_TEXT_MAX);
    const struct node *nodes[] = {node->two, node->three, node->four};
    json_int_t bounds[3] = {0};
    int given[3];

    for (int i = 0; one && i < 3; i++) {
        given[i] = slice_bound(run, nodes[i], &bounds[i]);
        if (given[i] < 0)
            return NULL;
    }
    if (!one)
        return NULL;
    if (!json_is_array(one) && !json_is_string(one))
        return template_refuse(run, node, "%s has no parts", template_kind(run, one));
    if (!(list = template_items(run, node, one)) ||
        !(items = take_slice(run, node, list, bounds, given)))
        return NULL;
    if (json_is_array(one))
        return TAKE_POINTER(items);
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);

        buffer_append(&text, json_string_value(item), json_string_length(item));
    }
    return template_string(run, node, buffer_text(&text), text.size);
}

/* As template_need, for what becomes part of a value: nothing cannot. */
static json_t *need_part(struct run *run, const struct node *node)
{
    json_t *value = template_need(run, node);

    if (value != run->nothing)
        return value;
    json_decref(value);
    return template_refuse(run, node, "an if without else gives nothing here");
}

static json_t *compute_list(struct run *run, const struct node *node)
{
    AUTO_JSON json_t *list = memory_need(json_array());

    for (const struct node *item = node->list; item; item = item->next) {
        json_t *value = need_part(run, item);

        if (!value || template_push(run, node, list, value) < 0)
            return NULL;
    }
    if (template_check_depth(run, node, list, TEMPLATE_VALUE_DEPTH_MAX) < 0)
        return NULL;
    return TAKE_POINTER(list);
}

static json_t *compute_dict(struct run *run, const struct node *node)
{
    AUTO_JSON json_t *object = memory_need(json_object());

    for (const struct node *item = node->list; item; item = item->next->next) {
        AUTO_JSON json_t *key = template_need(run, item);
        AUTO_JSON json_t *value = key ? need_part(run, item->next) : NULL;

        if (!value)
            return NULL;
        if (!json_is_string(key))
            return template_refuse(run, item, "a key is a text, not %s", template_kind(run, key));
        json_put(object, json_string_value(key), TAKE_POINTER(value));
    }
    if (template_check_depth(run, node, object, TEMPLATE_VALUE_DEPTH_MAX) < 0)
        return NULL;
    return TAKE_POINTER(object);
}

static json_t *compute_concat(struct run *run, const struct node *node)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(TEMPLATE_TEXT_MAX);

    for (const struct node *item = node->list; item; item = item->next) {
        AUTO_JSON json_t *value = template_need(run, item);

        if (!value || template_print(run, item, value, &text) < 0)
            return NULL;
    }
    return template_string(run, node, buffer_text(&text), text.size);
}

/* 1, 0, -1: whether the comparison holds. */
static int holds(struct run *run, const struct node *operand, json_t *left, json_t *right)
{
    int order = 0, result;

    switch (operand->operation) {
    case OPERATOR_EQUAL:
        return template_equal(run, operand, left, right, 0);
    case OPERATOR_UNEQUAL:
        result = template_equal(run, operand, left, right, 0);
        return result < 0 ? -1 : !result;
    case OPERATOR_IN:
        return template_contains(run, operand, right, left);
    case OPERATOR_NOT_IN:
        result = template_contains(run, operand, right, left);
        return result < 0 ? -1 : !result;
    default:
        break;
    }
    if (template_order(run, operand, left, right, &order) < 0)
        return -1;
    switch (operand->operation) {
    case OPERATOR_LESS:
        return order < 0;
    case OPERATOR_LESS_EQUAL:
        return order <= 0;
    case OPERATOR_GREATER:
        return order > 0;
    default:
        return order >= 0;
    }
}

/* a < b < c: each pair must hold, and what comes behind the first that does not is not looked at.
 */
static json_t *compute_compare(struct run *run, const struct node *node)
{
    AUTO_JSON json_t *left = template_need(run, node->one);
    int result = 1;

    for (const struct node *operand = node->list; left && result && operand;
         operand = operand->next) {
        json_t *right = template_need(run, operand->one);

        result = right ? holds(run, operand, left, right) : -1;
        if (result < 0) {
            json_decref(right);
            return NULL;
        }
        json_decref(left);
        left = right;
    }
    return left ? json_boolean(result) : NULL;
}

/* and, or: the operand that decides is the value. */
static json_t *compute_choice(struct run *run, const struct node *node)
{
    AUTO_JSON json_t *one = template_need(run, node->one);

    if (!one)
        return NULL;
    if (template_truth(run, one) == (node->kind == NODE_OR))
        return TAKE_POINTER(one);
    return template_need(run, node->two);
}

static json_t *compute_not(struct run *run, const struct node *node)
{
    AUTO_JSON json_t *one = template_need(run, node->one);

    return one ? json_boolean(!template_truth(run, one)) : NULL;
}

static json_t *compute_condition(struct run *run, const struct node *node)
{
    AUTO_JSON json_t *one = template_need(run, node->one);

    if (!one)
        return NULL;
    if (template_truth(run, one))
        return template_compute(run, node->two);
    return node->three ? template_compute(run, node->three) : json_incref(run->nothing);
}

static json_t *compute_unary(struct run *run, const struct node *node)
{
    AUTO_JSON json_t *one = template_need(run, node->one), *zero = json_integer(0);
    struct number number;

    if (!one)
        return NULL;
    if (!template_number(one, &number))
        return template_refuse(run, node, "a sign before %s", template_kind(run, one));
    if (number.real)
        return template_real(run, node,
                             node->operation == OPERATOR_SUBTRACT ? -number.value : number.value);
    return template_calculate(run, node, node->operation, zero, one);
}

static json_t *compute_binary(struct run *run, const struct node *node)
{
    AUTO_JSON json_t *one = template_need(run, node->one), *two = NULL;

    if (one)
        two = template_need(run, node->two);
    if (two)
        return template_calculate(run, node, node->operation, one, two);
    /* v1.local-hostname is v1.local minus hostname. */
    if (node->operation == OPERATOR_SUBTRACT && run->missing_node)
        error_hint(run->source->error, "a \"-\" within a name is written \"_\"");
    return NULL;
}

static json_t *compute_call(struct run *run, const struct node *node)
{
    struct call call = {.run = run, .node = node};
    json_t *result = NULL;
    bool is_well = true;

    if (node->one) {
        call.subject = node->entry->undefined ? template_compute(run, node->one)
                                              : template_need(run, node->one);
        is_well = call.subject && template_count_value(run, node, call.subject) == 0;
    }
    for (const struct node *item = node->list; is_well && item; item = item->next) {
        size_t i = call.count++;

        if (item->kind == NODE_ABSENT)
            continue;
        call.arguments[i] = template_need(run, item);
        is_well = call.arguments[i] && template_count_value(run, node, call.arguments[i]) == 0;
    }
    if (is_well)
        result = node->entry->function(&call);
    json_decref(call.subject);
    for (size_t i = 0; i < call.count; i++)
        json_decref(call.arguments[i]);
    return result;
}

json_t *template_compute(struct run *run, const struct node *node)
{
    if (template_count(run, node, 1) < 0)
        return NULL;
    switch (node->kind) {
    case NODE_CONST:
        return json_incref(node->value);
    case NODE_NAME:
        return compute_name(run, node);
    case NODE_LIST:
        return compute_list(run, node);
    case NODE_DICT:
        return compute_dict(run, node);
    case NODE_ATTRIBUTE:
        return compute_attribute(run, node);
    case NODE_SUBSCRIPT:
        return compute_subscript(run, node);
    case NODE_SLICE:
        return compute_slice(run, node);
    case NODE_UNARY:
        return compute_unary(run, node);
    case NODE_BINARY:
        return compute_binary(run, node);
    case NODE_CONCAT:
        return compute_concat(run, node);
    case NODE_COMPARE:
        return compute_compare(run, node);
    case NODE_AND:
    case NODE_OR:
        return compute_choice(run, node);
    case NODE_NOT:
        return compute_not(run, node);
    case NODE_CONDITION:
        return compute_condition(run, node);
    default:
        return compute_call(run, node);
    }
}

json_t *template_need(struct run *run, const struct node *node)
{
    json_t *value = template_compute(run, node);

    if (value != run->missing)
        return value;
    json_decref(value);
    return template_refuse_missing(run);
}
