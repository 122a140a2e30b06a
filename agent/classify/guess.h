/* What unknown data looks like: a guess for an error message, made without showing the data. */
#ifndef BOOTLACE_CLASSIFY_GUESS_H
#define BOOTLACE_CLASSIFY_GUESS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether the data begins like something known that is no user-data: no matter what it has inside.
 */
bool guess_knows(const char *bytes, size_t size);

/*
 * Fills in error (ERROR_INPUT): what the data looks like, its length and encoding, and what to do.
 * Returns -1.
 */
int guess_explain(const char *bytes, size_t size, struct error *error);

#endif
