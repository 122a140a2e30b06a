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
 *     3  bootlace_module.stop, bootlace_host.reboot, bootlace_program.outside
 *     4  bootlace_program.line
 *     5  BOOTLACE_STAGE_INSTANCE, BOOTLACE_ESSENTIAL, BOOTLACE_ALSO_EARLY, "stage" in the input
 *     6  bootlace_file.flags, bootlace_host.settle
 *     7  bootlace_module.forget, BOOTLACE_TREE_STATE
 *     8  bootlace_host.bake, bootlace_host.leave, BOOTLACE_BY_ITEM, "bake" and "baked" in the input
 *     9  "before" in the input of prepare
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
    BOOTLACE_STAGE_MAIN = 0,    /* with the user-data's settings */
    BOOTLACE_STAGE_EARLY = 1,   /* before sshd and the network; recorded metadata only, and */
    BOOTLACE_STAGE_INSTANCE = 2 /* as soon as the source said which instance this is, before it is
                                 * asked for user-data; both with the image's settings alone */
};

/* Properties, or-ed together. */
enum bootlace_flags {
    BOOTLACE_REPEATABLE = 1, /* running it again is safe: a failed step is tried again */
    BOOTLACE_BAKEABLE = 2,   /* it can be done in an image that is not running */
    BOOTLACE_NO_LIMIT = 4,   /* it runs the user's own program: no time limit by default */

    /*
     * What an image owes its people whatever becomes of the user-data: the module has a step where
     * none of its keys is set, too; and where the user-data is refused, one with the image's
     * settings. Not in an image that does not run, nor for a file of user-data given by hand, nor
     * where settings say so. Since 5.
     */
    BOOTLACE_ESSENTIAL = 8,

    /* A step in the early stage beside that of its own stage. Since 5. */
    BOOTLACE_ALSO_EARLY = 16,

    /*
     * What it remembers in /var/lib/bootlace/modules is of the tree, not of the instance: which
     * files are there by its hand. So it stays where an image is made of the machine. Since 7.
     */
    BOOTLACE_TREE_STATE = 32,

    /*
     * The items of its keys that are lists stand alone: what is done of one depends on no other.
     * So an instance of an image is given those alone that were not baked into it. Since 8.
     */
    BOOTLACE_BY_ITEM = 64
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
    int outside;         /* not 0: it runs on this machine even where root is another tree, which it
                          * knows how to work on (dnf --installroot). Since 3. */
    /* Called with each line that it prints, on standard output or error, on the way to the log: for
     * what a program only tells people. Empty lines are left out, long ones are cut at 4 KiB. Not
     * with capture. Since 4. */
    void (*line)(void *line_context, const char *line);
    void *line_context;
};

/* How a program ended. */
struct bootlace_ending {
    int exit_code; /* 0..255, or -1 where a signal ended it or it never ran */
    int signal;    /* 0, or the signal that ended it */
    int timed_out; /* not 0: it was ended at its time limit */
    pid_t pid;     /* of a detached program */
};

/* How a file is put in its place, or-ed together. */
enum bootlace_file_flags {
    /*
     * It may take its place a moment later, together with others: so a hundred files cost the disk
     * hardly more than one. At the latest that is when put_file is called without it, when a
     * program is run, by settle, and when the module returns. Who reads such files itself calls
     * settle.
     */
    BOOTLACE_FILE_LATER = 1
};

/* How a file is to be; see bootlace_host.put_file. */
struct bootlace_file {
    size_t size; /* sizeof(struct bootlace_file) */
    mode_t mode; /* exact, from the first moment */
    uid_t owner;
    gid_t group;
    unsigned long flags; /* of bootlace_file_flags. Since 6 */
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
     *
     * Where root is another tree, the program is the tree's own, chrooted, with /proc, /dev and
     * /sys, and nothing of it outlives it; one that is to be detached is refused (-ENOTSUP).
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

    /*
     * Asks for a restart of the machine once this step is done; why is a few words for people ("a
     * new kernel was installed"). At boot the agent restarts the machine then, and goes on with the
     * steps that are left; a run by hand only says so. Since 3.
     */
    void (*reboot)(const struct bootlace_host *host, const char *why);

    /*
     * Files put with BOOTLACE_FILE_LATER take their places, in order. 0, or a negative errno: then
     * the step fails, and the message says which file could not. Since 6.
     */
    int (*settle)(const struct bootlace_host *host);

    /* Not 0: the tree becomes an image, also where it is that of the machine that runs. Nothing is
     * to be started, and nothing is known of the instances to come. Since 8. */
    int bake;

    /*
     * Says that something of the step is left for the instances of the image, and why ("a service
     * is started where it runs"): they do the whole step. For a step that does not fail, where
     * bake is not 0. Since 8.
     */
    void (*leave)(const struct bootlace_host *host, const char *why);
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
 *      "stage":"main","dry_run":false,"root":"/","metadata":{"instance-id":…,…},
 *      "bake":true,"baked":[…],"before":[…]}
 *
 * with settings or part; part.file is the path of a file that holds the part's bytes, mode 0700,
 * in a folder of the step's own. bake is there where the tree becomes an image; baked, where it is
 * one, names the keys that are as they were baked into it, and were done then. before, of prepare
 * alone, names the modules whose steps come before, and may run beside it.
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

    /* Undoes at shutdown what must not outlive the machine (a name in DNS, a load balancer's
     * target): called with the settings of the step as it was done last, while the network is still
     * there; not called for a part. May be NULL. Since 3. */
    bootlace_function *stop;

    /*
     * Takes back what is this instance's alone, before an image is made of the machine
     * (`bootlace seal`): a key that came from metadata, a name that was registered. Called without
     * settings, also where no step of it was ever done. What it remembers itself is removed behind
     * that, unless it is BOOTLACE_TREE_STATE. May be NULL. Since 7.
     */
    bootlace_function *forget;
};

/* The one exported symbol; everything else of a module should be static. */
extern const struct bootlace_module bootlace_module __attribute__((visibility("default")));

#ifdef __cplusplus
}
#endif

#endif
