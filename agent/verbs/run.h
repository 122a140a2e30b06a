/*
 * A run under way, shared by run.c, which puts its stages in order, and run_steps.c, which drives
 * its steps.
 */
#ifndef BOOTLACE_VERBS_RUN_H
#define BOOTLACE_VERBS_RUN_H

#include "base/buffer.h"
#include "verbs/launch.h"
#include "verbs/options.h"
#include "verbs/report.h"

#include <stdbool.h>

struct run {
    const struct options *options;
    struct launch launch;
    struct report report;
    bool degraded;
    bool interrupted;
    bool first; /* in the instance stage: no step of it is worth a restart before the others */
    size_t first_count;             /* steps of the instance stage, the first of the plan */
    const struct step *last;        /* that ended */
    const struct step *reboots_for; /* the machine is restarted for it */
    char *trial_file;               /* a dry run's copy of a part */
    struct buffer before;           /* what was published before this run */
    char summary[160];
};

/* Publishes the status as it is now; nothing in a dry run. */
void run_publish(struct run *run);

/* At boot, waits for a network where the source came without one. */
void run_await_network(struct run *run);

/*
 * Runs the steps of the plan that are pending, after their metadata was read. Sets interrupted and
 * reboots_for where they say that nothing is to follow.
 */
void run_steps(struct run *run);

#endif
