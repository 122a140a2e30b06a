/* One repository as the settings name it, and the git commands that bring it there. */
#ifndef BOOTLACE_GIT_REPOSITORY_H
#define BOOTLACE_GIT_REPOSITORY_H

#include <bootlace/module.h>
#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

enum {
    REPOSITORY_ATTEMPTS = 3,   /* of what asks the other side */
    REPOSITORY_ASK_S = 60,     /* limit of one question to it */
    REPOSITORY_FETCH_S = 1800, /* limit of a transfer */
    REPOSITORY_LOCAL_S = 600,  /* limit of work on the files */
    REPOSITORY_HASH_MAX = 64,  /* hexadecimal digits: SHA-256 */
    REPOSITORY_DEPTH_MAX = 1000000
};

struct repository {
    const struct bootlace_host *host;
    const char *url;
    const char *dest;
    const char *version; /* branch, tag or commit; NULL: what the other side's HEAD is */
    const char *key;     /* of ssh, a path; NULL: none of our own */
    long depth;          /* 0: everything */
    bool submodules;
    bool force; /* local changes and commits are given up */

    /* Found out on the way: */
    uid_t uid; /* the owner; 0: root */
    gid_t gid;
    char *ssh;                            /* the ssh command line */
    char *key_copy;                       /* that the owner can read; or NULL */
    char before[REPOSITORY_HASH_MAX + 1]; /* "" where there was none */
    char after[REPOSITORY_HASH_MAX + 1];
    char ref[512];    /* to be fetched: a full name, or a commit */
    char branch[512]; /* "" where it is none */
};

/* Reads an item: 0, or a negative errno and *why. */
int repository_read(const struct bootlace_host *host, const json_t *item,
                    struct repository *repository, const char **why);

/* Makes dest what the item says: 1 changed, 0 it was so already, or a negative errno and *why. */
int repository_bring(struct repository *repository, const char **why);

#endif
