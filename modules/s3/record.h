/*
 * What a copy left on the instance: of each file its path, the ETag of its object, and size and
 * time as the file had them. So a second run asks for a listing alone, and knows what is still as
 * it was left.
 *
 * It is a file of lines below /var/lib/bootlace/modules/s3, one for each item of the settings, in
 * the order of S3's listings: it is read and written beside them, and never is in memory whole. No
 * extended attributes: tmpfs, overlays and NFS lack them, and they stay when a file is overwritten.
 */
#ifndef BOOTLACE_S3_RECORD_H
#define BOOTLACE_S3_RECORD_H

#include <s3/places.h>

#include <stdio.h>

struct record_line {
    char *path;
    char *etag;
    int64_t size, modified_ns;
};

struct record {
    struct places *folder;
    const char *name;
    FILE *old, *new;         /* either may be NULL */
    struct record_line line; /* the next of the old ones; its path is NULL where there is none */
    struct record_line found;
};

/* Opens the record of that name; without write, nothing is going to be kept. */
void record_open(struct record *record, struct places *folder, const char *name, bool write);

/* What was left of a path, or NULL; to be asked in ascending order. Valid until the next call. */
const struct record_line *record_find(struct record *record, const char *path);

void record_add(struct record *record, const char *path, const char *etag, int64_t size,
                int64_t modified_ns);

/* Puts what was added in place of what was there; where the copy is not whole, with those lines of
 * it that were not asked for yet. 0, or a negative errno. */
int record_close(struct record *record, bool whole);

#endif
