/* Templates: the arguments of calls, tests, and functions; see template.h. */
#include "config/template_parts.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"

#include <ctype.h>

const struct template_entry *template_find(const struct template_entry *entries, size_t count,
                                           const char *name, size_t size)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(entries[i].name) == size && memcmp(entries[i].name, name, size) == 0)
            return &entries[i];
    }
    return NULL;
}

static int refuse_argument(struct call *call, size_t index, const char *wanted)
{
    template_refuse(call->run, call->node, "argument %zu of %s is %s, not %s", index + 1,
                    call->node->entry->name, template_kind(call->run, call->arguments[index]),
                    wanted);
    return -1;
}

int template_integer_argument(struct call *call, size_t index, json_int_t *number)
{
    struct number found;

    if (!call->arguments[index])
        return 0;
    if (!template_number(call->arguments[index], &found) || found.real)
        return refuse_argument(call, index, "a whole number");
    *number = found.integer;
    return 0;
}

bool template_flag_argument(const struct call *call, size_t index, bool fallback)
{
    return call->arguments[index] ? template_truth(call->run, call->arguments[index]) : fallback;
}

int template_text_argument(struct call *call, size_t index, const char **text)
{
    if (!call->arguments[index])
        return 0;
    if (!json_is_string(call->arguments[index]))
        return refuse_argument(call, index, "a text");
    *text = json_string_value(call->arguments[index]);
    return 0;
}

/* Tests. */

static bool is_undefined(const struct call *call)
{
    return call->subject == call->run->missing || call->subject == call->run->nothing;
}

static json_t *test_defined(struct call *call)
{
    return json_boolean(!is_undefined(call));
}

static json_t *test_undefined(struct call *call)
{
    return json_boolean(is_undefined(call));
}

static json_t *test_none(struct call *call)
{
    return json_boolean(json_is_null(call->subject));
}

static json_t *test_string(struct call *call)
{
    return json_boolean(json_is_string(call->subject));
}

static json_t *test_number(struct call *call)
{
    struct number number;

    return json_boolean(template_number(call->subject, &number));
}

static json_t *test_integer(struct call *call)
{
    return json_boolean(json_is_integer(call->subject));
}

static json_t *test_float(struct call *call)
{
    return json_boolean(json_is_real(call->subject));
}

static json_t *test_boolean(struct call *call)
{
    return json_boolean(json_is_boolean(call->subject));
}

static json_t *test_true(struct call *call)
{
    return json_boolean(json_is_true(call->subject));
}

static json_t *test_false(struct call *call)
{
    return json_boolean(json_is_false(call->subject));
}

static json_t *test_mapping(struct call *call)
{
    return json_boolean(json_is_object(call->subject) && !is_undefined(call));
}

/* As in Jinja: whatever has a length. */
static json_t *test_sequence(struct call *call)
{
    return json_boolean(json_is_object(call->subject) || json_is_array(call->subject) ||
                        json_is_string(call->subject));
}

static json_t *test_less(struct call *call)
{
    int order;

    if (template_order(call->run, call->node, call->subject, call->arguments[0], &order) < 0)
        return NULL;
    return json_boolean(order < 0);
}

static json_t *test_greater(struct call *call)
{
    int order;

    if (template_order(call->run, call->node, call->subject, call->arguments[0], &order) < 0)
        return NULL;
    return json_boolean(order > 0);
}

static json_t *negated(json_t *value)
{
    return value ? json_boolean(!json_is_true(value)) : NULL;
}

static json_t *test_less_equal(struct call *call)
{
    return negated(test_greater(call));
}

static json_t *test_greater_equal(struct call *call)
{
    return negated(test_less(call));
}

static json_t *test_equal(struct call *call)
{
    int same = template_equal(call->run, call->node, call->subject, call->arguments[0], 0);

    return same < 0 ? NULL : json_boolean(same);
}

static json_t *test_unequal(struct call *call)
{
    return negated(test_equal(call));
}

static json_t *test_in(struct call *call)
{
    int found = template_contains(call->run, call->node, call->arguments[0], call->subject);

    return found < 0 ? NULL : json_boolean(found);
}

