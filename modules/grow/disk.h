/*
 * The partition behind a mount point, and the room behind it: what /proc/self/mountinfo and
 * /sys/dev/block say (proc(5), Documentation/ABI/stable/sysfs-block). Sizes are in sectors of 512
 * bytes, as sysfs has them.
 */
#ifndef BOOTLACE_GROW_DISK_H
#define BOOTLACE_GROW_DISK_H

#include <bootlace/module.h>
#include <stdbool.h>

enum { DISK_TEXT_MAX = 256 };

/* What is mounted at a place. */
struct disk_mount {
    char source[4096]; /* as the kernel has it */
    char type[DISK_TEXT_MAX];
    unsigned major_number, minor_number; /* 0: of no block device */
};

struct disk_partition {
    char name[DISK_TEXT_MAX]; /* of the device: vda1 */
    char disk[DISK_TEXT_MAX]; /* of the disk that it is on; "" where it is none itself */
    unsigned number;
    unsigned long long start, size, disk_size;
    bool followed; /* another partition lies behind it */
    bool mapped;   /* a device of device-mapper or md, which something else has to grow first */
};

/* Reads what is mounted at target from a text as mountinfo's. */
bool disk_find_mount(const char *mountinfo, const char *target, struct disk_mount *mount);

/* The same, of this process; 0, or a negative errno: -ENOENT where nothing is mounted there. */
int disk_read_mount(const char *target, struct disk_mount *mount);

/* The numbers of a device by its path, or by its mount; 0, or a negative errno. */
int disk_numbers(const struct disk_mount *mount, unsigned *major_number, unsigned *minor_number);

/* Looks at a block device; 0, or a negative errno. */
int disk_read(unsigned major_number, unsigned minor_number, struct disk_partition *partition);

/* Sectors that the partition could grow by; 0 where that is not worth it, or not possible. */
unsigned long long disk_room(const struct disk_partition *partition);

#endif
