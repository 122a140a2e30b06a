/*
 * The plug-in for archives and for compressions other than gzip (agent/archive, libarchive): opened
 * only when something of the kind is there, since libarchive brings 40 libraries with it.
 *
 * It knows formats and nothing of user-data. Nothing that it reads is written to a disk.
 */
#ifndef BOOTLACE_DECODE_ARCHIVE_PLUGIN_H
#define BOOTLACE_DECODE_ARCHIVE_PLUGIN_H

#include "base/buffer.h"
#include "base/error.h"

#include <stddef.h>

#define ARCHIVE_PLUGIN "plugins/archive.so"
#define ARCHIVE_PACKAGE "bootlace-archive" /* that has it, where it is a package of its own */

enum { ARCHIVE_FILES_MAX = 1000, ARCHIVE_NAME_MAX = 255 };

/* Takes one regular file; its bytes may be taken out of the buffer. -1 ends the reading. */
typedef int archive_take(void *context, const char *name, struct buffer *bytes);

/* The plug-in's exported symbol: const struct archive_reader bootlace_archive. */
struct archive_reader {
    size_t size; /* of this struct: agent and plug-in are of one build */

    /* Appends what an xz, zstd or bzip2 stream holds, at most out's maximum: 0, or -1. */
    int (*inflate)(const char *bytes, size_t size, struct buffer *out, struct error *error);

    /*
     * Hands the regular files of a tar or zip over, in their order and at most maximum bytes
     * together: 0, or -1 and an error. Refused: absolute names, `..` in a name, links, devices,
     * encrypted files, a name that stands twice. A leading `./` is taken off.
     */
    int (*read)(const char *bytes, size_t size, size_t maximum, archive_take *take, void *context,
                struct error *error);
};

/* Opens it once; NULL and an error that says what is missing. */
const struct archive_reader *archive_plugin_load(struct error *error);

#endif
