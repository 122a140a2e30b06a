/* Whether each step is to be run now, by its frequency and by what the journal says of it. */
#ifndef BOOTLACE_PLAN_DECIDE_H
#define BOOTLACE_PLAN_DECIDE_H

#include "plan/plan.h"

/* Sets run and reason of every step; ERROR_USAGE for a rerun of an unknown step. */
int decide_all(struct steps *steps, const struct plan_request *request, struct error *error);

#endif
