/* What to say about a problem: the nearest known word, names of kinds, the path of a value. */
#include "config/schema_node.h"

#include "base/banned.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/memory.h"

#include <ctype.h>

enum { WORD_MAX = 64, DISTANCE_MAX = 3 };

/* Letters that people take for one another. */
static char folded(char c)
{
    if (c == '-' || c == ' ')
        return '_';
    return (char)tolower((unsigned char)c);
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/*
 * Edits that make one word of the other: a letter more, less, or another, two neighbours swapped
 * (optimal string alignment). More than the limit: any number above it.
 */
static unsigned distance(const char *a, const char *b, unsigned limit)
{
    unsigned rows[3][WORD_MAX + 1];
    unsigned *before = rows[0], *above = rows[1], *row = rows[2], *spare;
    size_t a_length = strlen(a), b_length = strlen(b);

    if (a_length > WORD_MAX || b_length > WORD_MAX || a_length > b_length + limit ||
        b_length > a_length + limit)
        return limit + 1;
    for (unsigned j = 0; j <= b_length; j++)
        above[j] = before[j] = j;
    for (unsigned i = 1; i <= a_length; i++) {
        unsigned best = row[0] = i;

        for (unsigned j = 1; j <= b_length; j++) {
            unsigned other = folded(a[i - 1]) != folded(b[j - 1]);

            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + other);
            if (i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) &&
                folded(a[i - 2]) == folded(b[j - 1]))
                row[j] = least(row[j], before[j - 2] + 1);
            best = least(best, row[j]);
        }
        if (best > limit)
            return limit + 1;
        spare = before;
        before = above;
        above = row;
        row = spare;
    }
    return above[b_length];
}

/* How far a misspelling may be: a third of the word. */
static unsigned limit_of(const char *word)
{
    size_t third = (strlen(word) + 1) / 3;

    return third > DISTANCE_MAX ? DISTANCE_MAX : (unsigned)third;
}

/* Keeps the candidate if it is nearer than *best, which begins as limit_of the word plus 1. */
static void consider(const char *word, const char *candidate, unsigned *best, const char **nearest)
{
    unsigned far;

    if (!*best)
        return;
    far = distance(word, candidate, *best - 1);
    if (far < *best) {
        *best = far;
        *nearest = candidate;
    }
}

const char *schema_nearest(const char *word, const char *const *candidates)
{
    unsigned best = limit_of(word) + 1;
    const char *nearest = NULL;

    for (; *candidates; candidates++)
        consider(word, *candidates, &best, &nearest);
    return nearest;
}

const char *schema_nearest_property(const struct schema_node *node, const char *name,
                                    unsigned marks)
{
    unsigned best = limit_of(name) + 1;
    const char *nearest = NULL;

    for (size_t i = 0; i < node->property_count; i++) {
        if (!marks || node->properties[i].node->bears & marks)
            consider(name, node->properties[i].name, &best, &nearest);
    }
    return nearest;
}

const char *schema_nearest_choice(const json_t *choices, const char *word)
{
    unsigned best = limit_of(word) + 1;
    const char *nearest = NULL;
    size_t index;
    json_t *choice;

    json_array_foreach(choices, index, choice)
    {
        if (json_is_string(choice))
            consider(word, json_string_value(choice), &best, &nearest);
    }
    return nearest;
}

unsigned schema_type_of(const json_t *value)
{
    double number;

    switch (json_typeof(value)) {
    case JSON_NULL:
        return SCHEMA_NULL;
    case JSON_TRUE:
    case JSON_FALSE:
        return SCHEMA_BOOLEAN;
    case JSON_INTEGER:
        return SCHEMA_INTEGER | SCHEMA_NUMBER;
    case JSON_REAL:
        number = json_real_value(value);
        return number > -9e15 && number < 9e15 && number == (double)(long long)number
                   ? SCHEMA_INTEGER | SCHEMA_NUMBER
                   : SCHEMA_NUMBER;
    case JSON_STRING:
        return SCHEMA_STRING;
    case JSON_ARRAY:
        return SCHEMA_ARRAY;
    case JSON_OBJECT:
        return SCHEMA_OBJECT;
    }
    return 0;
}

char *schema_types_text(unsigned types, char text[static SCHEMA_TYPES_TEXT_MAX])
{
    static const struct {
        unsigned type;
        const char *name;
    } names[] = {
        {SCHEMA_STRING, "a text"},
        {SCHEMA_NUMBER, "a number"},
        {SCHEMA_INTEGER, "a whole number"},
        {SCHEMA_BOOLEAN, "true or false"},
        {SCHEMA_ARRAY, "a list"},
        {SCHEMA_OBJECT, "a mapping"},
        {SCHEMA_NULL, "empty"},
    };
    size_t length = 0;
    unsigned left = types & SCHEMA_NUMBER ? types & ~(unsigned)SCHEMA_INTEGER : types;

    text[0] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *joint = length ? left == names[i].type ? " or " : ", " : "";

        if (!(left & names[i].type))
            continue;
        snprintf(text + length, SCHEMA_TYPES_TEXT_MAX - length, "%s%s", joint, names[i].name);
        length = strlen(text);
        left &= ~names[i].type;
    }
    return text;
}

/* One step of the path, in front of which the others stand already. */
static void add_step(const char *key, size_t index, char *text)
{
    size_t length = strlen(text), room = SCHEMA_KEY_MAX - length;

    if (key)
        snprintf(text + length, room, "%s%s", length ? "." : "", key);
    else
        snprintf(text + length, room, "[%zu]", index);
    for (char *c = text + length; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    }
}

/* A secret's own name is told, not what is within it. */
static void add_steps(const struct schema_spot *spot, char *text)
{
    if (!spot->up)
        return;
    add_steps(spot->up, text);
    if (!spot->up->secret)
        add_step(spot->key, spot->index, text);
}

/* Cuts a character in two by no bound. */
static void end_at_character(char *text)
{
    size_t length = strlen(text);

    if (length + 1 < SCHEMA_KEY_MAX)
        return;
    while (length && ((unsigned char)text[length - 1] & 0xc0) == 0x80)
        length--;
    if (length && (unsigned char)text[length - 1] >= 0xc0)
        length--;
    text[length] = '\0';
}

char *schema_spot_text(const struct schema_spot *spot, const char *name,
                       char text[static SCHEMA_KEY_MAX])
{
    text[0] = '\0';
    add_steps(spot, text);
    if (name && !spot->secret)
        add_step(name, 0, text);
    end_at_character(text);
    return text;
}

void schema_spot_position(const struct schema_spot *spot, const json_t *root,
                          struct positions *positions, struct position *key, struct position *value)
{
    if (spot->key) {
        positions_key(positions, spot->key, key, value);
        return;
    }
    if (spot->list)
        positions_item(positions, spot->list, spot->index, value);
    else
        positions_root(positions, root, value);
    *key = *value;
}
