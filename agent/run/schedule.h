/*
 * The schedule of a run: every step that is to be run, in the plan's order, one at a time; all
 * their prepares at once before and beside that. One loop watches everything.
 */
#ifndef BOOTLACE_RUN_SCHEDULE_H
#define BOOTLACE_RUN_SCHEDULE_H

#include "base/buffer.h"
#include "base/error.h"
#include "model/step.h"
#include "run/execute.h"

#include <jansson.h>

#include <stdbool.h>

enum { SCHEDULE_PREPARES_MAX = 16 }; /* at once; the others begin as these end */

/* What the run tells and asks of who started it; context is passed through. */
struct schedule_host {
    void *context;

    /* Before a step starts: the journal's entry, and the file of its part (path or NULL). A
     * negative result fails the step with the error, and it is not started. */
    int (*begin)(void *context, struct step *step, char **part_file, struct error *error);

    /* After it ended, whatever became of it. */
    void (*end)(void *context, struct step *step);

    /* A step said how far it is; progress is its line. */
    void (*progress)(void *context, struct step *step, const json_t *progress);

    /* One metadata item for a module that asks: 1 and the value, 0 none, -1. */
    int (*metadata)(void *context, const char *path, struct buffer *out);

    /* Whether the run has to end here, asked behind each step with others to come; may be NULL. */
    bool (*enough)(void *context);
};

struct schedule {
    enum host_phase phase; /* HOST_RUN, HOST_STOP or HOST_FORGET */
    const char *root;
    const char *machine; /* as in struct execute_setup */
    bool dry_run;
    bool bake; /* the tree becomes an image */
    bool show_output;
    int output_log_fd;
    int signal_fd; /* of a signalfd for SIGTERM, SIGINT, SIGHUP; -1 = none */
    json_t *metadata;
    const char *const *environment;
    struct schedule_host host;
};

/*
 * Runs the steps whose plan says so and that are pending still. Returns 0 when all had their turn,
 * 1 when a signal or the host ended it before that; what was not begun stays pending.
 */
int schedule_run(const struct schedule *schedule, struct steps *steps);

#endif
