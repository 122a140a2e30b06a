/*
 * What a run has learned of the instance's metadata, for `bootlace query` to answer without a
 * request: /run/bootlace/metadata.json, which goes with the boot. Everybody on the machine may ask
 * the metadata service itself, so everybody may read what came from it, credentials left out. What
 * came from a seed is root's, as the seed may be.
 */
#ifndef BOOTLACE_VERBS_METADATA_CACHE_H
#define BOOTLACE_VERBS_METADATA_CACHE_H

#include "verbs/launch.h"

#include <jansson.h>

/* Writes it where there is something new; a run of a file given by hand learns nothing. */
void metadata_cache_publish(struct launch *launch);

/* The items of this boot, or NULL. */
json_t *metadata_cache_read(void);

#endif
