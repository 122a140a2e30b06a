/*
 * What write_files remembers below the tree, in /var/lib/bootlace/modules/write-files.json:
 * which contents it has appended already, and which files wait for their owner.
 *
 * It is of the tree, not of an instance: what was appended is there in every machine that is made
 * of it. So a seal leaves it.
 *
 * Both are kept as digests: nothing of the content is in it. The file is written before the work
 * that it tells of, so that power may go at any moment: see files.c, append().
 */
#ifndef BOOTLACE_WRITE_FILES_STATE_H
#define BOOTLACE_WRITE_FILES_STATE_H

#include <bootlace/module.h>
#include <jansson.h>
#include <stdbool.h>

struct state {
    json_t *object; /* {"appended":[…],"waiting":[…]} */
};

/* "appended" and "waiting" */
extern const char state_appended[], state_waiting[];

/* Reads it; what is not there, or cannot be understood, is empty. */
void state_read(const struct bootlace_host *host, struct state *state);

bool state_has_any(const struct state *state, const char *name);
bool state_has(const struct state *state, const char *name, const char *digest);

/* Changes the list of that name, and the file where that was a change. 0, or a negative errno. */
int state_add(const struct bootlace_host *host, struct state *state, const char *name,
              const char *digest);
int state_remove(const struct bootlace_host *host, struct state *state, const char *name,
                 const char *digest);

#endif
