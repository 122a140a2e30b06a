/*
 * The package managers that the module knows: a table of words and functions each, one file a
 * manager, so that nothing else knows any of them.
 */
#ifndef BOOTLACE_PACKAGES_MANAGER_H
#define BOOTLACE_PACKAGES_MANAGER_H

#include <bootlace/module.h>
#include <stdint.h>

#include "installed.h"
#include "symptom.h"
#include "wish.h"
#include "words.h"

/* Programs that only look get this long. */
enum { MANAGER_ASK_LIMIT_S = 120 };

/* What a file says about who is at work. */
enum lock_kind {
    LOCK_HELD,    /* it is locked, by fcntl(2) or flock(2) */
    LOCK_PROCESS, /* it holds the number of a process that lives */
    LOCK_EXISTS   /* it is there */
};

struct lock {
    const char *path; /* in the tree; NULL ends a list */
    enum lock_kind kind;
};

struct work;

struct manager {
    const char *name;            /* as items are meant for it, and for people */
    const char *program;         /* by which it is known to be there */
    const char *const *families; /* of os-release, NULL-ended; NULL: it is no system's own */

    /* Words of its commands, NULL-ended: first the program, with what makes it ask nothing, then
     * one of these. No update: it looks after its lists itself. */
    const char *const *base;
    const char *const *update;
    const char *const *upgrade;
    const char *const *install;
    const char *fetch_only;         /* makes the last two fetch and do no more; NULL: it cannot */
    const char *const *repair;      /* a whole command that brings a cut off run to its end */
    const char *const *environment; /* "NAME=value" */
    const char *lists;              /* the folder of its lists, or NULL */
    bool lists_first;               /* its lists are to be renewed before anything is installed */

    const struct lock *locks;
    const struct symptom *symptoms;

    /* Adds the words by which it works on another tree from this machine; NULL: it cannot. */
    void (*add_tree)(const struct work *work, struct words *words);

    /* Adds options of `install` for these packages, or NULL. */
    void (*add_options)(struct package *const *packages, size_t count, struct words *words);

    /* It can install one package at a time only. */
    bool one_by_one;

    /* Whether an exit code other than 0 is no failure; NULL: none is. */
    bool (*went_well)(int exit_code);

    /* A package as it wants it: "name=version". */
    const char *(*spec)(const struct package *package);

    /* Everything that is installed; 0, or a negative errno. */
    int (*list)(const struct work *work, struct installed *installed);

    /* Looks for the package: now and there. */
    void (*find)(const struct work *work, const struct installed *installed,
                 struct package *package);

    /* Whether what was installed wants a restart, and why; NULL: no. Or NULL. */
    const char *(*restart)(const struct work *work);
};

/* One call of the module. */
struct work {
    const struct bootlace_host *host;
    const struct manager *manager;
    bool outside; /* it is the machine's manager, told of another tree */
    bool ahead;   /* packages are only fetched */
    struct wish wish;
};

extern const struct manager manager_apt, manager_dnf, manager_yum, manager_microdnf, manager_zypper,
    manager_pacman, manager_apk, manager_snap;

/* Finds the manager of the tree, and where it is run; 0, or what host->fail returned. */
int manager_detect(struct work *work);

/* Whether a program is there: in the tree, or on this machine. */
bool manager_has_program(const struct work *work, const char *program);

/* Whether items that name a manager are meant for this one. */
bool manager_is(const struct manager *manager, const char *name);

/* Adds what a program prints to out, the tree's own or the machine's; its exit code or a negative
 * errno. */
int manager_ask(const struct work *work, const char *const *argv, struct text *out);

/* Understands a line of a manager's list, which it may cut into fields. */
typedef void manager_line(struct installed *installed, char *line);

/* Adds what the program lists, in order; its exit code or a negative errno. */
int manager_list(const struct work *work, const char *const *argv, manager_line *take,
                 struct installed *installed);

/* "name=version", or the name alone. */
const char *manager_spec_by_equals(const struct package *package);

#endif
