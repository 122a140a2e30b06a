/*
 * The check of a large file whose ranges come in any order, for checks that must be reckoned from
 * the first byte to the last (MD5, SHA-1, SHA-256): by a thread beside the transfer, which reads
 * the file as far as it is whole.
 */
#ifndef BOOTLACE_S3_HASHING_H
#define BOOTLACE_S3_HASHING_H

#include <s3/checksum.h>

struct hashing;

/* Begins with nothing allowed to be read; NULL where no thread can be had. The descriptor stays the
 * caller's, open until the end. */
struct hashing *hashing_begin(int fd, uint64_t size, enum checksum_kind kind);

/* All up to this offset is there. */
void hashing_allow(struct hashing *hashing, uint64_t offset);

/* Waits until all is read, which must be allowed; 0 and *sum, or a negative errno. */
int hashing_end(struct hashing *hashing, struct checksum *sum);

/* Ends it as it is. Takes NULL. */
void hashing_cancel(struct hashing *hashing);

/* In the caller's own thread: adds a range of a file to a check, or reckons that of all of it; 0,
 * or a negative errno. */
int hashing_range(int fd, uint64_t offset, uint64_t size, struct checksum_run *run);
int hashing_file(int fd, uint64_t size, enum checksum_kind kind, struct checksum *sum);

#endif
