/*
 * One account, as an item of `users` (and `default_user`, and `user`) has it: made by useradd(8)
 * where it is not there, its groups, password, lock and sudo rule brought to what is asked for.
 * Passwords go by standard input, never among arguments.
 */
#ifndef BOOTLACE_USERS_ACCOUNT_H
#define BOOTLACE_USERS_ACCOUNT_H

#include <jansson.h>

#include "authorized.h"

enum { ACCOUNT_NAME_MAX = 32 };

/* What is known of an account that is there. */
struct account_entry {
    uid_t id;
    gid_t group;
    char *home, *hash; /* hash: as in shadow(5), "" where it cannot be read */
};

/* Whether text can be the name of a user or group: useradd(8), CAVEATS; no option, no list. */
bool account_is_name(const char *name);

/* 1 and the entry (home and hash are the caller's), 0 where there is none, or a negative errno. */
int account_find(const struct bootlace_host *host, const char *name, struct account_entry *entry);

/* Makes the group where it is not there, and its members (a text, a list, or NULL) members of it.
 * 1, 0, or a negative errno and *why. */
int account_group(const struct bootlace_host *host, const char *name, const json_t *members,
                  const char **why);

/* Brings the account to its settings, but for keys. 1, 0, or a negative errno and *why. */
int account_take(const struct bootlace_host *host, const char *name, const json_t *settings,
                 const char **why);

/* Sets a password, plain or as a hash, where it is another one. 1, 0, or a negative errno, *why. */
int account_password(const struct bootlace_host *host, const char *name, const char *password,
                     bool hashed, const char **why);

/* A list as cloud-init has them: a list, or a text with commas. Member i, the caller's, or NULL. */
char *account_member(const json_t *list, size_t i);

#endif
