/* Reading a descriptor whole, with a cap: what seed and file have in common. */
#ifndef BOOTLACE_SOURCE_INPUT_H
#define BOOTLACE_SOURCE_INPUT_H

#include "base/buffer.h"
#include "base/error.h"

/* Appends all that comes to out. ERROR_INPUT where that is more than out's maximum. */
int input_read(int fd, const char *name, struct buffer *out, struct error *error);

#endif
