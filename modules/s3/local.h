/* Whether a file is the copy of an object already. */
#ifndef BOOTLACE_S3_LOCAL_H
#define BOOTLACE_S3_LOCAL_H

#include <s3/copy.h>
#include <s3/object.h>

enum local_state {
    LOCAL_OTHER, /* it is none, or not there */
    LOCAL_SAME,
    LOCAL_UNDRESSED /* it is, but for its owner or mode */
};

/*
 * By the record: size and time as they were left, of an object with this ETag; else, where the
 * ETag is an MD5, by the file's content. *modified_ns is the file's, where it is the same.
 */
enum local_state local_compare(struct copy *copy, const struct object *object, const char *path,
                               int64_t *modified_ns);

/* Gives it the owner and mode of the settings. 0, or a negative errno. */
int local_dress(struct copy *copy, const char *path);

#endif
