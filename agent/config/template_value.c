/* Templates: how values print and compare, as Python's do; see template.h. */
#include "config/template_parts.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"

#include <float.h>
#include <math.h>

enum { EXPONENT_BELOW = -4, EXPONENT_FROM = 16 }; /* where Python's repr of a float changes */

size_t template_length(const char *text, size_t size)
{
    size_t count = 0;

    for (size_t i = 0; i < size; i++)
        count += (text[i] & 0xc0) != 0x80;
    return count;
}

size_t template_offset(const char *text, size_t size, size_t character)
{
    size_t at = 0;

    for (; at < size; at++) {
        if ((text[at] & 0xc0) != 0x80 && character-- == 0)
            break;
    }
    return at;
}

bool template_truth(const struct run *run, const json_t *value)
{
    struct number number;

    if (value == run->nothing || json_is_null(value))
        return false;
    if (template_number(value, &number))
        return number.value != 0;
    if (json_is_string(value))
        return json_string_length(value) > 0;
    return json_is_object(value) ? json_object_size(value) > 0 : json_array_size(value) > 0;
}

const char *template_kind(const struct run *run, const json_t *value)
{
    if (value == run->nothing || value == run->missing)
        return "nothing";
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "a mapping";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a text";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a truth value";
    default:
        return "none";
    }
}

bool template_number(const json_t *value, struct number *number)
{
    *number = (struct number){.real = json_is_real(value)};
    if (json_is_real(value)) {
        number->value = json_real_value(value);
        return true;
    }
    if (!json_is_integer(value) && !json_is_boolean(value))
        return false;
    number->integer = json_is_integer(value) ? json_integer_value(value) : json_is_true(value);
    number->value = (double)number->integer;
    return true;
}

static int full(struct run *run, const struct node *node)
{
    template_refuse(run, node, "what the template makes grows too large");
    return -1;
}

static int append(struct run *run, const struct node *node, struct buffer *out, const char *bytes,
                  size_t size)
{
    if (template_count_bytes(run, node, size) < 0)
        return -1;
    return buffer_append(out, bytes, size) ? 0 : full(run, node);
}

/* The shortest digits that read back as the same number, as Python's repr writes them. */
static int print_real(struct run *run, const struct node *node, double value, struct buffer *out)
{
    char text[40], digits[24];
    int precision = fabs(value) < DBL_MIN ? 0 : DBL_DIG - 1, exponent, count;
    const char *point;

    do {
        snprintf(text, sizeof text, "%.*e", precision, value);
    } while (strtod(text, NULL) != value && ++precision < 17);
    point = strchr(text, 'e');
    exponent = point ? (int)strtol(point + 1, NULL, 10) : 0;
    if (exponent >= EXPONENT_BELOW && exponent < EXPONENT_FROM) {
        snprintf(text, sizeof text, "%.*f", precision > exponent ? precision - exponent : 1, value);
        count = (int)strlen(text);
        while (count > 2 && text[count - 1] == '0' && text[count - 2] != '.')
            count--;
        return append(run, node, out, text, (size_t)count);
    }
    count = (int)(point ? point - text : 0);
    while (count > 1 && (text[count - 1] == '0' || text[count - 1] == '.'))
        count--;
    snprintf(digits, sizeof digits, "%.*s", count, text);
    snprintf(text, sizeof text, "%se%c%02d", digits, exponent < 0 ? '-' : '+', abs(exponent));
    return append(run, node, out, text, strlen(text));
}

/* A text in quotes, as it stands in a printed list. */
static int quote(struct run *run, const struct node *node, const char *text, struct buffer *out)
{
    char mark = strchr(text, '\'') && !strchr(text, '"') ? '"' : '\'';
    char escape[8];

    if (append(run, node, out, &mark, 1) < 0)
        return -1;
    for (; *text; text++) {
        static const char letters[] = "\n\r\t\\", names[] = "nrt\\";
        const char *letter = strchr(letters, *text);
        unsigned char c = (unsigned char)*text;

        if (letter)
            snprintf(escape, sizeof escape, "\\%c", names[letter - letters]);
        else if (c < 0x20 || c == 0x7f)
            snprintf(escape, sizeof escape, "\\x%02x", c);
        else
            snprintf(escape, sizeof escape, "%s%c", *text == mark ? "\\" : "", *text);
        if (append(run, node, out, escape, strlen(escape)) < 0)
            return -1;
    }
    return append(run, node, out, &mark, 1);
}

static int represent(struct run *run, const struct node *node, const json_t *value, unsigned depth,
                     struct buffer *out);

