/*
 * What is kept of a large object whose transfer was broken off: the ranges that are in its file
 * already, which is left under its temporary name. It is gone on with only where the object still
 * is the same: ETag, size, and key.
 *
 * A file of JSON beside the records, made when the transfer ends without its end, after the data
 * was flushed; so it is true after a power cut, too. One that was killed begins anew.
 */
#ifndef BOOTLACE_S3_PARTIAL_H
#define BOOTLACE_S3_PARTIAL_H

#include <s3/fetch_parts.h>

/* Remembers the entry's ranges; false where that is not possible. */
bool partial_save(const struct copy *copy, const struct entry *entry);

/* Marks the ranges that are there in entry->done, and forgets that it was remembered. false where
 * none are. */
bool partial_load(const struct copy *copy, struct entry *entry);

/* Removes what is left of transfers that nobody went on with, with their files. */
void partial_sweep(const struct copy *copy);

#endif
