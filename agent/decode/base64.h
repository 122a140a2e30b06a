/* Base64 (RFC 4648, section 4), with line ends and blanks anywhere, as it is pasted. */
#ifndef BOOTLACE_DECODE_BASE64_H
#define BOOTLACE_DECODE_BASE64_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Appends what the text stands for. Missing padding is no mistake; false where the text is no
 * base64 (*place is the offset of the first character that is wrong, or size where it ends in the
 * middle of a byte), or where out's maximum is passed (*place is 0 then, and out as it was).
 */
bool base64_decode(const char *text, size_t size, struct buffer *out, size_t *place);

#endif
