/* Results on standard output, in the forms that several commands share. */
#ifndef BOOTLACE_VERBS_SHOW_H
#define BOOTLACE_VERBS_SHOW_H

#include "model/problem.h"
#include "plan/plan.h"

#include <jansson.h>

/* The value, indented, with a line end. */
void show_json(const json_t *value);

/* The steps as lines, in order: run or skip, and why; then the problems. */
void show_plan(const struct plan *plan);

/* Every problem as a line: "error: part:line: message; hint". */
void show_problems(const struct problems *problems);

#endif
