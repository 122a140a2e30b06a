/*
 * Finds leftovers below a root, and takes them away.
 *
 * The root's own part of a path, up to the first pattern or up to a home, is followed within the
 * root (openat2(2), RESOLVE_IN_ROOT). Below that no link is followed at all, so that whoever owns a
 * home or a folder of logs cannot lead the sweep anywhere else; and no other file system is entered
 * by way of a folder.
 */
#ifndef BOOTLACE_SEAL_SWEEP_H
#define BOOTLACE_SEAL_SWEEP_H

#include "seal/leftovers.h"

#include <jansson.h>

#include <stdbool.h>

enum {
    SWEEP_DEPTH_MAX = 200,  /* folders within folders */
    SWEEP_HOMES_MAX = 10000 /* accounts that are looked at */
};

struct sweep {
    int root; /* a folder's descriptor */
    bool dry_run;
    bool at_rest;       /* nothing works on the tree: an image, or the end of a shutdown */
    const json_t *kept; /* object whose members are names that LEFTOVER_UNLESS_KEPT leaves; a name
                         * stands for NAME.json, too */

    /* Called for each thing that was taken away, or would be; number is 0, or the errno of why it
     * could not be. path begins with a slash, and is good for the call alone. */
    void (*tell)(void *context, const struct leftover *leftover, const char *path, int number);
    void *context;

    json_t *told; /* in a dry run, what would be gone by now: sweep_run's own */
};

/* Deals with the whole list. Whatever cannot be done is told, and the rest goes on. */
void sweep_run(const struct sweep *request, const struct leftover *list, size_t count);

/* Whether the tree has a regular file with a content at this path, within the root. */
bool sweep_has(int root, const char *path);

#endif
