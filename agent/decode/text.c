/*
 * Text as people paste it, made the bytes that they meant.
 *
 * UTF-16 is known by its byte order mark (RFC 2781, section 3.2), or without one by how the only
 * beginnings that mean anything here look in it: '#' or '<' and a zero byte beside it.
 */
#include "decode/text.h"

#include "base/banned.h"
#include "base/memory.h"

#include <stdint.h>

enum byte_order { NOT_UTF16, LITTLE_ENDIAN_ORDER, BIG_ENDIAN_ORDER };

static enum byte_order utf16_order(const unsigned char *bytes, size_t size, size_t *mark)
{
    *mark = 0;
    if (size < 2)
        return NOT_UTF16;
    if (bytes[0] == 0xff && bytes[1] == 0xfe) {
        *mark = 2;
        return LITTLE_ENDIAN_ORDER;
    }
    if (bytes[0] == 0xfe && bytes[1] == 0xff) {
        *mark = 2;
        return BIG_ENDIAN_ORDER;
    }
    if ((bytes[0] == '#' || bytes[0] == '<') && bytes[1] == 0)
        return LITTLE_ENDIAN_ORDER;
    if (bytes[0] == 0 && (bytes[1] == '#' || bytes[1] == '<'))
        return BIG_ENDIAN_ORDER;
    return NOT_UTF16;
}

/* Writes the character as UTF-8 (RFC 3629, section 3); returns how many bytes that took. */
static size_t put_utf8(uint32_t character, char out[static 4])
{
    if (character < 0x80) {
        out[0] = (char)character;
        return 1;
    }
    if (character < 0x800) {
        out[0] = (char)(0xc0 | character >> 6);
        out[1] = (char)(0x80 | (character & 0x3f));
        return 2;
    }
    if (character < 0x10000) {
        out[0] = (char)(0xe0 | character >> 12);
        out[1] = (char)(0x80 | (character >> 6 & 0x3f));
        out[2] = (char)(0x80 | (character & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | character >> 18);
    out[1] = (char)(0x80 | (character >> 12 & 0x3f));
    out[2] = (char)(0x80 | (character >> 6 & 0x3f));
    out[3] = (char)(0x80 | (character & 0x3f));
    return 4;
}

static uint32_t unit_at(const unsigned char *bytes, enum byte_order order)
{
    return order == LITTLE_ENDIAN_ORDER ? (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8
                                        : (uint32_t)bytes[1] | (uint32_t)bytes[0] << 8;
}

static int utf16_decode(const unsigned char *bytes, size_t size, enum byte_order order,
                        struct buffer *out, struct error *error)
{
    unsigned line = 1;

    for (size_t i = 0; i < size; i += 2) {
        uint32_t unit;
        char utf8[4];

        if (size - i < 2) {
            error_set(error, ERROR_INPUT,
                      "the text looks like UTF-16 but ends in half a character");
            return error_at(error, NULL, line, 0);
        }
        unit = unit_at(bytes + i, order);
        if (unit >= 0xd800 && unit <= 0xdbff && size - i >= 4) {
            uint32_t low = unit_at(bytes + i + 2, order);

            if (low >= 0xdc00 && low <= 0xdfff) {
                unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                i += 2;
            }
        }
        if (unit >= 0xd800 && unit <= 0xdfff) {
            error_set(error, ERROR_INPUT,
                      "the text looks like UTF-16 but has half a character pair");
            return error_at(error, NULL, line, 0);
        }
        if (unit == '\n')
            line++;
        if (!buffer_append(out, utf8, put_utf8(unit, utf8)))
            return error_set(error, ERROR_INPUT, "the text is larger than %zu bytes as UTF-8",
                             out->maximum);
    }
    return 0;
}

int text_decode(const char *bytes, size_t size, struct buffer *out, unsigned *line,
                struct error *error)
{
    static const char mark_utf8[] = "\xef\xbb\xbf";
    size_t mark, start = out->size, blank = 0;
    enum byte_order order = utf16_order((const unsigned char *)bytes, size, &mark);

    if (order != NOT_UTF16) {
        if (utf16_decode((const unsigned char *)bytes + mark, size - mark, order, out, error) < 0)
            return -1;
    } else {
        if (size >= 3 && memcmp(bytes, mark_utf8, 3) == 0)
            mark = 3;
        if (!buffer_append(out, bytes + mark, size - mark))
            return error_set(error, ERROR_INPUT, "the text is larger than %zu bytes", out->maximum);
    }
    *line = 1;
    while (start + blank < out->size && strchr(" \t\r\n", out->bytes[start + blank]) &&
           out->bytes[start + blank]) {
        if (out->bytes[start + blank] == '\n')
            ++*line;
        blank++;
    }
    if (blank) {
        memmove(out->bytes + start, out->bytes + start + blank, out->size - start - blank);
        out->size -= blank;
        out->bytes[out->size] = '\0';
    }
    return 0;
}
