/*
 * The status of a run, as its files and `bootlace status` show it.
 *
 * status.json of the record has everything; /run/bootlace/status.json is the same without output
 * and items, for everybody to read.
 */
#ifndef BOOTLACE_VERBS_REPORT_H
#define BOOTLACE_VERBS_REPORT_H

#include "base/error.h"
#include "model/problem.h"
#include "model/step.h"

#include <jansson.h>

#include <stdbool.h>
#include <stdint.h>

struct report {
    const char *status; /* running, done, failed, degraded, not started */
    const char *instance_id;
    const char *record_id;
    const char *source;
    const char *boot_id;
    const char *message; /* one line for people, or NULL */
    int exit_code;
    bool early;
    char started[32], finished[32];
    int64_t started_ms, finished_ms;
    const struct steps *steps; /* may be NULL */
    json_t *errors;            /* array of objects; owned */
    json_t *warnings;          /* the same */
};

void report_init(struct report *report);
void report_clear(struct report *report);

/* Adds to the errors, and logs it. */
void report_error(struct report *report, const struct error *error);
void report_warning(struct report *report, const struct error *error);
/* Those from the first-th on; logged already. */
void report_left_out(struct report *report, const struct problems *modules, size_t first);
void report_problems(struct report *report, const struct problems *problems);

/* The whole as an object. */
json_t *report_to_json(const struct report *report);

/* The same without what only root may see. */
json_t *report_public(const json_t *whole);

/* Writes /run/bootlace/status.json (or early.json), making the folder. */
int report_publish(const struct report *report, struct error *error);

/* The path of the published file. */
const char *report_path(bool early);

#endif
