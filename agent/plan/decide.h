/* Whether each step is to be run now, by its frequency and by what the journal says of it. */
#ifndef BOOTLACE_PLAN_DECIDE_H
#define BOOTLACE_PLAN_DECIDE_H

#include "plan/plan.h"

/*
 * Sets run and reason of every step from the first-th on; those before are decided already.
 * ERROR_USAGE for a rerun of a step that is in neither, but in the instance stage, which has not
 * seen the others yet.
 */
int decide_from(struct steps *steps, size_t first, const struct plan_request *request,
                struct error *error);

#endif
