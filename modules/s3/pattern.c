/*
 * Patterns; see pattern.h.
 *
 * A set of places in the path is moved through the pattern, token by token: those up to which the
 * path is matched by what is before. So there is no going back, and no pattern that takes forever.
 */
#include <s3/pattern.h>

#include <support/text.h>

#include <stdlib.h>
#include <string.h>

enum { LEAD = 0xc0, CONTINUATION = 0x80 };

struct matching {
    const char *path;
    size_t length;
    bool *places, *next; /* of 0 … length */
};

static void end_token(struct matching *matching)
{
    bool *places = matching->places;

    matching->places = matching->next;
    matching->next = places;
    memset(matching->next, 0, matching->length + 1);
}

/* Behind the character at a place: UTF-8 has several bytes for one. */
static size_t behind(const struct matching *matching, size_t at)
{
    at++;
    while (((unsigned char)matching->path[at] & LEAD) == CONTINUATION)
        at++;
    return at;
}

/* Any number of characters, of slashes as well or not. */
static void take_star(struct matching *matching, bool slashes)
{
    bool on = false;

    for (size_t at = 0; at <= matching->length; at++) {
        on = matching->places[at] || (on && (slashes || matching->path[at - 1] != '/'));
        matching->next[at] = on;
    }
}

/* Any number of whole names with the slashes behind them. */
static void take_folders(struct matching *matching)
{
    bool on = false;

    for (size_t at = 0; at <= matching->length; at++) {
        matching->next[at] = matching->places[at] || (on && at && matching->path[at - 1] == '/');
        on = on || matching->places[at];
    }
}

static void take_byte(struct matching *matching, char byte)
{
    for (size_t at = 0; at < matching->length; at++)
        matching->next[at + 1] = matching->places[at] && matching->path[at] == byte;
}

static void take_any(struct matching *matching)
{
    for (size_t at = 0; at < matching->length; at++) {
        if (matching->places[at] && matching->path[at] != '/')
            matching->next[behind(matching, at)] = true;
    }
}

/* Whether a byte is in a set: what is between the brackets, without "!". */
static bool is_in_set(const char *set, size_t size, unsigned char byte)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char low = (unsigned char)set[i], high = low;

        if (i + 2 < size && set[i + 1] == '-') {
            high = (unsigned char)set[i + 2];
            i += 2;
        }
        if (byte >= low && byte <= high)
            return true;
    }
    return false;
}

/* A set in brackets; how long it is, or 0 where it has no end, and is no set. */
static size_t take_set(struct matching *matching, const char *pattern)
{
    const char *set = pattern + 1, *end;
    bool inverted = *set == '!' || *set == '^';

    set += inverted;
    end = *set ? strchr(set + 1, ']') : NULL;
    if (!end)
        return 0;
    for (size_t at = 0; at < matching->length; at++) {
        unsigned char byte = (unsigned char)matching->path[at];

        if (matching->places[at] && byte != '/' &&
            is_in_set(set, (size_t)(end - set), byte) != inverted)
            matching->next[inverted ? behind(matching, at) : at + 1] = true;
    }
    return (size_t)(end + 1 - pattern);
}

/* Moves through one token; how long it is. */
static size_t take_token(struct matching *matching, const char *pattern, bool begins_name)
{
    size_t size = 0;

    if (begins_name && strncmp(pattern, "**/", 3) == 0) {
        take_folders(matching);
        return 3;
    }
    if (*pattern == '*') {
        size = strspn(pattern, "*");
        take_star(matching, size > 1);
        return size;
    }
    if (*pattern == '?') {
        take_any(matching);
        return 1;
    }
    if (*pattern == '[')
        size = take_set(matching, pattern);
    if (size)
        return size;
    size = *pattern == '\\' && pattern[1] ? 1 : 0;
    take_byte(matching, pattern[size]);
    return size + 1;
}

static bool matches_whole(const char *pattern, const char *path)
{
    struct matching matching = {.path = path, .length = strlen(path)};
    bool begins_name = true, result;

    matching.places = text_need(calloc(matching.length + 1, sizeof *matching.places));
    matching.next = text_need(calloc(matching.length + 1, sizeof *matching.next));
    matching.places[0] = true;
    while (*pattern) {
        size_t size = take_token(&matching, pattern, begins_name);

        begins_name = pattern[size - 1] == '/';
        pattern += size;
        end_token(&matching);
    }
    result = matching.places[matching.length];
    free(matching.places);
    free(matching.next);
    return result;
}

bool pattern_matches(const char *pattern, const char *path)
{
    size_t length = strlen(pattern);
    bool is_folder = length > 0 && pattern[length - 1] == '/';
    const char *slash = strchr(pattern, '/');
    bool anywhere = !slash || (is_folder && slash == pattern + length - 1);
    char *whole = text_format("%s%s%s", anywhere ? "**/" : "", pattern + (*pattern == '/'),
                              is_folder ? "**" : "");
    bool result = matches_whole(whole, path);

    free(whole);
    return result;
}

static bool matches_one(const json_t *list, const char *path)
{
    const json_t *pattern;
    size_t i;

    json_array_foreach(list, i, pattern)
    {
        if (json_is_string(pattern) && pattern_matches(json_string_value(pattern), path))
            return true;
    }
    return false;
}

bool pattern_wanted(const json_t *include, const json_t *exclude, const char *path)
{
    return (!json_array_size(include) || matches_one(include, path)) && !matches_one(exclude, path);
}
