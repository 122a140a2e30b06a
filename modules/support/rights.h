/*
 * Mode and owner of files, as settings give them: a mode in octal digits, "USER:GROUP" by name or
 * number. What is wrong is said in words that name the key, never the value.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BOOTLACE_SUPPORT_RIGHTS_H
#define BOOTLACE_SUPPORT_RIGHTS_H

#include <bootlace/module.h>
#include <jansson.h>
#include <stdbool.h>

struct rights {
    mode_t mode;
    uid_t owner;
    gid_t group_id;
    const char *user, *group; /* as they were given; NULL = root */
    bool mode_given, owner_given;
    bool owner_is_there; /* false: user or group do not exist yet */
};

/*
 * Reads the member mode_key ("mode", "permissions") and the member "owner" of an object. What is
 * absent or null leaves the mode as it is, and makes the owner root. 0, or a negative errno, and
 * why says what is wrong.
 */
int rights_read(const struct bootlace_host *host, const json_t *object, const char *mode_key,
                struct rights *rights, char *why, size_t why_size);

/* The owner in words: "app:web". The caller's. */
char *rights_owner_text(const struct rights *rights);

#endif
