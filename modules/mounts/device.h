/*
 * Block devices by the names that people and EC2 have for them, waited for with a limit.
 *
 * What a name can be: a path; sdf, xvdf or /dev/sdf, which may be an NVMe device here (the
 * controller tells which: "Amazon EBS and NVMe on Linux instances", EC2 User Guide); vol-…, which
 * is an NVMe device's serial number; LABEL=, UUID=, PARTLABEL= and PARTUUID=; ephemeral0, ebs1, ami
 * and root as the metadata's block-device-mapping knows them; a name of device_aliases. All but
 * tags may end with .N for a partition.
 */
#ifndef BOOTLACE_MOUNTS_DEVICE_H
#define BOOTLACE_MOUNTS_DEVICE_H

#include <bootlace/module.h>
#include <jansson.h>
#include <stdbool.h>

enum { DEVICE_WAIT_S = 10, DEVICE_WAIT_MAX_S = 3600, DEVICE_NAME_MAX = 256 };

struct device_names {
    const struct bootlace_host *host;
    const json_t *aliases; /* or NULL */
};

/* Whether it is the name of a device at all: not host:/export, tmpfs or a folder. */
bool device_is_name(const struct device_names *names, const char *name);

/*
 * The path of the device, links followed; the caller's. It may have another name, too, or NULL.
 * NULL where it is not there within the time: *why says what was looked for, and what there is.
 */
char *device_find(const struct device_names *names, const char *name, const char *other,
                  unsigned wait_s, const char **why);

/* Whether the path is a block device. */
bool device_is_there(const char *path);

/* An instance store that this instance does not have: nothing to wait for. */
bool device_is_absent_store(const struct device_names *names, const char *name);

/* The path of partition number n of a device: /dev/sda1, /dev/nvme0n1p1. */
char *device_partition(const char *device, unsigned number);

/*
 * The name that EC2 gave to the volume ("sdf", "xvdba"), from what an NVMe controller says of
 * itself: 4096 bytes, of which the last 1024 are the vendor's. false where it is none.
 */
bool device_ec2_name(const unsigned char identity[4096], char name[static 33]);

#endif
