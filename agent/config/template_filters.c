/* Templates: the filters of texts and numbers, and the table of all filters; see template.h. */
#include "config/template_parts.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"

#include <errno.h>
#include <math.h>

enum { PRECISION_MAX = 30, BASE64_GROUP = 3, INDENT_MAX = 1000 };

static char to_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static char to_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* default(value='', boolean=false): the one filter that looks at what is missing. */
static json_t *filter_default(struct call *call)
{
    bool for_false = template_flag_argument(call, 1, false);

    if (call->subject != call->run->missing && call->subject != call->run->nothing &&
        (!for_false || template_truth(call->run, call->subject)))
        return json_incref(call->subject);
    return call->arguments[0] ? json_incref(call->arguments[0]) : json_string("");
}

static json_t *filter_string(struct call *call)
{
    return template_text(call->run, call->node, call->subject);
}

/* The subject as a text whose bytes may be changed; the caller frees. NULL and an error. */
static char *copy_of_subject(struct call *call, size_t *size)
{
    AUTO_JSON json_t *text = template_text(call->run, call->node, call->subject);

    if (!text)
        return NULL;
    *size = json_string_length(text);
    return memory_copy_bytes(json_string_value(text), *size);
}

static json_t *filter_lower(struct call *call)
{
    size_t size = 0;
    AUTO_FREE char *text = copy_of_subject(call, &size);

    for (size_t i = 0; i < size; i++)
        text[i] = to_lower(text[i]);
    return text ? template_string(call->run, call->node, text, size) : NULL;
}

static json_t *filter_upper(struct call *call)
{
    size_t size = 0;
    AUTO_FREE char *text = copy_of_subject(call, &size);

    for (size_t i = 0; i < size; i++)
        text[i] = to_upper(text[i]);
    return text ? template_string(call->run, call->node, text, size) : NULL;
}

static json_t *filter_capitalize(struct call *call)
{
    size_t size = 0;
    AUTO_FREE char *text = copy_of_subject(call, &size);

    for (size_t i = 0; i < size; i++)
        text[i] = i ? to_lower(text[i]) : to_upper(text[i]);
    return text ? template_string(call->run, call->node, text, size) : NULL;
}

/* Words begin at the start and behind white space, - ( { [ and <. */
static json_t *filter_title(struct call *call)
{
    size_t size = 0;
    AUTO_FREE char *text = copy_of_subject(call, &size);
    bool is_start = true;

    for (size_t i = 0; i < size; i++) {
        text[i] = is_start ? to_upper(text[i]) : to_lower(text[i]);
        is_start = template_is_space(text[i]) || strchr("-({[<", text[i]);
    }
    return text ? template_string(call->run, call->node, text, size) : NULL;
}

static json_t *filter_trim(struct call *call)
{
    AUTO_JSON json_t *text = template_text(call->run, call->node, call->subject);

    return text ? template_strip(call, text, true, true) : NULL;
}

/* replace(old, new, count): every one, or the first so many. */
static json_t *filter_replace(struct call *call)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(TEMPLATE_TEXT_MAX);
    AUTO_JSON json_t *text = template_text(call->run, call->node, call->subject), *old = NULL,
                     *new = NULL;
    json_int_t count = -1;
    const char *at, *found;

    if (!text || !(old = template_text(call->run, call->node, call->arguments[0])) ||
        !(new = template_text(call->run, call->node, call->arguments[1])) ||
        (!json_is_null(call->arguments[2]) && template_integer_argument(call, 2, &count) < 0))
        return NULL;
    if (!json_string_length(old))
        return template_refuse(call->run, call->node, "replace of an empty text");
    at = json_string_value(text);
    for (; count != 0 && (found = strstr(at, json_string_value(old))); count -= count > 0) {
        if (template_count(call->run, call->node, 1) < 0)
            return NULL;
        if (!buffer_append(&out, at, (size_t)(found - at)) ||
            !buffer_append(&out, json_string_value(new), json_string_length(new)))
            return template_refuse(call->run, call->node, "a text that grows too large");
        at = found + json_string_length(old);
    }
    if (!buffer_append_text(&out, at))
        return template_refuse(call->run, call->node, "a text that grows too large");
    return template_string(call->run, call->node, buffer_text(&out), out.size);
}

