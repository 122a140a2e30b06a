/* Letting a mounted file system grow to its device's size: ext2 to ext4, xfs, btrfs. */
#ifndef BOOTLACE_MOUNTS_GROWTH_H
#define BOOTLACE_MOUNTS_GROWTH_H

#include <bootlace/module.h>

/*
 * Lets a mounted file system fill its device. 1 where it grew, 0 where it did already, or a
 * negative errno and *why. -EOPNOTSUPP: this type cannot.
 */
int growth_fill(const struct bootlace_host *host, const char *device, const char *type,
                const char *target, const char **why);

#endif
