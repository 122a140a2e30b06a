/* A YAML scalar as a JSON value, by its text; see yaml.h for what is read how. */
#include "config/scalar.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "config/yaml.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>

enum { WORD_MAX = 5 /* the longest of those that YAML 1.1 gives a meaning: false */ };

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++) {
        if (strcmp(text, *words) == 0)
            return true;
    }
    return false;
}

/* Integers of YAML 1.1: 12, -7, 0x1f, 0o17, 017, 1_000. NULL where it is none. */
static json_t *read_integer(const char *text)
{
    char digits[32];
    size_t count = 0;
    const char *c = text;
    bool negative = *c == '-';
    int base = 10;
    long long value;
    char *end;

    if (*c == '-' || *c == '+')
        c++;
    if (c[0] == '0' && (c[1] == 'x' || c[1] == 'o')) {
        base = c[1] == 'x' ? 16 : 8;
        c += 2;
    } else if (c[0] == '0' && c[1]) {
        base = 8;
        c++;
    }
    for (; *c; c++) {
        if (*c == '_')
            continue;
        if (count + 1 >= sizeof digits || !strchr("0123456789abcdefABCDEF", *c))
            return NULL;
        digits[count++] = *c;
    }
    digits[count] = '\0';
    errno = 0;
    value = strtoll(digits, &end, base);
    if (!count || *end || errno)
        return NULL;
    return json_integer(negative ? -value : value);
}

static json_t *read_float(const char *text)
{
    size_t length = strlen(text);
    double value;
    char *end;

    if (strspn(text, "+-0123456789.eE") != length || !strchr(text, '.') ||
        !strpbrk(text, "0123456789"))
        return NULL;
    value = strtod(text, &end);
    return *end || !isfinite(value) ? NULL : json_real(value);
}

json_t *scalar_plain(const char *text, size_t size)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", "yes", "Yes",
                                        "YES",  "on",   "On",   "ON",  NULL};
    static const char *const falses[] = {"false", "False", "FALSE", "no",  "No",
                                         "NO",    "off",   "Off",   "OFF", NULL};
    json_t *value = NULL;

    if (size <= WORD_MAX) {
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

/* The base64 (RFC 4648) without what is no digit of it; NULL where padding or length are wrong. */
static char *compact_base64(const char *text, size_t size, size_t *out_size)
{
    AUTO_FREE char *digits = memory_zeroed(size + 1, 1);
    size_t count = 0, padding = 0;

    for (size_t i = 0; i < size; i++) {
        if (strchr(" \t\r\n", text[i]))
            continue;
        padding += text[i] == '=';
        if (text[i] != '=' && (padding || digit_of(text[i]) < 0))
            return NULL;
        digits[count++] = text[i];
    }
    if (count % 4 || padding > 2)
        return NULL;
    *out_size = count / 4 * 3 - padding;
    return TAKE_POINTER(digits);
}

json_t *scalar_binary(const char *text, size_t size)
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
