/* SHA-256 (FIPS 180-4, section 6.2), for the checksum behind an included address. */
#ifndef BOOTLACE_DECODE_SHA256_H
#define BOOTLACE_DECODE_SHA256_H

#include <stddef.h>

enum { SHA256_TEXT_MAX = 65 };

/* The digest of the bytes as 64 hexadecimal digits in lower case; returns text. */
char *sha256_text(const void *bytes, size_t size, char text[static SHA256_TEXT_MAX]);

#endif
