/* An object of S3, as a listing or its headers tell of it. */
#ifndef BOOTLACE_S3_OBJECT_H
#define BOOTLACE_S3_OBJECT_H

#include <s3/item.h>
#include <support/aws.h>

struct object {
    char *key;
    char *etag; /* without quotes */
    uint64_t size;
    int64_t modified;         /* seconds since 1970 */
    struct checksum expected; /* CHECKSUM_NONE where nothing is known of it */
};

void object_clear(struct object *object);

/* The path that a request of this key has: "/" and the key. The caller's. */
char *object_path(const char *key);

/* An ETag without its quotes. The caller's. */
char *object_bare_etag(const char *etag);

/* "2026-11-22T10:30:02.000Z", or an HTTP date; 0 where it is neither. */
int64_t object_time(const char *text);

/* Takes what the headers of an answer say: ETag, time and check; and size from Content-Length, or
 * from Content-Range where there is one. false where there is no ETag or no size. */
bool object_from_headers(struct object *object, const struct http_answer *answer);

/*
 * Asks for an object's headers; object->key is given. 0, or a negative errno and *why, the
 * caller's. A refusal of HEAD has no words, so the same is asked of GET then, for its words.
 */
int object_ask(struct aws *aws, const struct item *item, struct object *object, char **why);

#endif
