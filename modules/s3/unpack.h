/*
 * The plug-in that unpacks (unpack/unpack.c): what it is given, and the one function that it
 * exports. It is a shared object of its own, because libarchive brings thirty libraries along.
 */
#ifndef BOOTLACE_S3_UNPACK_H
#define BOOTLACE_S3_UNPACK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    UNPACK_ENTRIES_MAX = 1000000,
    UNPACK_DEPTH_MAX = 100,             /* folders in each other */
    UNPACK_GIB_MAX = 1024,              /* of all files together */
    UNPACK_RATIO_MAX = 250,             /* of what comes out to what the archive has, */
    UNPACK_RATIO_FROM_BYTES = 256 << 20 /* from here on */
};

#define UNPACK_FUNCTION "bootlace_unpack"

struct unpack {
    int archive; /* a descriptor, at its beginning */
    uint64_t archive_size;
    unsigned strip;
    uid_t owner;
    gid_t group;
    bool mode_given; /* else files keep the archive's, without setuid, setgid and sticky bits */
    mode_t mode, folder_mode;

    uint64_t entries, bytes; /* what came out */
};

/*
 * Unpacks into the working directory. 0, or a negative errno and why: -EINVAL no archive, -EPERM
 * what an archive may not hold, -EFBIG beyond the limits, or what writing failed with.
 */
typedef int unpack_function(struct unpack *unpack, char *why, size_t why_size);

#endif
