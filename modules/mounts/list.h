/*
 * Mounts as `mounts` has them: the fields of a line of fstab(5), of which the later ones come from
 * mount_default_fields.
 */
#ifndef BOOTLACE_MOUNTS_LIST_H
#define BOOTLACE_MOUNTS_LIST_H

#include <jansson.h>

#include "device.h"

/* What the item is called in the record. */
const char *list_name(const json_t *item);

/* Mounts it. 1, 0, or a negative errno and *why. */
int list_mount(const struct device_names *names, const json_t *item, const json_t *defaults,
               const char **why);

#endif
