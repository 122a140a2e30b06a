/*
 * One call of a module, prepare or run, in a process of its own: started, watched, ended.
 *
 * A crash, a hang and a lie cost that step alone: no result line, a signal, a time-out, or a
 * result that contradicts the exit code is its failure.
 */
#ifndef BOOTLACE_RUN_EXECUTE_H
#define BOOTLACE_RUN_EXECUTE_H

#include "base/error.h"
#include "model/step.h"
#include "run/host.h"
#include "run/output.h"

#include <jansson.h>

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    EXECUTE_GRACE_MS = 10000, /* between SIGTERM and SIGKILL */
    EXECUTE_RESULT_LINE_MAX = 256 << 10,
    EXECUTE_ITEMS_MAX = 10000,
    EXECUTE_ITEMS_SIZE_MAX = 1 << 20 /* of all their lines; the journal keeps them */
};

/* What a call needs to know beside its step. */
struct execute_setup {
    const char *root;
    bool dry_run;
    bool bake;                      /* the tree becomes an image */
    json_t *before;                 /* of a prepare: the modules whose steps come before, or NULL */
    const char *machine;            /* what tells it from its clones; "" or NULL = not known */
    const json_t *metadata;         /* object: path -> text, or null where there is no such item */
    const char *part_file;          /* of the step's part, or NULL */
    const char *const *environment; /* "NAME=value"; NULL-ended */
    int output_log_fd;              /* or -1 */
    bool show_output;
};

struct execute {
    struct step *step;
    enum host_phase phase;
    pid_t pid;
    int pid_fd;    /* of the process; -1 when it is gone */
    int result_fd; /* JSON lines from descriptor 3 */
    int query_fd;  /* metadata paths from descriptor 4 */
    struct output output;
    struct buffer result_text;
    json_t *result; /* the last result line */
    json_t *items;
    size_t items_size;
    json_t *progress; /* the last progress line */
    int64_t started_ms;
    int64_t deadline_ms; /* 0 = none */
    bool timed_out;
    bool told_to_end;
    bool active;
};

/* One that is not active. */
#define EXECUTE_INIT                                                                               \
    {                                                                                              \
        .pid_fd = -1, .result_fd = -1, .query_fd = -1, .output = {.fd = -1 }                       \
    }

/* Starts it. On error nothing is left behind. */
int execute_start(struct execute *execute, struct step *step, enum host_phase phase,
                  const struct execute_setup *setup, struct error *error);

/* Takes whatever its descriptors have; true when a progress line came. */
bool execute_take(struct execute *execute);

/* Looks at the clock: past the deadline it tells the group to end, later it makes it. */
void execute_check_time(struct execute *execute);

/* Tells the group to end, as at a shutdown; the deadline becomes the grace. */
void execute_end(struct execute *execute);

/* Its pid_fd became readable: reaps it and fills in the step's outcome (of a run). */
void execute_finish(struct execute *execute);

/* Gives everything back; a running process is killed. */
void execute_clear(struct execute *execute);

#endif
