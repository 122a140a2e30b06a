/*
 * Objects are fetched here: many at once, large ones in ranges, over up to 64 connections.
 *
 * Objects are added in the order of their listing and begun in that order. One of up to 16 MiB
 * comes in one piece, and what came is whatever the object is at that moment. A larger one is asked
 * for its headers first, and then comes in ranges of 8 or 16 MiB, each pinned to the ETag by
 * If-Match, beginning with the first, so that the file is written nearly from front to back; should
 * the object be changed meanwhile, all begins anew. A file takes its name only when all of it is
 * there, agrees with the service's check of the whole object (see checksum.h), and is on the disk.
 * What is there of a large one that could not be finished is kept, and gone on with the next time.
 */
#ifndef BOOTLACE_S3_FETCH_H
#define BOOTLACE_S3_FETCH_H

#include <s3/copy.h>
#include <s3/object.h>

struct fetch;

struct fetch *fetch_new(struct copy *copy);
void fetch_free(struct fetch *fetch);

/*
 * Adds an object, whose texts it takes over, that becomes the file of this path below the places.
 * known: its headers have been asked for, so expected is what they say.
 */
void fetch_add(struct fetch *fetch, struct object *object, const char *path, bool known);

/* Adds one that is there already, for the record; line says how it is. */
void fetch_add_unchanged(struct fetch *fetch, struct object *object, const char *path,
                         int64_t modified_ns);

/* Whether there is room for more. */
bool fetch_has_room(const struct fetch *fetch);

/* Moves everything for a while, until the time is over or until there is room for more. */
void fetch_move(struct fetch *fetch, int limit_ms);

/* Moves everything to its end: each object became a file, or a failure of the copy. */
void fetch_finish(struct fetch *fetch);

#endif
