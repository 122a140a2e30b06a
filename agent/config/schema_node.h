/* What a compiled schema is made of; for the schema_*.c files alone. */
#ifndef BOOTLACE_CONFIG_SCHEMA_NODE_H
#define BOOTLACE_CONFIG_SCHEMA_NODE_H

#include "config/schema.h"

#include <regex.h>

enum schema_type {
    SCHEMA_NULL = 1,
    SCHEMA_BOOLEAN = 2,
    SCHEMA_INTEGER = 4, /* a number with SCHEMA_NUMBER, too */
    SCHEMA_NUMBER = 8,
    SCHEMA_STRING = 16,
    SCHEMA_ARRAY = 32,
    SCHEMA_OBJECT = 64,
    SCHEMA_ANY = 127
};

enum schema_mark { SCHEMA_SECRET = 1, SCHEMA_TEMPLATE = 2, SCHEMA_DEPRECATED = 4 };

struct schema_node;

struct schema_pattern {
    const char *text; /* NULL: none */
    regex_t compiled;
};

struct schema_property {
    const char *name;
    const struct schema_node *node;
};

struct schema_pattern_property {
    struct schema_pattern pattern;
    const struct schema_node *node;
};

struct schema_list {
    struct schema_node **items;
    size_t count;
};

struct schema_node {
    bool never;     /* the schema false */
    unsigned types; /* of enum schema_type */
    json_t *choices, *constant, *required;
    const json_t *minimum, *maximum;
    size_t min_length, max_length, min_items, max_items, min_members, max_members;
    struct schema_pattern pattern;
    struct schema_property *properties; /* sorted by name */
    size_t property_count;
    struct schema_pattern_property *patterns;
    size_t pattern_count;
    const struct schema_node *additional; /* for members that nothing else describes, or NULL */
    const struct schema_node *items;
    struct schema_list one_of, any_of, all_of;
    const char *reference; /* the name in $defs */
    struct schema_node *target;
    const char *description; /* or NULL */
    unsigned marks;          /* of enum schema_mark, on this schema */
    unsigned bears;          /* those on it and on all that can be within it */
    unsigned char visit;     /* while cycles are looked for */
};

struct schema {
    struct schema_node **nodes; /* the first is the whole */
    size_t count;
};

/* Where a value is while a schema is walked through: the way up to the whole. */
struct schema_spot {
    const struct schema_spot *up;
    const char *key;    /* the object's own, or NULL */
    const json_t *list; /* with index, where key is NULL; NULL for the whole */
    size_t index;
    bool secret; /* what is within it is not to be named */
};

/* As write_files[0].path; bounded, without control characters. Returns text. */
char *schema_spot_text(const struct schema_spot *spot, const char *name,
                       char text[static SCHEMA_KEY_MAX]);
void schema_spot_position(const struct schema_spot *spot, const json_t *root,
                          struct positions *positions, struct position *key,
                          struct position *value);

/* The kind of a value: one bit, for whole numbers SCHEMA_INTEGER | SCHEMA_NUMBER. */
unsigned schema_type_of(const json_t *value);

/* NULL, or why it is refused. The text must live as long as the pattern. */
const char *schema_pattern_compile(struct schema_pattern *pattern, const char *text);
bool schema_pattern_matches(const struct schema_pattern *pattern, const char *text);
void schema_pattern_clear(struct schema_pattern *pattern);

/* The property of this name, or NULL. */
const struct schema_node *schema_property(const struct schema_node *node, const char *name);

/* Whether the value's kind is one that the schema and all that it refers to allow. */
bool schema_admits(const struct schema_node *node, unsigned type);

/* "a text or a list" of the types; returns text. */
enum { SCHEMA_TYPES_TEXT_MAX = 160 };
char *schema_types_text(unsigned types, char text[static SCHEMA_TYPES_TEXT_MAX]);
/* All the types that the schema allows in one form or another. */
unsigned schema_types(const struct schema_node *node);

/* The property or the choice that is nearest, or NULL. */
const char *schema_nearest_property(const struct schema_node *node, const char *name,
                                    unsigned marks);
const char *schema_nearest_choice(const json_t *choices, const char *word);

#endif
