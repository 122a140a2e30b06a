/*
 * The keys that let people in: the metadata's public keys and `ssh_authorized_keys`, for the
 * image's default user and for root, as cloud-init has them.
 */
#ifndef BOOTLACE_USERS_KEYS_H
#define BOOTLACE_USERS_KEYS_H

#include <bootlace/module.h>
#include <jansson.h>
#include <support/outcome.h>

/* The default user's settings: `default_user`, with what `user` says in its place; a new
 * reference. Its name is what images of the distribution have where there is none. */
json_t *keys_default_user(const struct bootlace_host *host, const json_t *settings);

/* Adds the metadata's public keys to list, as texts. */
void keys_of_metadata(const struct bootlace_host *host, json_t *list);

/*
 * Gives the default user (NULL: there is none) and root their keys, by the settings
 * ssh_authorized_keys, allow_public_ssh_keys, disable_root and disable_root_opts; the default user
 * is made where there is a key for it. Those of the metadata are remembered, and taken away where
 * they are no longer this instance's. Items are told to outcome.
 */
void keys_give(const struct bootlace_host *host, const json_t *settings, const json_t *user,
               struct outcome *outcome);

/* Writes a user's own keys: `ssh_authorized_keys`, or those of the metadata where ssh_redirect_user
 * sends its logins to the default user. 1, 0, or a negative errno and *why. */
int keys_of_user(const struct bootlace_host *host, const char *name, const json_t *settings,
                 const char *default_user, const char **why);

/* Takes away what the metadata gave. What the module's forget returns. */
int keys_forget(const struct bootlace_host *host);

#endif
