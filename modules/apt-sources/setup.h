/* What the parts of the module share: the settings of `apt`, the distribution, and the items. */
#ifndef BOOTLACE_APT_SOURCES_SETUP_H
#define BOOTLACE_APT_SOURCES_SETUP_H

#include <bootlace/module.h>
#include <jansson.h>
#include <stdbool.h>
#include <support/outcome.h>
#include <support/text.h>

enum { SETUP_FILE_MODE = 0644, SETUP_SECRET_MODE = 0600 };

struct setup {
    const struct bootlace_host *host;
    const json_t *settings;
    const char *distribution; /* os-release's ID: "debian", "ubuntu" */
    const char *release;      /* its code name; "" where it has none */
    const char *primary;      /* the archives, for $PRIMARY and $SECURITY */
    const char *security;
    struct outcome outcome;
    json_t *state; /* what the module remembers: {"keys":{PATH:…},"debconf":{NAME:…}} */
};

/* Puts a file, as an item of that name. 1 changed, 0 it was so already, or a negative errno. */
int setup_put(struct setup *setup, const char *path, const struct text *text, mode_t mode);

/* Removes a file, the same. */
int setup_remove(struct setup *setup, const char *path);

/* An item that failed. Returns -EINVAL. */
int setup_fail(struct setup *setup, const char *item, const char *why);

/* A text of an object, or NULL where it has none. */
const char *setup_text(const json_t *object, const char *key);

/* Adds the text with $RELEASE, $MIRROR, $PRIMARY, $SECURITY and, where it is not NULL, $KEY_FILE
 * replaced. */
void setup_expand(const struct setup *setup, const char *text, const char *key_file,
                  struct text *out);

/* The archives and what is left out of them: primary, security, disable_suites, sources_list. */
void archive_set_up(struct setup *setup);

/* `sources`. */
void sources_set_up(struct setup *setup);

/*
 * The key of a source or a mirror, where it has one, by `key` or `keyid`, in the folder, as
 * NAME.asc. 1 and *path where it has, 0 where not, or a negative errno, and an item has failed.
 */
int key_set_up(struct setup *setup, const char *name, const json_t *object, const char *folder,
               const char **path);

/* A name for a file, of characters that apt takes; the caller's. */
char *setup_file_name(const char *name);

#endif
