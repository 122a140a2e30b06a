/* One item of write_files, understood: what is to be where, and how. */
#ifndef BOOTLACE_WRITE_FILES_ITEM_H
#define BOOTLACE_WRITE_FILES_ITEM_H

#include <bootlace/module.h>
#include <jansson.h>
#include <support/text.h>

enum { ITEM_WHY_MAX = 512, ITEM_MODE_DEFAULT = 0644 };

struct item {
    const char *path;
    const char *user, *group; /* as they were given; NULL = root */
    uid_t owner;
    gid_t owner_group;
    bool owner_is_there; /* false: user or group do not exist yet */
    mode_t mode;
    bool mode_given, owner_given;
    bool append, defer;
    char why[ITEM_WHY_MAX]; /* what is wrong, where reading fails */
};

/* Reads path, permissions, owner and flags; 0 or a negative errno with item->why. */
int item_read(const struct bootlace_host *host, const json_t *given, struct item *item);

/* The bytes that are to be there: source or content, decoded. 0 or a negative errno with why. */
int item_content(const struct bootlace_host *host, const json_t *given, struct item *item,
                 struct text *out);

#endif
