/*
 * JSON Patch (RFC 6902) with JSON Pointer (RFC 6901): what a part of #cloud-config-jsonp is,
 * applied to the cloud-config that was merged of the parts before it.
 */
#ifndef BOOTLACE_CONFIG_PATCH_H
#define BOOTLACE_CONFIG_PATCH_H

#include "base/error.h"
#include "config/positions.h"

#include <jansson.h>

enum {
    PATCH_OPERATIONS_MAX = 10000,
    PATCH_DEPTH_MAX = 64,      /* levels of a path, and of a value that is put somewhere */
    PATCH_VALUES_MAX = 1000000 /* values that are put somewhere, those within them counted */
};

/*
 * Applies the patch, a list of operations, to *document, in place. Positions (may be NULL) go
 * along: a value that the patch brings stands where the patch has it. The first operation that does
 * not go is an error with its place; the document is good for nothing then.
 */
int patch_apply(json_t **document, json_t *patch, struct positions *positions, struct error *error);

#endif
