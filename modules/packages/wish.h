/*
 * What is asked for: the settings, understood.
 *
 * A package is a name, [name, version], or a list of these under the name of a package manager,
 * which is meant for machines with that one alone: cloud-init's forms.
 */
#ifndef BOOTLACE_PACKAGES_WISH_H
#define BOOTLACE_PACKAGES_WISH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include <bootlace/module.h>

enum {
    WISH_PACKAGES_MAX = 10000,
    WISH_NAME_MAX = 1024, /* bytes of a name: it may be the URL of a package */
    WISH_LOCK_WAIT_S = 600,
    WISH_RETRIES = 5
};

struct package {
    const char *name;
    const char *version; /* NULL: any */
    const char *manager; /* the one that it is meant for; NULL: this machine's */
    const char *label;   /* for people, and of its item in the record */
    const char *now;     /* the version that is installed; NULL: it is not */
    const char *before;  /* the same, before anything was done */
    bool there;          /* it is there in the version that is asked for */
    bool was_there;      /* the same, before */
    bool done;           /* the manager said that it is, though it is not listed: a group, a URL */
    const char *why;     /* why it failed, or NULL */
    const char *details; /* what the manager printed about it, or NULL */
    const char *remark;  /* what else is to be said of it, or NULL */
};

struct wish {
    struct package *packages;
    size_t count;
    bool update, upgrade;
    bool reboot;  /* restart where what was installed wants that */
    bool stop;    /* at the first failure */
    bool sources; /* package sources are configured by another module, before */
    unsigned lock_wait_s;
    unsigned retries;
};

/* Reads the settings; 0, or what host->fail returned. */
int wish_read(const struct bootlace_host *host, const json_t *settings, struct wish *wish);

/* Adds a package for this machine's manager, unless it is asked for already; version may be NULL.
 * The same. */
int wish_add(const struct bootlace_host *host, struct wish *wish, const char *name,
             const char *version);

#endif
