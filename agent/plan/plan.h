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

enum {
    STEPS_MAX = 2000,
    TIME_LIMIT_DEFAULT_S = 3600,
    TIME_LIMIT_EARLY_S = 20,
    TIME_LIMIT_INSTANCE_S = 60
};

struct plan_request {
    const struct description *modules;
    size_t module_count;
    const struct parts *parts; /* may be NULL */
    const json_t *config;      /* object of cloud-config keys; may be NULL */
    enum bootlace_stage stage;
    bool essentials;            /* what is essential has a step in any case */
    bool essentials_alone;      /* and nothing else has one */
    const json_t *history;      /* step name -> its last journal entry, of this instance */
    const json_t *history_once; /* the same of this file system */
    const char *boot_id;
    const json_t *module_settings; /* settings by module name */
    bool in_image;                 /* the tree is not running: what can be done in an image */
    const json_t *baked;      /* what is done in the image already; see difference.h; or NULL */
    const json_t *templated;  /* what of the config speaks of the instance; the same */
    bool user_data_changed;   /* it is not the one that the history is of */
    bool under_way;           /* another run is: what it began is not cut off */
    const char *const *rerun; /* step names, "all", "failed", "changed"; NULL-ended; or NULL */
};

struct plan {
    struct steps steps;
    struct problems problems;
};

#define AUTO_PLAN __attribute__((cleanup(plan_clear)))

/*
 * Makes the plan of a stage, behind what the plan has already. What is wrong with the input becomes
 * problems of the plan (warnings were there before, perhaps); an error is returned only for a rerun
 * of a step that there is none of (ERROR_USAGE).
 */
int plan_make(struct plan *plan, const struct plan_request *request, struct error *error);
void plan_clear(struct plan *plan);

/* How many steps are to be run. */
size_t plan_count_runs(const struct plan *plan);

/* The paths of all metadata items that steps to be run want, each once, as an array. */
json_t *plan_wanted_metadata(const struct plan *plan);

/*
 * {"steps":[{"name","module","frequency","action","reason","will"}],"problems":[…]}. file is that
 * of the user-data, or NULL.
 */
json_t *plan_to_json(const struct plan *plan, const char *file);

#endif
