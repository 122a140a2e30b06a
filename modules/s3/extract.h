/*
 * An archive fetched, and unpacked into a folder.
 *
 * It is unpacked beside its place first, as a whole, by a child process that is locked into that
 * folder (chroot) and opens libarchive, which the module itself does without. Only what came out
 * of a whole archive is moved: as one folder where there was none, or file by file into the one
 * that is there.
 */
#ifndef BOOTLACE_S3_EXTRACT_H
#define BOOTLACE_S3_EXTRACT_H

#include <s3/copy.h>

/* Copies copy->item; what came of it is in the copy: its counts and failures. */
void extract(struct copy *copy);

#endif
