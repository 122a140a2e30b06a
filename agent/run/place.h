/*
 * Puts a file below a root, atomically, with its mode and owner exact from the first moment, and
 * without following any link out of the root (openat2(2), RESOLVE_IN_ROOT).
 */
#ifndef BOOTLACE_RUN_PLACE_H
#define BOOTLACE_RUN_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct place {
    const char *root; /* an absolute path */
    const char *path; /* below root */
    const void *bytes;
    size_t size;
    mode_t mode;
    uid_t owner;
    gid_t group;
    bool dry_run; /* compare only */
};

enum { PLACE_FOLDER_MODE = 0755 };

/* 1 changed, 0 it was so already, or a negative errno. */
int place_file(const struct place *place);

#endif
