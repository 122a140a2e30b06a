/*
 * What a machine leaves in its tree that no image of it may carry: the list, as data.
 *
 * A path is a pattern: `*`, `?` and `[…]` stand for names as in fnmatch(3), those with a leading
 * dot among them; a component `**` for any number of folders, behind which only files count; a
 * leading `~/` for the home of each account. Entries are dealt with in their order.
 */
#ifndef BOOTLACE_SEAL_LEFTOVERS_H
#define BOOTLACE_SEAL_LEFTOVERS_H

#include <stddef.h>

enum leftover_action {
    LEFTOVER_REMOVE, /* the file, link or folder is removed, with all that is in it */
    LEFTOVER_EMPTY   /* the file stays as it is, without content */
};

enum leftover_flags {
    LEFTOVER_FILES = 1,      /* regular files only: a link of this name leads to what is common */
    LEFTOVER_AT_REST = 2,    /* not while the machine works: somebody may be using it */
    LEFTOVER_UNLESS_KEPT = 4 /* not what is kept, by name: see struct sweep */
};

struct leftover {
    const char *what; /* for people */
    const char *path;
    enum leftover_action action;
    unsigned flags;
};

extern const struct leftover leftovers[];
extern const size_t leftover_count;

#endif
