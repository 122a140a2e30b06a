/*
 * Partition tables as `disk_setup` has them: DEVICE: {table_type, layout, overwrite}, made by
 * sfdisk(8) where the device holds nothing yet.
 */
#ifndef BOOTLACE_MOUNTS_DISK_H
#define BOOTLACE_MOUNTS_DISK_H

#include <jansson.h>

#include "device.h"

/*
 * sfdisk's script for a layout (true: one partition; or a list of sizes in percent, or [size,
 * type]) on a device of so many bytes; the caller's. NULL and *why where it is none.
 */
char *disk_script(const char *table_type, const json_t *layout, unsigned long long size,
                  const char **why);

/* Makes the table. 1, 0 where there is something already, or a negative errno and *why. */
int disk_set_up(const struct device_names *names, const char *name, const json_t *item,
                const char **why);

#endif