static int represent_list(struct run *run, const struct node *node, const json_t *value,
                          unsigned depth, struct buffer *out)
{
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (append(run, node, out, i ? ", " : "[", i ? 2 : 1) < 0 ||
            represent(run, node, json_array_get(value, i), depth + 1, out) < 0)
            return -1;
    }
    return json_array_size(value) ? append(run, node, out, "]", 1)
                                  : append(run, node, out, "[]", 2);
}

static int represent_mapping(struct run *run, const struct node *node, const json_t *value,
                             unsigned depth, struct buffer *out)
{
    const char *key, *before = "{";
    json_t *item;

    /* jansson's macro wants an object that is not constant; nothing changes it. */
    json_object_foreach((json_t *)(uintptr_t)value, key, item)
    {
        if (append(run, node, out, before, strlen(before)) < 0 || quote(run, node, key, out) < 0 ||
            append(run, node, out, ": ", 2) < 0 || represent(run, node, item, depth + 1, out) < 0)
            return -1;
        before = ", ";
    }
    return *before == ',' ? append(run, node, out, "}", 1) : append(run, node, out, "{}", 2);
}

static int represent(struct run *run, const struct node *node, const json_t *value, unsigned depth,
                     struct buffer *out)
{
    char digits[32];

    if (depth > TEMPLATE_VALUE_DEPTH_MAX) {
        template_refuse(run, node, "a value that is nested too deeply");
        return -1;
    }
    if (template_count(run, node, 1) < 0)
        return -1;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return represent_mapping(run, node, value, depth, out);
    case JSON_ARRAY:
        return represent_list(run, node, value, depth, out);
    case JSON_STRING:
        return quote(run, node, json_string_value(value), out);
    case JSON_INTEGER:
        snprintf(digits, sizeof digits, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return append(run, node, out, digits, strlen(digits));
    case JSON_REAL:
        return print_real(run, node, json_real_value(value), out);
    case JSON_TRUE:
        return append(run, node, out, "True", 4);
    case JSON_FALSE:
        return append(run, node, out, "False", 5);
    default:
        return append(run, node, out, "None", 4);
    }
}

int template_print(struct run *run, const struct node *node, const json_t *value,
                   struct buffer *out)
{
    if (value == run->nothing)
        return 0;
    if (json_is_string(value))
        return append(run, node, out, json_string_value(value), json_string_length(value));
    return represent(run, node, value, 0, out);
}

json_t *template_text(struct run *run, const struct node *node, json_t *value)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(TEMPLATE_TEXT_MAX);

    if (json_is_string(value))
        return json_incref(value);
    if (template_print(run, node, value, &text) < 0)
        return NULL;
    return memory_need(json_stringn(buffer_text(&text), text.size));
}

static int equal_lists(struct run *run, const struct node *node, const json_t *a, const json_t *b,
                       unsigned depth)
{
    int same = json_array_size(a) == json_array_size(b);

    for (size_t i = 0; same == 1 && i < json_array_size(a); i++)
        same = template_equal(run, node, json_array_get(a, i), json_array_get(b, i), depth + 1);
    return same;
}

static int equal_mappings(struct run *run, const struct node *node, const json_t *a,
                          const json_t *b, unsigned depth)
{
    int same = json_object_size(a) == json_object_size(b);
    const char *key;
    json_t *item;

    json_object_foreach((json_t *)(uintptr_t)a, key, item)
    {
        const json_t *other = json_object_get(b, key);

        if (same == 1)
            same = other ? template_equal(run, node, item, other, depth + 1) : 0;
    }
    return same;
}

int template_equal(struct run *run, const struct node *node, const json_t *a, const json_t *b,
                   unsigned depth)
{
    struct number x, y;

    if (depth > TEMPLATE_VALUE_DEPTH_MAX) {
        template_refuse(run, node, "a value that is nested too deeply");
        return -1;
    }
    if (template_count(run, node, 1) < 0 ||
        (json_is_string(a) && template_count_value(run, node, a) < 0))
        return -1;
    if (a == run->nothing || b == run->nothing)
        return a == b;
    if (template_number(a, &x) && template_number(b, &y))
        return x.real || y.real ? x.value == y.value : x.integer == y.integer;
    if (json_typeof(a) != json_typeof(b))
        return 0;
    switch (json_typeof(a)) {
    case JSON_OBJECT:
        return equal_mappings(run, node, a, b, depth);
    case JSON_ARRAY:
        return equal_lists(run, node, a, b, depth);
    case JSON_STRING:
        return strcmp(json_string_value(a), json_string_value(b)) == 0;
    default:
        return 1;
    }
}

