/* A YAML scalar as a JSON value, by its text; see yaml.h for what is read how. */
#include "config/scalar.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "config/yaml.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>

enum {
    WORD_MAX = 5,   /* the longest of those that YAML 1.1 gives a meaning: false */
    NUMBER_MAX = 80 /* what is longer is a text */
};

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++) {
        if (strcmp(text, *words) == 0)
            return true;
    }
    return false;
}

/* The number's text without sign and _, if it consists of these digits; false if it does not. */
static bool take_digits(const char *text, const char *digits, char out[static NUMBER_MAX])
{
    size_t count = 0;

    for (; *text; text++) {
        if (*text == '_')
            continue;
        if (!strchr(digits, *text) || count + 1 >= NUMBER_MAX)
            return false;
        out[count++] = *text;
    }
    out[count] = '\0';
    return count > 0;
}

/*
 * Integers of YAML 1.1 as PyYAML takes them: 12, -7, 1_000, 0x1f, 0b101, 017. NULL where it is
 * none. Those of base 60 (22:30) are left texts: nobody means them.
 */
static json_t *read_integer(const char *text)
{
    static const struct {
        const char *prefix, *digits;
        int base;
    } kinds[] = {
        {"0x", "0123456789abcdefABCDEF", 16},
        {"0b", "01", 2},
        {"0", "01234567", 8},
        {"", "0123456789", 10},
    };
    char digits[NUMBER_MAX];
    bool negative = *text == '-';
    size_t kind = 0;
    long long value;

    text += *text == '-' || *text == '+';
    if (strcmp(text, "0") == 0)
        return json_integer(0);
    while (strncmp(text, kinds[kind].prefix, strlen(kinds[kind].prefix)) != 0)
        kind++;
    if (*text == '_')
        return NULL;
    /* The octal 0 is a digit itself. */
    text += kinds[kind].base == 8 ? 0 : strlen(kinds[kind].prefix);
    if (!take_digits(text, kinds[kind].digits, digits))
        return NULL;
    errno = 0;
    value = strtoll(digits, NULL, kinds[kind].base);
    return errno ? NULL : json_integer(negative ? -value : value);
}

/* 1.5, 1., .5, 1.5e+3: a point, and an exponent with its sign. NULL where it is none. */
static json_t *read_float(const char *text)
{
    char digits[NUMBER_MAX];
    const char *point = strchr(text, '.'), *c = text + (*text == '-' || *text == '+');
    double value;

    /* Before the point a digit; or behind it, and no sign then. */
    if (!point ||
        (c == point ? c != text || !isdigit((unsigned char)point[1]) : !isdigit((unsigned char)*c)))
        return NULL;
    c += strspn(c, "0123456789_");
    if (c != point)
        return NULL;
    c += 1 + strspn(c + 1, "0123456789_");
    if (*c && ((*c != 'e' && *c != 'E') || (c[1] != '-' && c[1] != '+') || !c[2] ||
               c[2 + strspn(c + 2, "0123456789")]))
        return NULL;
    if (!take_digits(text, "+-0123456789.eE", digits))
        return NULL;
    value = strtod(digits, NULL);
    return isfinite(value) ? json_real(value) : NULL;
}

json_t *scalar_plain(const char *text, size_t size)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", "yes", "Yes",
                                        "YES",  "on",   "On",   "ON",  NULL};
    static const char *const falses[] = {"false", "False", "FALSE", "no",  "No",
                                         "NO",    "off",   "Off",   "OFF", NULL};
    json_t *value = NULL;

    if (size <= WORD_MAX && strchr("~nNtTfFyYoO", *text)) {
        if (is_one_of(text, nulls))
            return json_null();
        if (is_one_of(text, trues) || is_one_of(text, falses))
            return json_boolean(is_one_of(text, trues));
    }
    if (strchr("+-.0123456789", *text)) {
        value = read_integer(text);
        if (!value)
            value = read_float(text);
    }
    return value ? value : memory_need(json_stringn_nocheck(text, size));
}

static int digit_of(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c ? strchr(digits, c) : NULL;

    return found ? (int)(found - digits) : -1;
}

/*
 * The digits and padding of base64 as YAML 1.1 takes it from RFC 2045, section 6.8: other
 * characters are passed over. NULL where padding or length are wrong.
 */
static char *compact_base64(const char *text, size_t size, size_t *out_size)
{
    AUTO_FREE char *digits = memory_zeroed(size + 1, 1);
    size_t count = 0, padding = 0;

    for (size_t i = 0; i < size; i++) {
        if (text[i] != '=' && digit_of(text[i]) < 0)
            continue;
        if (text[i] != '=' && padding)
            return NULL;
        padding += text[i] == '=';
        digits[count++] = text[i];
    }
    if (count % 4 || padding > 2)
        return NULL;
    *out_size = count / 4 * 3 - padding;
    return TAKE_POINTER(digits);
}

static json_t *read_binary(const char *text, size_t size)
{
    size_t length;
    AUTO_FREE char *digits = compact_base64(text, size, &length);
    AUTO_FREE char *bytes = digits ? memory_zeroed(length + 3, 1) : NULL;
    json_t *value = NULL;

    if (!digits)
        return NULL;
    for (size_t i = 0, out = 0; digits[i]; i += 4) {
        uint32_t group = 0;

        for (size_t j = 0; j < 4; j++)
            group = group << 6 | (uint32_t)(digits[i + j] == '=' ? 0 : digit_of(digits[i + j]));
        bytes[out++] = (char)(group >> 16);
        bytes[out++] = (char)(group >> 8);
        bytes[out++] = (char)group;
    }
    if (!memchr(bytes, '\0', length))
        value = json_stringn(bytes, length);
    if (!value) {
        value = memory_need(json_object());
        json_put_text(value, YAML_BINARY, digits);
    }
    return value;
}

/* The value, if it is of that kind; a whole number is a float, too. */
static json_t *checked(json_t *value, json_type kind)
{
    json_t *real = NULL;

    if (json_typeof(value) == kind || (kind == JSON_TRUE && json_is_false(value)))
        return value;
    if (kind == JSON_REAL && json_is_integer(value))
        real = memory_need(json_real((double)json_integer_value(value)));
    json_decref(value);
    return real;
}

bool scalar_tagged(const char *tag, const char *text, size_t size, json_t **value)
{
    static const char standard[] = "tag:yaml.org,2002:";
    static const struct {
        const char *name;
        json_type kind;
    } plain[] = {{"int", JSON_INTEGER}, {"float", JSON_REAL}, {"bool", JSON_TRUE}};
    /* What Python 2 wrote; and dates, which JSON lacks. */
    static const char *const texts[] = {"str", "python/unicode", "timestamp", NULL};

    *value = NULL;
    if (strncmp(tag, standard, strlen(standard)) != 0)
        return false;
    tag += strlen(standard);
    if (is_one_of(tag, texts))
        *value = memory_need(json_stringn_nocheck(text, size));
    else if (strcmp(tag, "binary") == 0)
        *value = read_binary(text, size);
    else if (strcmp(tag, "null") == 0)
        *value = json_null();
    else {
        for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
            if (strcmp(tag, plain[i].name) != 0)
                continue;
            *value = checked(scalar_plain(text, size), plain[i].kind);
            return true;
        }
        return false;
    }
    return true;
}
