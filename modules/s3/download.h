/* Objects and trees copied to the instance. */
#ifndef BOOTLACE_S3_DOWNLOAD_H
#define BOOTLACE_S3_DOWNLOAD_H

#include <s3/copy.h>

/* Copies copy->item, an object or a tree; what came of it is in the copy: its counts and failures.
 * Under --dry-run it looks and compares, and says what it would copy. */
void download(struct copy *copy);

#endif
