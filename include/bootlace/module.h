/*
 * bootlace/module.h - the interface between bootlace and its modules.
 *
 * A module is a shared object in lib/bootlace/modules with one exported data symbol,
 *
 *     const struct bootlace_module bootlace_module = { .size = sizeof bootlace_module, … };
 *
 * at the end of its one file. It is data, so describing a module runs none of its code. An
 * executable in the same folder is a module, too, and gets the same text by other ways; see
 * bootlace-module(7).
 *
 * The change log of this interface; new members come only at the end of a struct, and each side
 * copies the smaller of the two sizes, so that old modules and old agents go on working:
 *
 *     1  the first
 *     2  bootlace_module.reads
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BOOTLACE_MODULE_H
#define BOOTLACE_MODULE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BOOTLACE_INTERFACE 1

/* How often a step of this module runs. */
enum bootlace_frequency {
    BOOTLACE_PER_INSTANCE = 0, /* once for each instance-id */
    BOOTLACE_PER_BOOT = 1,     /* at every boot */
    BOOTLACE_ONCE = 2          /* once on this file system, whatever instance it becomes */
};

/* When in the boot it runs. */
enum bootlace_stage {
    BOOTLACE_STAGE_MAIN = 0, /* after the source answered */
    BOOTLACE_STAGE_EARLY = 1 /* before sshd and the network; no user-data, recorded metadata only */
};

/* Properties, or-ed together. */
enum bootlace_flags {
    BOOTLACE_REPEATABLE = 1, /* running it again is safe: a failed step is tried again */
    BOOTLACE_BAKEABLE = 2,   /* it can be done in an image that is not running */
    BOOTLACE_NO_LIMIT = 4    /* it runs the user's own program: no time limit by default */
};

/* The values of syslog(3). */
enum bootlace_level {
    BOOTLACE_ERROR = 3,
    BOOTLACE_WARNING = 4,
    BOOTLACE_INFO = 6,
    BOOTLACE_DEBUG = 7
};

/* What a program does to the machine; see bootlace_host.run_program. */
enum bootlace_effect {
    BOOTLACE_READS = 0,  /* changes nothing: runs under --dry-run, too */
    BOOTLACE_CHANGES = 1 /* under --dry-run it is only shown */
};

/* A program to be run; members not named are zero. */
struct bootlace_program {
    size_t size; /* sizeof(struct bootlace_program) */
    const char *const
        *argv; /* argv[0] is a path, or a name that is looked up in PATH; ends with NULL */
    const char *const
        *environ_add;   /* "NAME=value" beside the step's own environment; NULL-ended or NULL */
    const char *folder; /* working folder; NULL = "/" */
    const char *input;  /* standard input; NULL = empty */
    size_t input_size;
    enum bootlace_effect effect;
    unsigned time_limit; /* seconds; 0 = the step's own limit alone */
    char *capture;       /* standard output goes here, '\0'-terminated; NULL = to the log */
    size_t capture_size; /* of the capture buffer; what does not fit is dropped */
    int detach;          /* not 0: start it in a session of its own and don't wait */
};

/* How a program ended. */
struct bootlace_ending {
    int exit_code; /* 0..255, or -1 where a signal ended it or it never ran */
    int signal;    /* 0, or the signal that ended it */
    int timed_out; /* not 0: it was ended at its time limit */
    pid_t pid;     /* of a detached program */
};

/* How a file is to be; see bootlace_host.put_file. */
struct bootlace_file {
    size_t size; /* sizeof(struct bootlace_file) */
    mode_t mode; /* exact, from the first moment */
    uid_t owner;
    gid_t group;
};

/*
 * What the host lends to a module for the time of one call. Every function takes the host itself
 * first. Text is UTF-8; nothing passed in is kept after the call returns. None of them is safe to
 * call from several threads at once.
 */
struct bootlace_host {
    size_t size;        /* of the table that this agent has: see BOOTLACE_HAS */
    unsigned interface; /* BOOTLACE_INTERFACE of the agent */
    int dry_run;      /* not 0: show, change nothing; run_program and put_file know it themselves */
    const char *root; /* the tree to work on, "/" on a running machine */
    void *context;    /* the host's own */

    /* A line into the step's log. Never pass what may be a secret. */
    void (*log)(const struct bootlace_host *host, enum bootlace_level level, const char *format,
                ...) __attribute__((format(printf, 3, 4)));

    /* How far it is, 0.0 to 1.0, and a word about it (or NULL); shown by `bootlace status`. */
    void (*progress)(const struct bootlace_host *host, double fraction, const char *message);

