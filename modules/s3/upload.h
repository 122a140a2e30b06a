/*
 * Files and trees of the instance copied to S3.
 *
 * A file of up to 16 MiB is put in one piece; a larger one as a multipart upload, whose parts go
 * over several connections at once, and which is aborted where it fails: nothing that costs is left
 * behind, and the object is replaced only by a whole one. Each piece is sent with the SHA-256 of
 * what was read, which S3 compares with what it received.
 */
#ifndef BOOTLACE_S3_UPLOAD_H
#define BOOTLACE_S3_UPLOAD_H

#include <s3/copy.h>

/* Copies copy->item; what came of it is in the copy: its counts and failures. */
void upload(struct copy *copy);

#endif
