/* How MIME carries bytes as text, and text as bytes: transfer encodings and charsets. */
#ifndef BOOTLACE_DECODE_TRANSFER_H
#define BOOTLACE_DECODE_TRANSFER_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Undoes a Content-Transfer-Encoding (lower case; NULL: none) into out: 1; or 0 where nothing has
 * to be undone; or -1 and an error.
 */
int transfer_decode(const char *bytes, size_t size, const char *encoding, struct buffer *out,
                    struct error *error);

/* Makes UTF-8 of another charset (NULL: none): as transfer_decode. */
int transfer_charset(const char *bytes, size_t size, const char *charset, struct buffer *out,
                     struct error *error);

#endif
