/* What is true of metadata items by their names. */
#ifndef BOOTLACE_MODEL_METADATA_H
#define BOOTLACE_MODEL_METADATA_H

#include <stdbool.h>

/*
 * Whether an item may be kept, and shown to everybody. Credentials and user-data may not: they are
 * asked for anew each time, which is also how credentials that end are renewed.
 */
bool metadata_is_public(const char *path);

#endif
