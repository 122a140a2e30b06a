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
    bool reboot;   /* it wants the machine restarted before what is left */
    char *started; /* RFC 3339, or NULL */
    int64_t duration_ms;
    char *message; /* or NULL */
    char *left;    /* why something of it is left for the instances of an image, or NULL */
    char *output;  /* the last lines, or NULL */
    json_t *items; /* or NULL */
};

struct step {
    char *name;
    const struct description *module; /* borrowed from the registry */
    const struct part *part;          /* borrowed, or NULL where settings say what to do */
    json_t *settings;                 /* the module's keys, or NULL; without items that are baked */
    enum bootlace_frequency frequency;
    enum bootlace_stage stage;
    char digest[DIGEST_TEXT_MAX];
    unsigned time_limit; /* seconds; 0 = none */
    int copy_fd;         /* of a file that its output goes to as well, or -1; borrowed */
    bool run;            /* or skip */
    char *reason;        /* why */
    bool asked;          /* for by its name, or with others: what was done before does not count */
    bool is_baked;       /* it is not run because it is in the image already */
    json_t *baked;       /* names of the keys that are as they were baked, or NULL */
    json_t *will;        /* what it will do, texts for people; or NULL */
    struct outcome outcome;
};

struct steps {
    struct step *items;
    size_t count;
};

/* "pending", "running", "done", "failed", "cut off", "skipped". */
const char *step_state_name(enum step_state state);

/* What is to become of it: "run", "skip", or "baked". */
const char *step_action(const struct step *step);

/* The state of that name; STEP_PENDING for a name that is none. */
enum step_state step_state_of(const char *name);

struct step *steps_add(struct steps *steps);
void steps_clear(struct steps *steps);

/* Drops those from the count-th on. */
void steps_cut(struct steps *steps, size_t count);
struct step *steps_find(const struct steps *steps, const char *name);

void outcome_clear(struct outcome *outcome);
void outcome_set_message(struct outcome *outcome, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The members of an outcome into an object, and back from one. */
void outcome_to_json(const struct outcome *outcome, json_t *object);
void outcome_from_json(struct outcome *outcome, const json_t *object);

#endif