static int sign_of(bool above, bool below)
{
    return (above ? 1 : 0) - (below ? 1 : 0);
}

/* Two lists: the first items that differ decide. */
static int order_lists(struct run *run, const struct node *node, const json_t *a, const json_t *b,
                       int *order)
{
    size_t i = 0;

    for (; i < json_array_size(a) && i < json_array_size(b); i++) {
        const json_t *x = json_array_get(a, i), *y = json_array_get(b, i);
        int same = template_equal(run, node, x, y, 0);

        if (same < 0)
            return -1;
        /* Lists in lists have no order here: that keeps this from recursing. */
        if (!same && !(json_is_array(x) && json_is_array(y)))
            return template_order(run, node, x, y, order);
        if (!same) {
            template_refuse(run, node, "lists of lists have no order");
            return -1;
        }
    }
    *order = sign_of(i < json_array_size(a), i < json_array_size(b));
    return 0;
}

int template_order(struct run *run, const struct node *node, const json_t *a, const json_t *b,
                   int *order)
{
    struct number x, y;

    if (template_count(run, node, 1) < 0 ||
        (json_is_string(a) && template_count_value(run, node, a) < 0))
        return -1;
    if (template_number(a, &x) && template_number(b, &y)) {
        if (x.real || y.real)
            *order = sign_of(x.value > y.value, x.value < y.value);
        else
            *order = sign_of(x.integer > y.integer, x.integer < y.integer);
        return 0;
    }
    if (json_is_string(a) && json_is_string(b)) {
        *order = strcmp(json_string_value(a), json_string_value(b));
        return 0;
    }
    if (json_is_array(a) && json_is_array(b))
        return order_lists(run, node, a, b, order);
    template_refuse(run, node, "%s and %s have no order", template_kind(run, a),
                    template_kind(run, b));
    return -1;
}

int template_contains(struct run *run, const struct node *node, const json_t *container,
                      const json_t *item)
{
    int found = 0;

    if (template_count_value(run, node, container) < 0)
        return -1;
    if (json_is_string(container) && json_is_string(item))
        return strstr(json_string_value(container), json_string_value(item)) != NULL;
    if (json_is_object(container) && container != run->nothing)
        return json_is_string(item) && template_member(container, json_string_value(item),
                                                       json_string_length(item)) != NULL;
    if (container == run->nothing)
        return 0;
    if (!json_is_array(container)) {
        template_refuse(run, node, "%s cannot be in %s", template_kind(run, item),
                        template_kind(run, container));
        return -1;
    }
    for (size_t i = 0; !found && i < json_array_size(container); i++)
        found = template_equal(run, node, json_array_get(container, i), item, 0);
    return found;
}

int template_check_depth(struct run *run, const struct node *node, const json_t *value,
                         unsigned levels)
{
    const char *key;
    json_t *item;

    if (!json_is_array(value) && !json_is_object(value))
        return 0;
    if (!levels) {
        template_refuse(run, node, "a value that is nested too deeply");
        return -1;
    }
    if (template_count(run, node, 1 + json_array_size(value) + json_object_size(value)) < 0)
        return -1;
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (template_check_depth(run, node, json_array_get(value, i), levels - 1) < 0)
            return -1;
    }
    json_object_foreach((json_t *)(uintptr_t)value, key, item)
    {
        if (template_check_depth(run, node, item, levels - 1) < 0)
            return -1;
    }
    return 0;
}

static json_t *characters(struct run *run, const struct node *node, const json_t *value)
{
    const char *text = json_string_value(value);
    size_t size = json_string_length(value);
    AUTO_JSON json_t *list = memory_need(json_array());

    for (size_t at = 0; at < size;) {
        size_t length = template_offset(text + at, size - at, 1);

        if (template_push(run, node, list, json_stringn(text + at, length)) < 0)
            return NULL;
        at += length;
    }
    return TAKE_POINTER(list);
}

json_t *template_items(struct run *run, const struct node *node, json_t *value)
{
    AUTO_JSON json_t *list = NULL;
    const char *key;
    json_t *item;

    if (json_is_array(value))
        return json_incref(value);
    if (json_is_string(value))
        return characters(run, node, value);
    if (!json_is_object(value))
        return template_refuse(run, node, "%s cannot be gone through", template_kind(run, value));
    list = memory_need(json_array());
    json_object_foreach(value, key, item)
    {
        if (template_push(run, node, list, json_string(key)) < 0)
            return NULL;
    }
    return TAKE_POINTER(list);
}
