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

#include <jansson.h>

/* The one document of all modules' schemas and of the core's own keys; NULL and an error. */
json_t *settings_schema(const struct registry *registry, struct error *error);

/*
 * Checks the result's config and, where all is well, renders its templates. Problems are the
 * input's; -1 and an error is for a module whose schema is no good.
 */
int settings_check(struct parts_result *result, const struct registry *registry,
                   const struct parts_setup *setup, struct problems *problems, struct error *error);

/* A copy of the config that may be shown; NULL and an error. */
json_t *settings_shown(const struct parts_result *result, const struct registry *registry,
                       struct error *error);

#endif
