/* Templates: arithmetic, as Python's on numbers of 64 bits; see template.h. */
#include "config/template_parts.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"

#include <math.h>

json_t *template_real(struct run *run, const struct node *node, double value)
{
    if (!isfinite(value))
        return template_refuse(run, node, "the number is too large");
    return memory_need(json_real(value));
}

static json_t *too_large(struct run *run, const struct node *node)
{
    return template_refuse(run, node, "the number is too large");
}

static json_t *by_zero(struct run *run, const struct node *node)
{
    return template_refuse(run, node, "a division by zero");
}

/* Powers of whole numbers by squaring. */
static json_t *integer_power(struct run *run, const struct node *node, json_int_t base,
                             json_int_t exponent)
{
    json_int_t result = 1;

    while (exponent) {
        if ((exponent & 1) && __builtin_mul_overflow(result, base, &result))
            return too_large(run, node);
        exponent >>= 1;
        if (exponent && __builtin_mul_overflow(base, base, &base))
            return too_large(run, node);
    }
    return json_integer(result);
}

/* Division that rounds down, and a remainder with the divisor's sign. */
static json_t *integer_division(struct run *run, const struct node *node, bool remainder,
                                json_int_t x, json_int_t y)
{
    bool rounds;

    if (y == 0)
        return by_zero(run, node);
    if (y == -1) {
        if (!remainder && __builtin_sub_overflow((json_int_t)0, x, &x))
            return too_large(run, node);
        return json_integer(remainder ? 0 : x);
    }
    rounds = x % y != 0 && (x % y < 0) != (y < 0);
    if (remainder)
        return json_integer(rounds ? x % y + y : x % y);
    return json_integer(rounds ? x / y - 1 : x / y);
}

static json_t *calculate_integers(struct run *run, const struct node *node,
                                  enum template_operator operation, json_int_t x, json_int_t y)
{
    json_int_t result;
    bool overflows;

    switch (operation) {
    case OPERATOR_ADD:
        overflows = __builtin_add_overflow(x, y, &result);
        break;
    case OPERATOR_SUBTRACT:
        overflows = __builtin_sub_overflow(x, y, &result);
        break;
    case OPERATOR_MULTIPLY:
        overflows = __builtin_mul_overflow(x, y, &result);
        break;
    case OPERATOR_FLOOR:
        return integer_division(run, node, false, x, y);
    case OPERATOR_MODULO:
        return integer_division(run, node, true, x, y);
    default:
        return integer_power(run, node, x, y);
    }
    return overflows ? too_large(run, node) : json_integer(result);
}

static json_t *real_division(struct run *run, const struct node *node, bool remainder, double x,
                             double y)
{
    double rest, quotient;

    if (y == 0)
        return by_zero(run, node);
    rest = fmod(x, y);
    quotient = (x - rest) / y;
    if (rest != 0 && (rest < 0) != (y < 0)) {
        rest += y;
        quotient -= 1;
    } else if (rest == 0) {
        rest = copysign(0, y);
    }
    if (remainder)
        return template_real(run, node, rest);
    if (quotient == 0)
        return template_real(run, node, copysign(0, x / y));
    return template_real(run, node,
                         quotient - floor(quotient) > 0.5 ? ceil(quotient) : floor(quotient));
}

static json_t *calculate_reals(struct run *run, const struct node *node,
                               enum template_operator operation, double x, double y)
{
    switch (operation) {
    case OPERATOR_ADD:
        return template_real(run, node, x + y);
    case OPERATOR_SUBTRACT:
        return template_real(run, node, x - y);
    case OPERATOR_MULTIPLY:
        return template_real(run, node, x * y);
    case OPERATOR_DIVIDE:
        return y == 0 ? by_zero(run, node) : template_real(run, node, x / y);
    case OPERATOR_FLOOR:
        return real_division(run, node, false, x, y);
    case OPERATOR_MODULO:
        return real_division(run, node, true, x, y);
    default:
        if (x == 0 && y < 0)
            return by_zero(run, node);
        return template_real(run, node, pow(x, y));
    }
}

/* A text or list so many times. */
static json_t *repeat(struct run *run, const struct node *node, json_t *value, json_int_t times)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(TEMPLATE_TEXT_MAX);
    AUTO_JSON json_t *list = NULL;

    if (json_is_string(value)) {
        for (json_int_t i = 0; i < times && json_string_length(value); i++) {
            if (template_count(run, node, 1) < 0)
                return NULL;
            if (!buffer_append(&text, json_string_value(value), json_string_length(value)))
                return template_refuse(run, node, "a text that grows too large");
        }
        return template_string(run, node, buffer_text(&text), text.size);
    }
    list = memory_need(json_array());
    for (json_int_t i = 0; i < times && json_array_size(value); i++) {
        for (size_t k = 0; k < json_array_size(value); k++) {
            if (template_push(run, node, list, json_incref(json_array_get(value, k))) < 0)
                return NULL;
        }
    }
    return TAKE_POINTER(list);
}

/* Two texts or two lists as one. */
static json_t *join_two(struct run *run, const struct node *node, const json_t *left,
                        const json_t *right)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(SIZE_MAX / 2);
    AUTO_JSON json_t *list = NULL;
    const json_t *lists[] = {left, right};

    if (json_is_string(left)) {
        buffer_append(&text, json_string_value(left), json_string_length(left));
        buffer_append(&text, json_string_value(right), json_string_length(right));
        return template_string(run, node, buffer_text(&text), text.size);
    }
    list = memory_need(json_array());
    for (int i = 0; i < 2; i++) {
        for (size_t k = 0; k < json_array_size(lists[i]); k++) {
            if (template_push(run, node, list, json_incref(json_array_get(lists[i], k))) < 0)
                return NULL;
        }
    }
    return TAKE_POINTER(list);
}

static bool is_row(const json_t *value)
{
    return json_is_string(value) || json_is_array(value);
}

static bool is_whole(const json_t *value)
{
    return json_is_integer(value) || json_is_boolean(value);
}

/* What has no numbers on both sides. */
static json_t *calculate_others(struct run *run, const struct node *node,
                                enum template_operator operation, json_t *left, json_t *right)
{
    struct number times;

    if (operation == OPERATOR_ADD && is_row(left) && json_typeof(left) == json_typeof(right))
        return join_two(run, node, left, right);
    if (operation == OPERATOR_MULTIPLY && is_row(left) && is_whole(right)) {
        template_number(right, &times);
        return repeat(run, node, left, times.integer);
    }
    if (operation == OPERATOR_MULTIPLY && is_whole(left) && is_row(right)) {
        template_number(left, &times);
        return repeat(run, node, right, times.integer);
    }
    template_refuse(run, node, "%s and %s do not go together here", template_kind(run, left),
                    template_kind(run, right));
    if (operation == OPERATOR_ADD && (json_is_string(left) || json_is_string(right)))
        error_hint(run->source->error, "~ makes one text of two values");
    return NULL;
}

json_t *template_calculate(struct run *run, const struct node *node,
                           enum template_operator operation, json_t *left, json_t *right)
{
    struct number x, y;

    if (!template_number(left, &x) || !template_number(right, &y))
        return calculate_others(run, node, operation, left, right);
    if (x.real || y.real || operation == OPERATOR_DIVIDE ||
        (operation == OPERATOR_POWER && y.integer < 0))
        return calculate_reals(run, node, operation, x.value, y.value);
    return calculate_integers(run, node, operation, x.integer, y.integer);
}
