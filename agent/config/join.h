/*
 * Joining configurations that are one: what was baked into an image, and what its launch adds.
 *
 * Mappings are joined key by key. A list is the earlier one and the later one's items behind it;
 * where the later one begins with all of the earlier one, the same file with more at its end, it
 * stands for both. Of anything else the later one counts.
 */
#ifndef BOOTLACE_CONFIG_JOIN_H
#define BOOTLACE_CONFIG_JOIN_H

#include "config/positions.h"

#include <jansson.h>

/* Joins later to base, in place; both are objects, and later is used up: base shares its values.
 * positions may be NULL. */
void join_config(json_t *base, json_t *later, struct positions *positions);

#endif
