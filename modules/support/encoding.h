/* base64 (RFC 4648) and gzip (RFC 1952), with limits. */
#ifndef BOOTLACE_SUPPORT_ENCODING_H
#define BOOTLACE_SUPPORT_ENCODING_H

#include <jansson.h>
#include <support/text.h>

enum {
    ENCODING_INFLATED_MAX = 64 << 20 /* bytes that gzip may become */
};

/* Adds what base64 stands for; blanks and line ends in it don't count. 0, or -EINVAL. */
int encoding_base64(const char *text, size_t size, struct text *out);

/*
 * Adds the bytes of a setting: of a text, or of what YAML calls !!binary, which is an object with
 * the one member "!!binary", base64, where it is no text. 0, or -EINVAL for anything else.
 */
int encoding_bytes(const json_t *value, struct text *out);

/* Whether it begins as gzip does. */
bool encoding_is_gzip(const char *bytes, size_t size);

/* Adds what gzip, of one or several members, holds. 0, or -EINVAL (damaged), -ENODATA (cut off),
 * -EFBIG (more than the limit). */
int encoding_gunzip(const char *bytes, size_t size, struct text *out);

#endif
