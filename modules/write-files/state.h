/*
 * What write_files remembers below the tree, in /var/lib/bootlace/modules/write-files.json:
 * which contents it has appended already, and which files wait for their owner.
 *
 * Both are kept as digests: nothing of the content is in it. The file is written before the work
 * that it tells of, so that power may go at any moment: see files.c, append().
 */
#ifndef BOOTLACE_WRITE_FILES_STATE_H
#define BOOTLACE_WRITE_FILES_STATE_H

#include <bootlace/module.h>
#include <jansson.h>
#include <stdbool.h>

enum { STATE_DIGEST_MAX = 40 };

struct state {
    json_t *object; /* {"appended":[…],"waiting":[…]} */
};

/* "appended" and "waiting" */
extern const char state_appended[], state_waiting[];

/* Reads it; what is not there, or cannot be understood, is empty. */
void state_read(const struct bootlace_host *host, struct state *state);

bool state_has(const struct state *state, const char *name, const char *digest);

/* Changes the list of that name, and the file where that was a change. 0, or a negative errno. */
int state_add(const struct bootlace_host *host, struct state *state, const char *name,
              const char *digest);
int state_remove(const struct bootlace_host *host, struct state *state, const char *name,
                 const char *digest);

/*
 * A digest of the texts: FNV-1a of 64 bits and the length. It tells the items of one configuration
 * apart, which come from one hand; it is not for keeping secrets or enemies.
 */
void state_digest(char digest[STATE_DIGEST_MAX], const char *const *texts, const size_t *sizes,
                  size_t count);

#endif
