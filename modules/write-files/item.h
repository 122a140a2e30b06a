/* One item of write_files, understood: what is to be where, and how. */
#ifndef BOOTLACE_WRITE_FILES_ITEM_H
#define BOOTLACE_WRITE_FILES_ITEM_H

#include <bootlace/module.h>
#include <jansson.h>
#include <support/rights.h>
#include <support/text.h>
#include <write-files/source.h>

enum { ITEM_WHY_MAX = SOURCE_WHY_MAX, ITEM_MODE_DEFAULT = 0644 };

struct item {
    const char *path;
    struct rights rights;
    bool append, defer, has_source;
    struct source source;
    char why[ITEM_WHY_MAX]; /* what is wrong, where reading fails, or worth telling, or "" */
};

/* Reads path, permissions, owner, flags and source; 0 or a negative errno with item->why. */
int item_read(const struct bootlace_host *host, const json_t *given, struct item *item);

/* The bytes that are to be there: source or content, decoded. 0; or 1 where they are left where
 * they are, see source_take(); or a negative errno with why. */
int item_content(const struct bootlace_host *host, const json_t *given, struct item *item,
                 struct text *out);

#endif
