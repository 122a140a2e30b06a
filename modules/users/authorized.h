/*
 * Lines of authorized_keys (sshd(8), AUTHORIZED_KEYS FILE FORMAT), in a text and in a user's home.
 *
 * The home belongs to the user: nothing in it is followed, it is read and written with that user's
 * rights alone, and a file takes its place at once.
 */
#ifndef BOOTLACE_USERS_AUTHORIZED_H
#define BOOTLACE_USERS_AUTHORIZED_H

#include <bootlace/module.h>
#include <stdbool.h>
#include <support/text.h>

enum { AUTHORIZED_KEYS_MAX = 256, AUTHORIZED_LINE_MAX = 16384 };

/* Public keys, each a line without its end. */
struct authorized_keys {
    const char *lines[AUTHORIZED_KEYS_MAX];
    size_t count;
};

/* Adds the lines of a text that are keys; empty lines and comments are left out. 0, or -EINVAL
 * where a line is no key, -E2BIG where there are too many: all others are added then. */
int authorized_add(struct authorized_keys *keys, const char *text);

/* The key itself, TYPE and its base64, which tells lines with other options and comments to be of
 * the same key; the caller's. NULL where the line is none. */
char *authorized_blob(const char *line);

/*
 * Adds the file's text to out, with these keys in it, options (or NULL) before each, and without
 * the lines of the blobs of old; what else is there stays. Returns whether that changes it.
 */
bool authorized_merge(const char *text, const struct authorized_keys *keys, const char *options,
                      const struct authorized_keys *old, struct text *out);

/* What authorized_keys of a user is made. */
struct authorized_home {
    const char *home;
    uid_t owner;
    gid_t group;
};

/*
 * Merges into HOME/.ssh/authorized_keys, which is made with its folder where there is a key to
 * write. 1 changed, 0, or a negative errno and *why.
 */
int authorized_write(const struct bootlace_host *host, const struct authorized_home *home,
                     const struct authorized_keys *keys, const char *options,
                     const struct authorized_keys *old, const char **why);

#endif
