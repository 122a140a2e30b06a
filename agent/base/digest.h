/*
 * A digest that tells whether a step's input changed: FNV-1a, 128 bits, as hexadecimal text.
 *
 * It guards against an accident, not an adversary: who writes the user-data is root here anyway.
 * (Fowler, Noll, Vo: "The FNV Non-Cryptographic Hash Algorithm", RFC 9923.) What must withstand an
 * adversary, a checksum of a download, is a matter of the plug-ins that have a crypto library.
 */
#ifndef BOOTLACE_BASE_DIGEST_H
#define BOOTLACE_BASE_DIGEST_H

#include <stddef.h>

enum { DIGEST_TEXT_MAX = 33 };

__extension__ typedef unsigned __int128 digest_number;

struct digest {
    digest_number state;
};

void digest_init(struct digest *digest);
void digest_add(struct digest *digest, const void *bytes, size_t size);

/* Adds a string with its end, so that "a","b" and "ab","" differ; NULL counts as "". */
void digest_add_text(struct digest *digest, const char *text);

/* The digest so far, as 32 hexadecimal digits; returns text. */
char *digest_text(const struct digest *digest, char text[static DIGEST_TEXT_MAX]);

#endif
