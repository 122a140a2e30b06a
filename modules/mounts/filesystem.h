/*
 * What is on a device (libblkid), and making a file system where there is nothing. Data is never
 * overwritten unless that was asked for in so many words.
 */
#ifndef BOOTLACE_MOUNTS_FILESYSTEM_H
#define BOOTLACE_MOUNTS_FILESYSTEM_H

#include <bootlace/module.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { CONTENT_TEXT_MAX = 256, FILESYSTEM_MAKE_LIMIT_S = 1800 };

struct content {
    char type[CONTENT_TEXT_MAX];  /* of a file system, swap, or a part of a RAID; "" none known */
    char usage[CONTENT_TEXT_MAX]; /* filesystem, other, raid, crypto; "" none known */
    char uuid[CONTENT_TEXT_MAX];
    char label[CONTENT_TEXT_MAX];
    char table[CONTENT_TEXT_MAX]; /* dos, gpt; "" where it has no partition table */
    char table_uuid[CONTENT_TEXT_MAX];
    unsigned partitions;
    bool blank; /* nothing known, and nothing but zeros at its beginning */
    uint64_t size;
};

/* Looks at a device. 0, or a negative errno and *why. */
int content_read(const char *device, struct content *content, const char **why);

/* What is there, for people: "an ext4 file system (data)". The caller's. */
char *content_text(const struct content *content);

struct filesystem_wish {
    const char *type;           /* ext4, xfs, btrfs, vfat, swap, … */
    const char *label;          /* or NULL */
    const json_t *options;      /* more arguments, or NULL */
    const json_t *command;      /* a command of the user's own, or NULL */
    const char *command_device; /* what stands for the device in it */
};

/* Makes a file system, whatever is there: the caller has looked. 1, or a negative errno and *why.
 */
int filesystem_make(const struct bootlace_host *host, const char *device,
                    const struct filesystem_wish *wish, const char **why);

#endif
