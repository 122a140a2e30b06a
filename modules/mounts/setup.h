/*
 * File systems as `fs_setup` has them: {device, filesystem, partition, label, overwrite,
 * replace_fs, extra_opts, cmd}. They are only made; `mounts` mounts them.
 */
#ifndef BOOTLACE_MOUNTS_SETUP_H
#define BOOTLACE_MOUNTS_SETUP_H

#include <jansson.h>

#include "device.h"

/* Makes the file system. 1, 0 where it is there already, or a negative errno and *why. */
int setup_filesystem(const struct device_names *names, const json_t *item, const char **why);

#endif
