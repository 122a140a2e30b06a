/*
 * What a module remembers between its calls: a JSON object in a file of its own below the tree that
 * it works on, /var/lib/bootlace/modules/NAME.json, which is root's alone.
 */
#ifndef BOOTLACE_SUPPORT_REMEMBER_H
#define BOOTLACE_SUPPORT_REMEMBER_H

#include <bootlace/module.h>
#include <jansson.h>

enum { REMEMBER_PATH_MAX = 256, REMEMBER_DIGEST_MAX = 40 };

/* What was remembered; an empty object where nothing was, or nothing that can be read. The
 * caller's. name is the module's. */
json_t *remember_read(const struct bootlace_host *host, const char *name);

/* Remembers the object from now on; 0, or a negative errno. Nothing under --dry-run. */
int remember_write(const struct bootlace_host *host, const char *name, const json_t *object);

/*
 * A digest of the texts: FNV-1a of 64 bits and the length. It tells the items of one configuration
 * apart, which come from one hand; it is not for keeping secrets or enemies.
 */
void remember_digest(char digest[REMEMBER_DIGEST_MAX], const char *const *texts,
                     const size_t *sizes, size_t count);

/* The digest of a JSON value. */
void remember_digest_json(char digest[REMEMBER_DIGEST_MAX], const json_t *value);

#endif
