/* One open file put as one object; see upload.h. */
#ifndef BOOTLACE_S3_PUT_H
#define BOOTLACE_S3_PUT_H

#include <s3/copy.h>

enum {
    PUT_WHOLE_MAX = 16 << 20, /* bytes of a file that is put in one piece */
    PUT_PART_MIN = 8 << 20,   /* bytes of a part, */
    PUT_PARTS_MAX = 10000,    /* of which an upload has at most so many; both are S3's limits */
    PUT_SLOTS = 8             /* parts at once, unless the settings say otherwise */
};

/* The file's bytes become the object; 0 and its *etag (the caller's), or a negative errno and *why
 * (the caller's, too). */
int put_file(struct copy *copy, int fd, uint64_t size, const char *key, char **etag, char **why);

#endif
