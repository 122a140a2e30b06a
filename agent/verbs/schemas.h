/*
 * The schemas of modules and of the core's own keys as one, made once by whoever needs it: all of
 * them, or those of the modules that settings speak to. Of the others, the keys are known.
 *
 * A module whose schema is no good, or describes another's key, is left out of the registry and
 * keeps no other from working: its keys are nobody's then.
 */
#ifndef BOOTLACE_VERBS_SCHEMAS_H
#define BOOTLACE_VERBS_SCHEMAS_H

#include "base/error.h"
#include "config/schema.h"
#include "run/registry.h"

#include <jansson.h>

/* All zero: not made yet. */
struct schemas {
    json_t *document;
    struct schema *compiled;
};

#define AUTO_SCHEMAS __attribute__((cleanup(schemas_clear)))

/* Does nothing where it is made already. settings, an object: whose keys are to be described; NULL:
 * all. */
int schemas_make(struct schemas *schemas, struct registry *registry, const json_t *settings,
                 struct error *error);
void schemas_clear(struct schemas *schemas);

/* Tells which modules were left out, from the first-th on. */
void schemas_log_left_out(const struct registry *registry, size_t first);

#endif
