/*
 * The variables of templates: v1.* (cloud-init's "standardized instance data"), ds.meta_data.*, and
 * the metadata by its own names, placement.availability_zone; a - is written _. Only what a
 * template names is read.
 */
#ifndef BOOTLACE_VERBS_VARIABLES_H
#define BOOTLACE_VERBS_VARIABLES_H

#include "base/error.h"
#include "verbs/parts.h"

#include <jansson.h>

/* An object for template_render, of the names that template_names gave; NULL and an error. */
json_t *variables_make(const json_t *names, const struct parts_setup *setup, struct error *error);

#endif