    /*
     * The outcome of one item of the step (a file, a package, a command) into the record.
     * status is "changed", "unchanged" or "failed"; exit_code -1 where there is none.
     */
    void (*item)(const struct bootlace_host *host, const char *item, const char *status,
                 int exit_code, const char *message);

    /*
     * Says why the step fails, and what to do, for its record; returns -number, so that a module
     * writes `return host->fail(host, ENOENT, "…", …);`. The last call counts.
     */
    int (*fail)(const struct bootlace_host *host, int number, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

    /* A message for the record of a step that does not fail ("2 of 5 changed"). */
    void (*note)(const struct bootlace_host *host, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

    /* Puts a program's ending into the step's record: its exit code or signal is the step's. */
    void (*ended)(const struct bootlace_host *host, const struct bootlace_ending *ending);

    /*
     * Runs a program by its argument vector, never through a shell. Its output goes line by line
     * to the step's log, or to capture. It gets a process group of its own where it has a time
     * limit, which then ends the whole group. Returns 0 when it was run, and *ending says how it
     * ended; a negative errno when it could not be started (-ENOENT: no such program). Under
     * --dry-run a changing program is logged, not run, and *ending is all zero.
     */
    int (*run_program)(const struct bootlace_host *host, const struct bootlace_program *program,
                       struct bootlace_ending *ending);

    /*
     * Makes the file path below root hold just these bytes, atomically, with mode and owner exact
     * from the start; missing folders above it are made 0755. No component of the path is followed
     * out of root. Returns 1 changed, 0 it was so already, or a negative errno. Under --dry-run it
     * compares, logs and returns the same.
     */
    int (*put_file)(const struct bootlace_host *host, const char *path, const void *bytes,
                    size_t size, const struct bootlace_file *how);

    /*
     * A metadata item ("placement/region"), or NULL where there is none. The text is valid until
     * the module returns. What the run has already is returned at once; anything else is asked of
     * the source, through the agent's own connection.
     */
    const char *(*metadata)(const struct bootlace_host *host, const char *path);
};

/* Whether the agent's table is large enough to have a member. */
#define BOOTLACE_HAS(host, member)                                                                 \
    ((host)->size >= offsetof(struct bootlace_host, member) + sizeof((host)->member))

/*
 * The functions of a module. input is JSON text, the same that an executable module reads from its
 * standard input:
 *
 *     {"settings":{"<key>":…},
 *      "part":{"type":…,"name":…,"file":…,"arguments":…,"detach":…},
 *      "dry_run":false,"root":"/","metadata":{"instance-id":…,…}}
 *
 * with settings or part; part.file is the path of a file that holds the part's bytes, mode 0700,
 * in a folder of the step's own.
 *
 * They return 1 = something changed, 0 = nothing to do, or a negative errno = failed. Each call
 * has a process of its own: memory need not be freed, and a crash ends that step alone.
 */
typedef int bootlace_function(const struct bootlace_host *host, const char *input);

struct bootlace_module {
    size_t size;        /* sizeof(struct bootlace_module) */
    unsigned interface; /* BOOTLACE_INTERFACE */
    const char *name;   /* [a-z0-9-]+, that of the file without .so */
    const char *version;
    const char *summary;      /* one line */
    const char *const *keys;  /* the cloud-config keys that it owns; NULL-ended, or NULL */
    const char *const *types; /* the MIME types of parts that it owns; NULL-ended, or NULL */
    const char *const
        *metadata;      /* the items that it wants in input's metadata; NULL-ended, or NULL */
    const char *schema; /* JSON Schema of the object that holds its keys, or NULL */
    enum bootlace_frequency frequency;
    enum bootlace_stage stage;
    int order;           /* its place among the steps, 0 to 1000; parts keep their own order */
    unsigned flags;      /* of bootlace_flags */
    unsigned time_limit; /* seconds for a call; 0 = the agent's default */

    /* Fetches ahead what it can, touching nothing visible; a failure here is none. May be NULL. */
    bootlace_function *prepare;

    /* Does the step. */
    bootlace_function *run;

    /* Keys of other modules that it reads, too: it has a step where any of them is set. A second
     * pass over the same settings, later in the order. NULL-ended, or NULL. Since 2. */
    const char *const *reads;
};

/* The one exported symbol; everything else of a module should be static. */
extern const struct bootlace_module bootlace_module __attribute__((visibility("default")));

#ifdef __cplusplus
}
#endif

#endif
