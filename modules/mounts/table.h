/*
 * Lines of fstab(5), in a text: those that are bootlace's own carry the option x-bootlace, which
 * mount(8) ignores. Lines of other hands stay as they are, to the byte.
 */
#ifndef BOOTLACE_MOUNTS_TABLE_H
#define BOOTLACE_MOUNTS_TABLE_H

#include <support/text.h>

#define TABLE_OWN_OPTION "x-bootlace"

/* A line's six fields, not encoded. Swap has the target "none". */
struct table_line {
    const char *source, *target, *type, *options, *frequency, *pass;
};

/*
 * Adds the table to out with this line in it: in place of our own for the same target (for swap: of
 * the same source), or at the end. Returns 1 where that changes the table, 0 where it has the line
 * already, or where a line of another hand mounts the same source there, -EEXIST where one mounts
 * something else there: then *why says what.
 */
int table_set(const char *table, const struct table_line *line, struct text *out, const char **why);

#endif
