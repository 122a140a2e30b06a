/*
 * Sources: where the bytes of user-data, the instance's id and its metadata come from.
 *
 * One constant struct a source, all in one table (source.c); nothing outside asks which one it is.
 * A source gets its limits as plain numbers and never looks at files of settings itself.
 */
#ifndef BOOTLACE_SOURCE_SOURCE_H
#define BOOTLACE_SOURCE_SOURCE_H

#include "base/buffer.h"
#include "base/error.h"
#include "model/settings.h"

#include <stdbool.h>

enum {
    SOURCE_USER_DATA_MAX = 16 << 20, /* a seed may be larger than EC2's 16 KiB */
    SOURCE_ITEM_MAX = 64 << 10,      /* one metadata item or listing */
    SOURCE_ID_MAX = 64
};

struct source; /* an open source */

struct source_type {
    const char *name;
    bool needs_network; /* so when it has answered, the network is there */

    /*
     * Whether there is such a source here, judged without any network: 1 yes, 0 no. The reason
     * goes to why ("no /var/lib/…/seed", "DMI says Amazon EC2"), for status and plan.
     */
    int (*detect)(const struct settings *settings, bool explicitly, char *why, size_t size);

    /* Opens it and has everything loaded that talking to it takes; no traffic yet. */
    int (*open)(const struct settings *settings, void **state, struct error *error);

    /*
     * Waits until the source answers, within settings' limits, and gives the instance's id
     * (checked: file_name_is_plain, at most SOURCE_ID_MAX). ERROR_SOURCE: it did not answer, and
     * the message says which kind of silence that was.
     */
    int (*identify)(void *state, char id[SOURCE_ID_MAX + 1], struct error *error);

    /* The user-data's bytes, in place of what out held: 1, or 0 where none was given, or -1. */
    int (*user_data)(void *state, struct buffer *out, struct error *error);

    /*
     * One metadata item by its path below meta-data ("placement/region"; "…/" lists), or below
     * "dynamic/", in place of what out held: 1, or 0 where there is no such item, or -1.
     */
    int (*item)(void *state, const char *path, struct buffer *out, struct error *error);

    /*
     * Calls known(path, value, context) for every item that came with the identification, at no
     * cost of a request; the caller need not ask for those. May be NULL.
     */
    void (*known)(void *state, void (*tell)(const char *path, const char *value, void *context),
                  void *context);

    /*
     * From here on a step waits for each answer: a silent source has few seconds, whatever is left
     * of the overall limit. May be NULL.
     */
    void (*hurry)(void *state);

    /* Nothing more will be asked; what takes long to close may begin to. May be NULL. */
    void (*finish)(void *state);

    void (*close)(void *state);
};

struct source {
    const struct source_type *type;
    void *state;
};

extern const struct source_type source_ec2;
extern const struct source_type source_seed;
extern const struct source_type source_file;

/* The types that settings may name, in the order in which they are tried; ends with NULL. */
extern const struct source_type *const source_types[];

/*
 * Chooses by settings->sources (or only the one named, where not NULL) the first that detect
 * finds, and opens it. ERROR_SOURCE where there is none: the message gives each one's reason.
 */
int source_open(struct source *source, const struct settings *settings, const char *only,
                struct error *error);

/* The functions of the open source. */
int source_identify(struct source *source, char id[SOURCE_ID_MAX + 1], struct error *error);
int source_user_data(struct source *source, struct buffer *out, struct error *error);
int source_item(struct source *source, const char *path, struct buffer *out, struct error *error);
void source_known(struct source *source,
                  void (*tell)(const char *path, const char *value, void *context), void *context);

/* Later answers have few seconds; an unopened one is accepted. */
void source_hurry(struct source *source);

/* Nothing more will be asked of it until it is closed; an unopened one is accepted. */
void source_finish(struct source *source);

/* Closes it; an unopened one (all zero) is accepted. */
void source_close(struct source *source);

#endif
