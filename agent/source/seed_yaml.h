/*
 * A seed's meta-data file: YAML (and so JSON, too) read into a flat list of items.
 *
 * A nested mapping becomes a path ("placement: {region: x}" is placement/region), a list of
 * scalars one value of several lines, any other list numbered paths. What names other nodes
 * (anchors, aliases) is refused, as are files beyond the limits.
 */
#ifndef BOOTLACE_SOURCE_SEED_YAML_H
#define BOOTLACE_SOURCE_SEED_YAML_H

#include "base/error.h"

#include <stddef.h>

enum { SEED_DEPTH_MAX = 16, SEED_ITEMS_MAX = 1024, SEED_PATH_MAX = 512 };

struct seed_item {
    char *path;
    char *value;
};

struct seed_items {
    struct seed_item *items;
    size_t count;
};

void seed_items_free(struct seed_items *items);

/* Adds one; both are copied. */
void seed_items_add(struct seed_items *items, const char *path, const char *value);

/* The value, or NULL. */
const char *seed_items_find(const struct seed_items *items, const char *path);

/* Reads the text of a file into items; name stands in messages. */
int seed_yaml_read(const char *text, size_t size, const char *name, struct seed_items *items,
                   struct error *error);

#endif
