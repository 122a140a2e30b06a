/*
 * A volume as `volumes` has it: attached where asked, waited for, given a file system where there
 * is nothing, mounted now and in fstab, its root's owner and mode set, grown with its device.
 */
#ifndef BOOTLACE_MOUNTS_VOLUME_H
#define BOOTLACE_MOUNTS_VOLUME_H

#include <jansson.h>
#include <support/rights.h>

#include "device.h"

enum { VOLUME_WAIT_S = 60 };

struct volume {
    const char *attach, *device; /* either, or both */
    const char *mount, *filesystem, *label, *options;
    struct rights rights;
    unsigned wait_s;
    bool grow, overwrite;
};

/* Reads an item. 0, or a negative errno and *why. */
int volume_read(const struct bootlace_host *host, const json_t *item, struct volume *volume,
                const char **why);

/* What it is called in the record: its mount point, or its device. */
const char *volume_name(const struct volume *volume);

/* Does it. 1 where something changed, 0, or a negative errno; *why says what was done, or why not.
 */
int volume_bring(const struct device_names *names, const struct volume *volume, const char **why);

/*
 * Sets owner and mode of the mounted file system's root; late: in the second pass, when packages
 * and users are there. 1, 0, or a negative errno and *why.
 */
int volume_set_rights(const struct bootlace_host *host, const struct volume *volume, bool late,
                      const char **why);

#endif
