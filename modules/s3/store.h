/*
 * What prepare has fetched ahead, in a folder of the module's own: whole and verified objects,
 * each under a name made of what it is. The run asks S3 again what is to be copied, and takes what
 * is the same from here.
 */
#ifndef BOOTLACE_S3_STORE_H
#define BOOTLACE_S3_STORE_H

#include <s3/copy.h>
#include <s3/object.h>

#define STATE_FOLDER "/var/lib/bootlace/modules/s3"
#define STORE_FOLDER STATE_FOLDER "/ahead"

/* The name of an object in the store. */
void store_name(const struct copy *copy, const struct object *object,
                char name[REMEMBER_DIGEST_MAX]);

/* How many bytes may be fetched ahead: a part of what is free. */
uint64_t store_room(const struct copy *copy);

/* Whether it has the object; a descriptor for reading, or a negative errno. */
int store_open(const struct copy *copy, const struct object *object);

/* Moves it to the temporary name of a path, or copies it there; a descriptor for reading and
 * writing, or a negative errno. */
int store_take(const struct copy *copy, const struct object *object, struct places *into,
               const char *path);

/* Removes all that is in it. */
void store_clear(const struct copy *copy);

#endif