/* What every line begins with: a text, or so many blanks. NULL and an error. */
static json_t *indentation(struct call *call)
{
    AUTO_BUFFER struct buffer blanks = BUFFER_INIT(INDENT_MAX);
    json_int_t width = 4;

    if (json_is_string(call->arguments[0]))
        return json_incref(call->arguments[0]);
    if (template_integer_argument(call, 0, &width) < 0)
        return NULL;
    if (width > INDENT_MAX)
        return template_refuse(call->run, call->node, "indent by more than %d", INDENT_MAX);
    for (json_int_t i = 0; i < width; i++)
        buffer_append(&blanks, " ", 1);
    return memory_need(json_string(buffer_text(&blanks)));
}

/* indent(width=4, first=false, blank=false) */
static json_t *filter_indent(struct call *call)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(TEMPLATE_TEXT_MAX);
    AUTO_JSON json_t *margin = indentation(call);
    bool first = template_flag_argument(call, 1, false);
    bool blank = template_flag_argument(call, 2, false), fits = true;
    const char *at = json_string_value(call->subject);

    if (!margin)
        return NULL;
    if (!at)
        return template_refuse(call->run, call->node, "indent is for texts, not for %s",
                               template_kind(call->run, call->subject));
    for (bool is_first = true;; is_first = false) {
        size_t length = strcspn(at, "\r\n");

        if (template_count(call->run, call->node, 1) < 0)
            return NULL;
        if (is_first ? first : length || blank)
            fits = buffer_append(&out, json_string_value(margin), json_string_length(margin));
        if (!fits || !buffer_append(&out, at, length) ||
            (at[length] && !buffer_append(&out, "\n", 1)))
            return template_refuse(call->run, call->node, "a text that grows too large");
        at += length;
        if (!*at)
            return template_string(call->run, call->node, buffer_text(&out), out.size);
        at += strncmp(at, "\r\n", 2) == 0 ? 2 : 1;
    }
}

/* A text's digits with white space around and _ between them taken off; false for none. */
static bool plain_digits(const char *text, char *digits, size_t room)
{
    size_t count = 0, end = strlen(text);

    while (template_is_space(*text)) {
        text++;
        end--;
    }
    while (end && template_is_space(text[end - 1]))
        end--;
    for (size_t i = 0; i < end; i++) {
        bool is_apart = text[i] == '_' && i && text[i - 1] != '_' && i + 1 < end;

        if (count + 1 >= room)
            return false;
        if (!is_apart)
            digits[count++] = text[i];
    }
    digits[count] = '\0';
    return count > 0;
}

/* A text as a number with a point or exponent. */
static bool real_of_text(const char *text, double *value)
{
    char digits[128];
    char *end;

    if (!plain_digits(text, digits, sizeof digits) ||
        strspn(digits, "+-0123456789.eE") != strlen(digits))
        return false;
    *value = strtod(digits, &end);
    return !*end && isfinite(*value);
}

static bool integer_of_text(const char *text, int base, json_int_t *value)
{
    char digits[128];
    const char *start = digits;
    char *end;

    if (!plain_digits(text, digits, sizeof digits) || strspn(digits, " \t\n\v\f\r"))
        return false;
    /* Python takes 0b and 0o, too, where the base says so. */
    start += *start == '-' || *start == '+';
    if (start[0] == '0' &&
        ((base == 2 && to_lower(start[1]) == 'b') || (base == 8 && to_lower(start[1]) == 'o')))
        memmove(digits + (start - digits), start + 2, strlen(start + 2) + 1);
    errno = 0;
    *value = strtoll(digits, &end, base);
    return end != digits && !*end && !errno;
}

/* A real number's whole part, where 64 bits hold it. */
static bool truncated(double real, json_int_t *value)
{
    if (!(real > -9.2e18 && real < 9.2e18))
        return false;
    *value = (json_int_t)real;
    return true;
}

