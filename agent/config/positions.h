/*
 * Where values stand: file or part, line and column of every value of parsed documents.
 *
 * A JSON value cannot carry a position, and true, false and null are one object each. So a
 * position belongs to the slot that a value is in: a member of an object (known by the address of
 * the object's own key), an item of a list (the list's address and the index), or the root (its
 * address). Putting a position down appends an entry and nothing else; the hash table that leads
 * from a slot to its entry is made when the first is asked for, which a configuration without
 * problems, aliases and further parts never does.
 *
 * All parts of one configuration share one table: values that move from part to part when they
 * are merged keep the positions of all that is within them. Rules:
 *   - a member that is replaced (json_object_set) keeps its position, an item too;
 *   - who takes a value out of a document that has positions lets it live as long as the table:
 *     positions_keep. Otherwise another value could get its address, and its position.
 */
#ifndef BOOTLACE_CONFIG_POSITIONS_H
#define BOOTLACE_CONFIG_POSITIONS_H

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    POSITIONS_MAX = 1 << 28,         /* entries; what comes later is not known */
    POSITIONS_SOURCES_MAX = 4096,    /* documents; what comes later has no name */
    POSITIONS_COLUMN_MAX = 0xfffe,   /* further right: the column is not known */
    POSITIONS_POINTER_MAX = 64 << 10 /* bytes of a JSON Pointer */
};

struct position {
    const char *where; /* the file or part, or NULL; lives as long as the table */
    unsigned line;     /* from 1; 0: not known */
    unsigned column;   /* from 1; 0: not known */
};

struct positions_entry {
    const void *owner; /* an object's key, a list, or the root */
    uint32_t index;
    uint32_t line;
    uint32_t key_line;
    uint16_t column;
    uint16_t key_column;
    uint32_t source; /* from 1; 0: without a name */
};

struct positions {
    struct positions_entry *entries; /* of one slot, the last counts */
    size_t count;
    uint32_t *table; /* an entry's number from 1, or 0 */
    size_t capacity; /* of the table, a power of two, or 0 */
    size_t indexed;  /* so many entries are in the table */
    char **sources;
    size_t source_count;
    uint32_t source; /* the newest */
    json_t *kept;
};

#define AUTO_POSITIONS __attribute__((cleanup(positions_clear)))

/* Gives all memory back; NULL is accepted. An empty table is {0}. */
void positions_clear(struct positions *positions);

/* What is put from now on stands in this file or part; the name is copied. */
void positions_source(struct positions *positions, const char *where);

/* Puts down where the slot's value stands; the where in key and value is not looked at. */
void positions_put_root(struct positions *positions, const json_t *root, struct position value);
void positions_put_item(struct positions *positions, const json_t *list, size_t index,
                        struct position value);
void positions_put_member(struct positions *positions, json_t *object, const char *name,
                          struct position key, struct position value);

/* The new slot stands where the old one does. */
void positions_copy_item(struct positions *positions, const json_t *from, size_t from_index,
                         const json_t *list, size_t index);
void positions_copy_member(struct positions *positions, json_t *from, const char *from_name,
                           json_t *object, const char *name);

/* A deep copy of the value with the positions of what is within it. */
json_t *positions_deep_copy(struct positions *positions, json_t *value);

/* Every slot within the value stands in the newest source, the line is not known. */
void positions_put_unknown(struct positions *positions, json_t *value);

/* Takes the value over and keeps it until the table is cleared. */
void positions_keep(struct positions *positions, json_t *value);

/*
 * Where a slot stands: false and an unknown position where nothing was put down. positions may be
 * NULL. A key is an object's own, as json_object_foreach hands it out. *key may be NULL.
 */
bool positions_root(struct positions *positions, const json_t *root, struct position *value);
bool positions_item(struct positions *positions, const json_t *list, size_t index,
                    struct position *value);
bool positions_key(struct positions *positions, const char *own_key, struct position *key,
                   struct position *value);
bool positions_member(struct positions *positions, json_t *object, const char *name,
                      struct position *key, struct position *value);

/* Where the value stands that a JSON Pointer (RFC 6901) leads to: "" or "/write_files/0/path". */
bool positions_pointer(struct positions *positions, json_t *root, const char *pointer,
                       struct position *value);

#endif
