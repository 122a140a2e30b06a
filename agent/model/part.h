/*
 * A part: some bytes of the user-data, and what they were found to be.
 *
 * decode makes parts, classify gives them their type, plan makes steps of them.
 */
#ifndef BOOTLACE_MODEL_PART_H
#define BOOTLACE_MODEL_PART_H

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>

enum { PARTS_MAX = 1000 };

/* How often a part asks to be run; its module's own frequency where it does not say. */
enum part_frequency { PART_DEFAULT, PART_PER_INSTANCE, PART_PER_BOOT, PART_ONCE };

struct part {
    char *name;       /* a label for people and for step names; never a path */
    const char *type; /* MIME type, static or the text of declared; NULL: not yet known */
    char *bytes;      /* '\0' behind them */
    size_t size;
    unsigned line; /* the line of the user-data in which it begins, from 1 */
    enum part_frequency frequency;
    char *arguments;  /* for its interpreter, or NULL */
    bool detach;      /* start it and don't wait */
    char *declared;   /* where the type is no constant but what the user wrote, its text; or NULL */
    bool merged;      /* it is settings, and its content is in the merged ones */
    char *merge_type; /* how its cloud-config is merged: the header Merge-Type, or NULL */
};

struct parts {
    struct part *items;
    size_t count;
};

#define AUTO_PARTS __attribute__((cleanup(parts_clear)))

/* Appends an empty part and returns it; the pointer is good until the next call. */
struct part *parts_add(struct parts *parts, const char *name, const char *type);

/* Takes the index-th out. */
void parts_remove(struct parts *parts, size_t index);

/* Whether two have the same content, whatever they are called. */
bool part_is_same(const struct part *left, const struct part *right);

/* Gives all memory back; NULL is accepted. */
void parts_clear(struct parts *parts);

/*
 * A script that came from a Windows editor: where its first line ends with CRLF, the kernel would
 * look for an interpreter whose name ends with CR. All its CRLF become LF; a lone CR stays.
 */
void part_make_unix_lines(struct part *part);

/* The part as `inspect` shows it: name, type, size, frequency, line, and what else it has. */
json_t *part_to_json(const struct part *part);

/* "per-instance", "per-boot", "once", or "default". */
const char *part_frequency_name(enum part_frequency frequency);

#endif
