/*
 * Where an item's content is taken from, instead of `content`: a file of the tree that is worked
 * on, or an address of http or https, which may be held against a checksum.
 *
 * An address may carry a secret behind its '?', or before its '@', and so may headers: none of them
 * is ever shown.
 */
#ifndef BOOTLACE_WRITE_FILES_SOURCE_H
#define BOOTLACE_WRITE_FILES_SOURCE_H

#include <bootlace/module.h>
#include <jansson.h>
#include <stdbool.h>
#include <support/text.h>

enum {
    SOURCE_BYTES_MAX = 64 << 20, /* of a body */
    SOURCE_URI_MAX = 4096,
    SOURCE_HEADERS_MAX = 64,
    SOURCE_ATTEMPTS = 5,
    SOURCE_REDIRECTS = 5,   /* none where there are headers */
    SOURCE_LIMIT_S = 600,   /* an attempt */
    SOURCE_DIGEST_MAX = 65, /* SHA-256 in hexadecimal */
    SOURCE_WHY_MAX = 640
};

struct source {
    const char *path; /* of a file, or NULL */
    char *address;    /* without its fragment, or NULL */
    char *shown;      /* the address without what may be secret */
    const char *headers[SOURCE_HEADERS_MAX + 1];
    const char *checksum; /* 64 hexadecimal digits, or NULL */
};

/* Reads an item's member `source`; 0, or a negative errno and why it is none. */
int source_read(const json_t *given, struct source *source, char why[static SOURCE_WHY_MAX]);

/*
 * Adds the content to out; path is where the item's file is. Where a checksum is given and that
 * file has it already, its bytes are taken and nobody is asked; NULL: there is no such file. 0, or
 * a negative errno and why: -EBADMSG where the content is not what the checksum says.
 *
 * Under --dry-run no server is asked: 1, and why says what would be fetched.
 */
int source_take(const struct bootlace_host *host, const struct source *source, const char *path,
                struct text *out, char why[static SOURCE_WHY_MAX]);

#endif
