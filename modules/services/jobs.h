/*
 * Why a unit's start does not begin: which jobs it is ordered after (systemd.unit(5), After=), and
 * whether one of them waits for this very run to end, so that waiting for the unit would be waiting
 * for ourselves. Pure, but for jobs_waits_for_run().
 */
#ifndef BOOTLACE_SERVICES_JOBS_H
#define BOOTLACE_SERVICES_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <support/text.h>

enum { JOBS_MAX = 512 };

struct job {
    char *unit;
    char *after; /* the units that it is ordered after, blanks between */
    char *group; /* its control group; "" where it has none */
    bool running;
    size_t from; /* the job that waits for it; its own index where it is the first */
    bool reached;
    bool waits_for_run;
};

struct jobs {
    struct job *items;
    size_t count;
};

/* Reads the output of `systemctl list-jobs --plain --no-legend`: JOB UNIT TYPE STATE. */
void jobs_parse(const char *list, struct jobs *jobs);

/* Adds After= and ControlGroup= of `systemctl show --property=Id,After,ControlGroup UNIT…`. */
void jobs_add_properties(struct jobs *jobs, const char *shown);

/*
 * Finds what the start of unit waits for, directly and behind that: marks the jobs that it reaches.
 * Returns how many.
 */
size_t jobs_reach(struct jobs *jobs, const char *unit);

/* Whether a process of the control group waits for a run to end: `bootlace status --wait`. */
bool jobs_waits_for_run(const char *group);

/*
 * The job that everything hangs on: one that waits for this run if there is any, else one that is
 * running; NULL where none was reached. Adds to out how the unit comes to wait for it: "multi-
 * user.target, which waits for slow.service, which is being started".
 */
const struct job *jobs_explain(const struct jobs *jobs, struct text *out);

#endif
