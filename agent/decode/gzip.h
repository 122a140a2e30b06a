/* gzip (RFC 1952), by zlib. */
#ifndef BOOTLACE_DECODE_GZIP_H
#define BOOTLACE_DECODE_GZIP_H

#include "base/buffer.h"
#include "base/error.h"

#include <stddef.h>

/*
 * Appends what one gzip file (of one or more members) holds: 0; or -1 and an error where it is cut
 * off, damaged, followed by something else, or larger than out's maximum allows.
 */
int gzip_inflate(const char *bytes, size_t size, struct buffer *out, struct error *error);

#endif