/* int(default=0, base=10) */
static json_t *filter_int(struct call *call)
{
    json_int_t base = 10, value = 0;
    struct number number;
    double real = 0;

    if (template_integer_argument(call, 1, &base) < 0)
        return NULL;
    if (base < 2 || base > 36)
        return template_refuse(call->run, call->node, "a base between 2 and 36 is expected");
    if (template_number(call->subject, &number) && !number.real)
        return json_integer(number.integer);
    if (json_is_string(call->subject) &&
        (integer_of_text(json_string_value(call->subject), (int)base, &value) ||
         (real_of_text(json_string_value(call->subject), &real) && truncated(real, &value))))
        return json_integer(value);
    if (json_is_real(call->subject)) {
        if (!truncated(number.value, &value))
            return template_refuse(call->run, call->node, "the number is too large");
        return json_integer(value);
    }
    return call->arguments[0] ? json_incref(call->arguments[0]) : json_integer(0);
}

static json_t *filter_float(struct call *call)
{
    struct number number;
    double real;

    if (template_number(call->subject, &number))
        return template_real(call->run, call->node, number.value);
    if (json_is_string(call->subject) && real_of_text(json_string_value(call->subject), &real))
        return json_real(real);
    return call->arguments[0] ? json_incref(call->arguments[0]) : json_real(0);
}

/* The subject as a number; false and an error. */
static bool need_number(struct call *call, struct number *number)
{
    if (template_number(call->subject, number))
        return true;
    template_refuse(call->run, call->node, "%s is for numbers, not for %s", call->node->entry->name,
                    template_kind(call->run, call->subject));
    return false;
}

static json_t *filter_abs(struct call *call)
{
    AUTO_JSON json_t *zero = json_integer(0);
    struct number number;

    if (!need_number(call, &number))
        return NULL;
    if (number.real)
        return template_real(call->run, call->node, fabs(number.value));
    if (number.integer >= 0)
        return json_integer(number.integer);
    return template_calculate(call->run, call->node, OPERATOR_SUBTRACT, zero, call->subject);
}

/* round(precision=0, method='common'); 'common' rounds a half to even, as Python does. */
static json_t *filter_round(struct call *call)
{
    const char *method = "common";
    json_int_t precision = 0;
    struct number number;
    char digits[400];
    double scale;

    if (template_integer_argument(call, 0, &precision) < 0 ||
        template_text_argument(call, 1, &method) < 0 || !need_number(call, &number))
        return NULL;
    if (precision < 0 || precision > PRECISION_MAX)
        return template_refuse(call->run, call->node, "round to 0 to %d digits", PRECISION_MAX);
    scale = pow(10, (double)precision);
    if (strcmp(method, "ceil") == 0)
        return template_real(call->run, call->node, ceil(number.value * scale) / scale);
    if (strcmp(method, "floor") == 0)
        return template_real(call->run, call->node, floor(number.value * scale) / scale);
    if (strcmp(method, "common") != 0)
        return template_refuse(call->run, call->node, "round by common, ceil or floor");
    if (!number.real)
        return json_integer(number.integer);
    snprintf(digits, sizeof digits, "%.*f", (int)precision, number.value);
    return template_real(call->run, call->node, strtod(digits, NULL));
}

static json_t *filter_b64encode(struct call *call)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    AUTO_BUFFER struct buffer out = BUFFER_INIT(2 * TEMPLATE_TEXT_MAX);
    size_t size = 0;
    AUTO_FREE char *text = copy_of_subject(call, &size);

    for (size_t i = 0; i < size; i += BASE64_GROUP) {
        char group[4] = "====";
        size_t left = size - i;
        unsigned bits = (unsigned)(unsigned char)text[i] << 16;

        if (left > 1)
            bits |= (unsigned)(unsigned char)text[i + 1] << 8;
        if (left > 2)
            bits |= (unsigned char)text[i + 2];
        for (size_t k = 0; k <= (left > 2 ? 3 : left); k++)
            group[k] = letters[bits >> (18 - 6 * k) & 63];
        buffer_append(&out, group, sizeof group);
    }
    return text ? template_string(call->run, call->node, buffer_text(&out), out.size) : NULL;
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* White space is skipped; false for anything that is no base64. */
static bool decode_base64(const char *text, struct buffer *out)
{
    unsigned bits = 0, count = 0, padding = 0;

    for (; *text; text++) {
        int value = base64_value(*text);
        char byte;

        if (template_is_space(*text))
            continue;
        if (*text == '=')
            padding++;
        else if (value < 0 || padding)
            return false;
        if (*text == '=')
            continue;
        bits = bits << 6 | (unsigned)value;
        if (++count % 4 == 1)
            continue;
        byte = (char)(bits >> (6 - 2 * ((count - 1) % 4)) & 0xff);
        if (!buffer_append(out, &byte, 1))
            return false;
    }
    return count % 4 != 1 && (count + padding) % 4 == 0 && padding < 3;
}

