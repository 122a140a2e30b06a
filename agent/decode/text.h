/*
 * Text as people paste it, made the bytes that they meant: UTF-16 becomes UTF-8, a byte order mark
 * and leading blank space go. Everything else stays as it is.
 */
#ifndef BOOTLACE_DECODE_TEXT_H
#define BOOTLACE_DECODE_TEXT_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* UTF-8 needs at most 3 bytes for 2 of UTF-16. */
enum { TEXT_GROWTH_NUMERATOR = 3, TEXT_GROWTH_DENOMINATOR = 2 };

/*
 * Decodes into out (appended). *line is the line of the input in which the output begins, from 1.
 * An error where the text says that it is UTF-16 and then is not; its line is that of the place.
 */
int text_decode(const char *bytes, size_t size, struct buffer *out, unsigned *line,
                struct error *error);

#endif
