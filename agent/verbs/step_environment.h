/*
 * The environment of a step: INSTANCE_ID and the common metadata as BOOTLACE_*, and a HOME, which
 * systemd gives its services none of.
 */
#ifndef BOOTLACE_VERBS_STEP_ENVIRONMENT_H
#define BOOTLACE_VERBS_STEP_ENVIRONMENT_H

#include <jansson.h>

enum { STEP_ENVIRONMENT_MAX = 16 };

struct step_environment {
    char *variables[STEP_ENVIRONMENT_MAX + 1];
    unsigned count;
};

/* An item that the metadata does not have sets no variable. */
void step_environment_make(struct step_environment *environment, const char *instance_id,
                           const json_t *metadata);
void step_environment_clear(struct step_environment *environment);

/* "NAME=value", NULL-ended; valid until cleared. */
const char *const *step_environment_list(const struct step_environment *environment);

#endif
