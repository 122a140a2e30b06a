/*
 * plan: parts, the modules' descriptions and what the journal says, made an ordered list of steps.
 *
 * Pure in what it is given, so that `bootlace plan` shows what `bootlace run` would do.
 */
#ifndef BOOTLACE_PLAN_PLAN_H
#define BOOTLACE_PLAN_PLAN_H

#include "base/error.h"
#include "model/description.h"
#include "model/part.h"
#include "model/problem.h"
#include "model/step.h"

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>

enum { STEPS_MAX = 2000, TIME_LIMIT_DEFAULT_S = 3600, TIME_LIMIT_EARLY_S = 20 };

struct plan_request {
    const struct description *modules;
    size_t module_count;
    const struct parts *parts; /* may be NULL */
    const json_t *config;      /* object of cloud-config keys; may be NULL */
    enum bootlace_stage stage;
    const json_t *history;      /* step name -> its last journal entry, of this instance */
    const json_t *history_once; /* the same of this file system */
    const char *boot_id;
    const json_t *module_settings; /* settings by module name */
    bool under_way;                /* another run is: what it began is not cut off */
    const char *const *rerun;      /* step names, "all", "failed"; NULL-ended; NULL = none */
};

struct plan {
    struct steps steps;
    struct problems problems;
};

#define AUTO_PLAN __attribute__((cleanup(plan_clear)))

/*
 * Makes the plan. What is wrong with the input becomes problems of the plan (warnings were there
 * before, perhaps); an error is returned only for a rerun of a step that there is none of
 * (ERROR_USAGE).
 */
int plan_make(struct plan *plan, const struct plan_request *request, struct error *error);
void plan_clear(struct plan *plan);

/* How many steps are to be run. */
size_t plan_count_runs(const struct plan *plan);

/* The paths of all metadata items that steps to be run want, each once, as an array. */
json_t *plan_wanted_metadata(const struct plan *plan);

/*
 * {"steps":[{"name","module","frequency","action","reason","will"}],"problems":[…]}.
 */
json_t *plan_to_json(const struct plan *plan);

#endif
