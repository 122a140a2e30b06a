/*
 * Checks of whole objects: what S3 says about one, and the same reckoned here.
 *
 * S3 keeps a check of most objects (x-amz-checksum-*, sent where x-amz-checksum-mode asks for it);
 * one that is COMPOSITE is of the checks of an upload's parts, and says nothing about the whole.
 * The ETag is the MD5 of an object that was put in one piece and is not encrypted with a key of
 * KMS or of the customer's.
 */
#ifndef BOOTLACE_S3_CHECKSUM_H
#define BOOTLACE_S3_CHECKSUM_H

#include <stdbool.h>
#include <support/http.h>

enum checksum_kind {
    CHECKSUM_NONE,
    CHECKSUM_CRC64NVME, /* from here in the order of what they cost */
    CHECKSUM_CRC32C,
    CHECKSUM_CRC32,
    CHECKSUM_SHA256,
    CHECKSUM_SHA1,
    CHECKSUM_MD5
};

enum { CHECKSUM_BYTES_MAX = 32, CHECKSUM_HEX_MAX = 2 * CHECKSUM_BYTES_MAX + 1 };

struct checksum {
    enum checksum_kind kind;
    size_t size;
    unsigned char bytes[CHECKSUM_BYTES_MAX];
};

/* One that is being reckoned. */
struct checksum_run {
    enum checksum_kind kind;
    uint64_t crc;
    void *digest; /* libcrypto's, or NULL */
};

/* "SHA-256", for people. */
const char *checksum_name(enum checksum_kind kind);

/* Whether the checks of pieces make that of the whole, by checksum_join(). */
bool checksum_joins(enum checksum_kind kind);

/* Reckons; a run that is all zero is of no kind, and begins anew with each begin. End makes it all
 * zero again; sum may be NULL. */
void checksum_begin(struct checksum_run *run, enum checksum_kind kind);
void checksum_add(struct checksum_run *run, const void *bytes, size_t size);
void checksum_end(struct checksum_run *run, struct checksum *sum);

/* Adds the pieces' check to that of what is before them: size is that of the bytes of crc. */
void checksum_join(struct checksum_run *run, uint64_t crc, uint64_t size);

/* Whether they are of one kind, and the same. */
bool checksum_equal(const struct checksum *one, const struct checksum *other);

/* "sha256:…" in hexadecimal; 0, or -EINVAL. */
int checksum_parse(const char *text, struct checksum *sum);

/* What an answer says of the whole object: the cheapest of the checks that it has. CHECKSUM_NONE
 * where it says nothing. */
void checksum_of_answer(const struct http_answer *answer, struct checksum *sum);

/* Whether the ETag, without its quotes, looks like an MD5; and that. */
bool checksum_of_etag(const char *etag, struct checksum *sum);

/* Hexadecimal, for people. */
void checksum_hex(const struct checksum *sum, char hex[CHECKSUM_HEX_MAX]);

#endif
