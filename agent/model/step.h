/*
 * A step: one module and what it is to do, and how that went.
 *
 * plan makes steps, run carries them out, record keeps what became of them.
 */
#ifndef BOOTLACE_MODEL_STEP_H
#define BOOTLACE_MODEL_STEP_H

#include "base/digest.h"
#include "base/error.h"
#include "model/description.h"
#include "model/part.h"

#include <jansson.h>

#include <stdbool.h>
#include <stdint.h>

enum step_state {
    STEP_PENDING,
    STEP_RUNNING,
    STEP_DONE,
    STEP_FAILED,
    STEP_CUT_OFF, /* begun, and ended by a restart, power loss or signal from outside */
    STEP_SKIPPED
};

/* How a step went. */
struct outcome {
    enum step_state state;
    bool changed;
    int exit_code; /* of the program that it ran; -1 where there was none, or a signal ended it */
    int signal;    /* 0 = none */
    char *started; /* RFC 3339, or NULL */
    int64_t duration_ms;
    char *message; /* or NULL */
    char *output;  /* the last lines, or NULL */
    json_t *items; /* or NULL */
};

struct step {
    char *name;
    const struct description *module; /* borrowed from the registry */
    const struct part *part;          /* borrowed, or NULL where settings say what to do */
    json_t *settings;                 /* the module's keys, or NULL */
    enum bootlace_frequency frequency;
    char digest[DIGEST_TEXT_MAX];
    unsigned time_limit; /* seconds; 0 = none */
    bool run;            /* or skip */
    char *reason;        /* why */
    struct outcome outcome;
};

struct steps {
    struct step *items;
    size_t count;
};

/* "pending", "running", "done", "failed", "cut off", "skipped". */
const char *step_state_name(enum step_state state);

/* The state of that name; STEP_PENDING for a name that is none. */
enum step_state step_state_of(const char *name);

struct step *steps_add(struct steps *steps);
void steps_clear(struct steps *steps);
struct step *steps_find(const struct steps *steps, const char *name);

void outcome_clear(struct outcome *outcome);
void outcome_set_message(struct outcome *outcome, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The members of an outcome into an object, and back from one. */
void outcome_to_json(const struct outcome *outcome, json_t *object);
void outcome_from_json(struct outcome *outcome, const json_t *object);

#endif
