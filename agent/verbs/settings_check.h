/*
 * The merged settings of a launch held against the modules' schemas, all together: every problem in
 * one go, with line and column, before anything changes; texts marked x-template rendered; what is
 * marked x-secret taken out of what is shown.
 */
#ifndef BOOTLACE_VERBS_SETTINGS_CHECK_H
#define BOOTLACE_VERBS_SETTINGS_CHECK_H

#include "base/error.h"
#include "model/problem.h"
#include "run/registry.h"
#include "verbs/parts.h"
#include "verbs/schemas.h"

#include <jansson.h>

/*
 * Checks the result's config and, where all is well, renders its templates; makes the schemas where
 * there is something to check. Problems are the input's; -1 and an error where they cannot be made.
 */
int settings_check(struct parts_result *result, struct schemas *schemas, struct registry *registry,
                   const struct parts_setup *setup, struct problems *problems, struct error *error);

/*
 * Adds a problem, an error or a warning, for each key whose module is not installed here, and which
 * package has it.
 */
void settings_need_packages(struct parts_result *result, const struct registry *registry,
                            bool warning, struct problems *problems);

/* A copy of a config that was checked by these schemas, fit to be shown. */
json_t *settings_shown(const struct parts_result *result, const struct schemas *schemas);

#endif