static json_t *filter_b64decode(struct call *call)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(TEMPLATE_TEXT_MAX);
    AUTO_JSON json_t *text = template_text(call->run, call->node, call->subject);

    if (!text)
        return NULL;
    if (!decode_base64(json_string_value(text), &out))
        return template_refuse(call->run, call->node, "b64decode finds what is no base64");
    if (out.size && memchr(out.bytes, '\0', out.size))
        return template_refuse(call->run, call->node, "b64decode finds bytes that are no text");
    return template_string(call->run, call->node, buffer_text(&out), out.size);
}

/* tojson(indent=none): keys sorted, ASCII only, and safe within HTML, as Jinja writes it. */
static json_t *filter_tojson(struct call *call)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(TEMPLATE_TEXT_MAX);
    json_int_t indent = -1;

    if ((!json_is_null(call->arguments[0]) && template_integer_argument(call, 0, &indent) < 0) ||
        template_print_json(call->run, call->node, call->subject, indent > 64 ? 64 : (int)indent, 0,
                            &out) < 0)
        return NULL;
    return template_string(call->run, call->node, buffer_text(&out), out.size);
}

/* What RFC 3986 leaves as it is, and /; all else as %XX. */
static json_t *filter_urlencode(struct call *call)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(3 * TEMPLATE_TEXT_MAX);
    size_t size = 0;
    AUTO_FREE char *text = NULL;

    if (json_is_array(call->subject) || json_is_object(call->subject))
        return template_refuse(call->run, call->node, "urlencode is for texts, not for %s",
                               template_kind(call->run, call->subject));
    text = copy_of_subject(call, &size);
    for (size_t i = 0; i < size; i++) {
        char c = text[i];

        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
            strchr("_.-~/", c))
            buffer_append(&out, &c, 1);
        else
            buffer_format(&out, "%%%02X", (unsigned char)c);
    }
    return text ? template_string(call->run, call->node, buffer_text(&out), out.size) : NULL;
}

const struct template_entry *template_find_filter(const char *name, size_t size)
{
    static const struct template_entry filters[] = {
        {"default", filter_default, 0, 2, {"default_value", "boolean"}, true},
        {"d", filter_default, 0, 2, {"default_value", "boolean"}, true},
        {"string", filter_string, 0, 0, {NULL}, false},
        {"lower", filter_lower, 0, 0, {NULL}, false},
        {"upper", filter_upper, 0, 0, {NULL}, false},
        {"capitalize", filter_capitalize, 0, 0, {NULL}, false},
        {"title", filter_title, 0, 0, {NULL}, false},
        {"trim", filter_trim, 0, 1, {"chars"}, false},
        {"replace", filter_replace, 2, 3, {"old", "new", "count"}, false},
        {"indent", filter_indent, 0, 3, {"width", "first", "blank"}, false},
        {"int", filter_int, 0, 2, {"default", "base"}, false},
        {"float", filter_float, 0, 1, {"default"}, false},
        {"abs", filter_abs, 0, 0, {NULL}, false},
        {"round", filter_round, 0, 2, {"precision", "method"}, false},
        {"b64encode", filter_b64encode, 0, 0, {NULL}, false},
        {"b64decode", filter_b64decode, 0, 0, {NULL}, false},
        {"tojson", filter_tojson, 0, 1, {"indent"}, false},
        {"urlencode", filter_urlencode, 0, 0, {NULL}, false},
    };
    const struct template_entry *entry = template_find(filters, ARRAY_SIZE(filters), name, size);

    return entry ? entry : template_find_list_filter(name, size);
}
