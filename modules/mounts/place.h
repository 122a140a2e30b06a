/* A place in the tree at which something is mounted: now (libmount), and in fstab for later. */
#ifndef BOOTLACE_MOUNTS_PLACE_H
#define BOOTLACE_MOUNTS_PLACE_H

#include <bootlace/module.h>
#include <stdbool.h>

#include "table.h"

struct place {
    struct table_line line;
    const char *device; /* the block device behind it, or NULL */
};

/* Whether text can be a target: an absolute path without . and .. */
bool place_is_target(const char *target);

/*
 * Writes the line and mounts, or switches swap on; a line with noauto is only written. 1 where
 * something changed, 0, or a negative errno and *why.
 */
int place_take(const struct bootlace_host *host, const struct place *place, const char **why);

/* The source of what is mounted at the target, links followed; the caller's. NULL: nothing is. */
char *place_source(const char *target);

#endif
