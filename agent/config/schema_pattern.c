/*
 * Patterns of schemas: POSIX extended regular expressions (regcomp(3)) that mean the same as in
 * ECMA-262, and that are no larger than they look by much when they are compiled.
 */
#include "base/banned.h"
#include "config/schema_node.h"

/*
 * The ] that ends the set of characters behind a [, NULL where POSIX and ECMA-262 differ about it:
 * a backslash, a class like [:alpha:], and a ] at the beginning.
 */
static const char *end_of_set(const char *c)
{
    c += *c == '^';
    if (*c == ']')
        return NULL;
    for (; *c && *c != ']'; c++) {
        if (*c == '\\' || (*c == '[' && c[1] && strchr(":.=", c[1])))
            return NULL;
    }
    return *c ? c : NULL;
}

/* Whether it means the same as POSIX and as ECMA-262 regular expression: no \d, no (?. */
static bool is_portable(const char *pattern)
{
    for (const char *c = pattern; *c; c++) {
        if (*c == '[') {
            c = end_of_set(c + 1);
            if (!c)
                return false;
        } else if (*c == '\\') {
            c++;
            if (!*c || !strchr("^$.[]()|*+?{}/\\", *c))
                return false;
        } else if (*c == '(' && c[1] == '?') {
            return false;
        }
    }
    return true;
}

/* Of a part of a pattern: how long it is when repetition is written out, whether it can match "".
 */
struct extent {
    size_t size;
    bool empty;
};

static size_t at_most_max(size_t size)
{
    return size > SCHEMA_PATTERN_COMPILED_MAX ? SCHEMA_PATTERN_COMPILED_MAX + 1 : size;
}

static const char *read_number(const char *c, size_t *number)
{
    for (*number = 0; *c >= '0' && *c <= '9'; c++)
        *number = at_most_max(*number * 10 + (size_t)(*c - '0'));
    return c;
}

/* What stands behind an item: how often it is there when it is written out; 1 where nothing does.
 */
static size_t read_copies(const char **at, bool *none)
{
    const char *c = *at;
    size_t least, most;

    *none = *c == '*' || *c == '?';
    if (*c && strchr("*?+", *c)) {
        *at = c + 1;
        return *c == '+' ? 2 : 1;
    }
    if (*c != '{')
        return 1;
    c = read_number(c + 1, &least);
    most = least;
    if (*c == ',') {
        const char *second = c + 1;

        c = read_number(second, &most);
        if (c == second)
            most = least + 1; /* a{2,} is aaa* */
    }
    *none = least == 0;
    *at = *c == '}' ? c + 1 : c;
    return most ? most : 1;
}

static const char *measure(const char **at, struct extent *out);

static const char *measure_item(const char **at, struct extent *out)
{
    const char *c = (*at)++, *why = NULL;
    size_t count;
    bool none;

    *out = (struct extent){1, *c == '^' || *c == '$'};
    if (*c == '(')
        why = measure(at, out);
    else if (*c == '[')
        *at = end_of_set(c + 1) + 1;
    else if (*c == '\\')
        (*at)++;
    count = read_copies(at, &none);
    if (!why && count > 1 && out->empty)
        why = "repeats what may be empty";
    if (!why && **at && strchr("*+?{", **at))
        why = "repeats a repetition";
    out->size = at_most_max(out->size * count);
    out->empty = out->empty || none;
    return why;
}

/*
 * Measures up to the end, or behind the ) of the group that *at is in. glibc writes repetition out:
 * a+ is aa*, (a{255}){255} is 65,025 characters. And what can be empty, repeated, takes it time and
 * memory beyond all measure: ((a?|b?){9,}){9,}. Returns NULL, or why the pattern is refused.
 */
static const char *measure(const char **at, struct extent *out)
{
    bool empty = true;

    *out = (struct extent){1, false};
    while (**at && **at != ')') {
        struct extent item;
        const char *why;

        if (**at == '|') {
            (*at)++;
            out->empty = out->empty || empty;
            empty = true;
            continue;
        }
        why = measure_item(at, &item);
        if (why)
            return why;
        out->size = at_most_max(out->size + item.size);
        empty = empty && item.empty;
    }
    out->empty = out->empty || empty;
    *at += **at == ')';
    return out->size > SCHEMA_PATTERN_COMPILED_MAX ? "repeats too much" : NULL;
}

const char *schema_pattern_compile(struct schema_pattern *pattern, const char *text)
{
    const char *rest = text, *why = NULL;
    struct extent extent;

    if (!text || strlen(text) > SCHEMA_PATTERN_MAX)
        return "is no text or too long";
    if (!is_portable(text))
        return "does not mean the same to POSIX and to ECMA-262";
    while (!why && *rest) /* a ) without its ( is a character */
        why = measure(&rest, &extent);
    if (why)
        return why;
    if (regcomp(&pattern->compiled, text, REG_EXTENDED | REG_NOSUB) != 0)
        return "is no extended regular expression";
    pattern->text = text;
    return NULL;
}

bool schema_pattern_matches(const struct schema_pattern *pattern, const char *text)
{
    return regexec(&pattern->compiled, text, 0, NULL, 0) == 0;
}

void schema_pattern_clear(struct schema_pattern *pattern)
{
    if (pattern->text)
        regfree(&pattern->compiled);
    pattern->text = NULL;
}