/* Whether the remainder by the divisor, taken over, is the one given. */
static json_t *remains(struct call *call, json_t *divisor, double remainder)
{
    AUTO_JSON json_t *by = divisor, *rest = NULL;
    struct number number;

    if (!template_number(call->subject, &number) || !template_number(by, &number))
        return template_refuse(call->run, call->node, "%s is for numbers", call->node->entry->name);
    rest = template_calculate(call->run, call->node, OPERATOR_MODULO, call->subject, by);
    if (!rest)
        return NULL;
    template_number(rest, &number);
    return json_boolean(number.value == remainder);
}

static json_t *test_even(struct call *call)
{
    return remains(call, json_integer(2), 0);
}

static json_t *test_odd(struct call *call)
{
    return remains(call, json_integer(2), 1);
}

static json_t *test_divisible(struct call *call)
{
    return remains(call, json_incref(call->arguments[0]), 0);
}

/* Whether there are letters, and none of them is of the wrong case. */
static json_t *test_case(struct call *call, int (*right)(int), int (*wrong)(int))
{
    AUTO_JSON json_t *text = template_text(call->run, call->node, call->subject);
    bool found = false;

    if (!text)
        return NULL;
    for (const char *c = json_string_value(text); *c; c++) {
        if (wrong((unsigned char)*c))
            return json_false();
        found = found || right((unsigned char)*c);
    }
    return json_boolean(found);
}

static json_t *test_lower(struct call *call)
{
    return test_case(call, islower, isupper);
}

static json_t *test_upper(struct call *call)
{
    return test_case(call, isupper, islower);
}

const struct template_entry *template_find_test(const char *name, size_t size)
{
    static const struct template_entry tests[] = {
        {.name = "defined", .function = test_defined, .undefined = true},
        {.name = "undefined", .function = test_undefined, .undefined = true},
        {.name = "none", .function = test_none},
        {.name = "string", .function = test_string},
        {.name = "number", .function = test_number},
        {.name = "integer", .function = test_integer},
        {.name = "float", .function = test_float},
        {.name = "boolean", .function = test_boolean},
        {.name = "true", .function = test_true},
        {.name = "false", .function = test_false},
        {.name = "mapping", .function = test_mapping},
        {.name = "sequence", .function = test_sequence},
        {.name = "iterable", .function = test_sequence},
        {.name = "even", .function = test_even},
        {.name = "odd", .function = test_odd},
        {.name = "lower", .function = test_lower},
        {.name = "upper", .function = test_upper},
        {.name = "divisibleby", .function = test_divisible, .least = 1, .most = 1},
        {.name = "in", .function = test_in, .least = 1, .most = 1},
        {.name = "eq", .function = test_equal, .least = 1, .most = 1},
        {.name = "equalto", .function = test_equal, .least = 1, .most = 1},
        {.name = "ne", .function = test_unequal, .least = 1, .most = 1},
        {.name = "lt", .function = test_less, .least = 1, .most = 1},
        {.name = "lessthan", .function = test_less, .least = 1, .most = 1},
        {.name = "le", .function = test_less_equal, .least = 1, .most = 1},
        {.name = "gt", .function = test_greater, .least = 1, .most = 1},
        {.name = "greaterthan", .function = test_greater, .least = 1, .most = 1},
        {.name = "ge", .function = test_greater_equal, .least = 1, .most = 1},
    };

    return template_find(tests, ARRAY_SIZE(tests), name, size);
}

/* Functions. */

static json_t *function_range(struct call *call)
{
    AUTO_JSON json_t *list = memory_need(json_array());
    json_int_t from = 0, to = 0, step = 1;

    if (template_integer_argument(call, 0, call->count > 1 ? &from : &to) < 0 ||
        (call->count > 1 && template_integer_argument(call, 1, &to) < 0) ||
        (call->count > 2 && template_integer_argument(call, 2, &step) < 0))
        return NULL;
    if (!step)
        return template_refuse(call->run, call->node, "a step of 0");
    while (step > 0 ? from < to : from > to) {
        if (template_push(call->run, call->node, list, json_integer(from)) < 0)
            return NULL;
        if (__builtin_add_overflow(from, step, &from))
            break;
    }
    return TAKE_POINTER(list);
}

const struct template_entry *template_find_function(const char *name, size_t size)
{
    static const struct template_entry functions[] = {
        {.name = "range", .function = function_range, .least = 1, .most = 3},
    };

    return template_find(functions, ARRAY_SIZE(functions), name, size);
}
