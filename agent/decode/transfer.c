/* How MIME carries bytes as text, and text as bytes; see transfer.h. */
#include "decode/transfer.h"

#include "base/banned.h"
#include "base/memory.h"
#include "decode/base64.h"
#include "decode/mime_header.h"

#include <ctype.h>
#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <strings.h>

enum { CHARSET_NAME_MAX = 40, CHARSET_GROWTH = 4, CHARSET_ROOM = 64 };

static int hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/*
 * Quoted-printable (RFC 2045, section 6.7). What is no valid escape stays as it is, as the
 * section's notes advise; and so do blanks at a line's end, which nothing on this way adds.
 */
static bool quoted_printable(const char *bytes, size_t size, struct buffer *out)
{
    char *room = buffer_room(out, size);
    size_t written = 0;

    if (!room)
        return false;
    for (size_t i = 0; i < size; i++) {
        size_t next = i + 1;

        if (bytes[i] == '=' && i + 2 < size && hex_of(bytes[i + 1]) >= 0 &&
            hex_of(bytes[i + 2]) >= 0) {
            room[written++] = (char)(hex_of(bytes[i + 1]) << 4 | hex_of(bytes[i + 2]));
            i += 2;
            continue;
        }
        while (next < size && (bytes[next] == ' ' || bytes[next] == '\t'))
            next++;
        if (next < size && bytes[next] == '\r')
            next++;
        if (bytes[i] == '=' && (next >= size || bytes[next] == '\n'))
            i = next;
        else
            room[written++] = bytes[i];
    }
    buffer_grown(out, written);
    return true;
}

static unsigned line_at(const char *bytes, size_t offset)
{
    unsigned line = 1;

    for (size_t i = 0; i < offset; i++)
        line += bytes[i] == '\n';
    return line;
}

int transfer_decode(const char *bytes, size_t size, const char *encoding, struct buffer *out,
                    struct error *error)
{
    size_t place;

    if (!encoding || !*encoding || strcmp(encoding, "7bit") == 0 || strcmp(encoding, "8bit") == 0 ||
        strcmp(encoding, "binary") == 0)
        return 0;
    if (strcmp(encoding, "quoted-printable") == 0) {
        if (quoted_printable(bytes, size, out))
            return 1;
        return error_set(error, ERROR_INPUT, "a MIME part is larger than %zu bytes", out->maximum);
    }
    if (strcmp(encoding, "base64") != 0) {
        error_set(error, ERROR_INPUT, "unknown Content-Transfer-Encoding");
        return error_hint(error, "known are 7bit, 8bit, binary, base64 and quoted-printable");
    }
    if (base64_decode(bytes, size, out, &place))
        return 1;
    if (place < size) {
        error_set(error, ERROR_INPUT, "declared as base64, but there is a character that is none");
        error_hint(error, "is the Content-Transfer-Encoding right?");
        return error_at(error, NULL, line_at(bytes, place), 0);
    }
    error_set(error, ERROR_INPUT, "the base64 text is cut off");
    return error_hint(error, "it ends in the middle of a byte");
}

/* A name that may be given to iconv_open: nothing that it would take for an option or a path. */
static bool is_charset_name(const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)name[i]) && !strchr("-_.:", name[i]))
            return false;
    }
    return length && length <= CHARSET_NAME_MAX;
}

static int convert(iconv_t way, const char *bytes, size_t size, struct buffer *out,
                   struct error *error)
{
    char *from = (char *)(uintptr_t)bytes, *to;
    size_t left = size;

    for (;;) {
        size_t wanted = (left < out->maximum ? left : out->maximum) / 2 * CHARSET_GROWTH;
        size_t room = wanted + CHARSET_ROOM, free_room, result;

        if (room > out->maximum - out->size)
            room = out->maximum - out->size;
        to = buffer_room(out, room);
        free_room = room;
        result = iconv(way, left ? &from : NULL, &left, &to, &free_room);
        buffer_grown(out, room - free_room);
        if (result != (size_t)-1 && !left)
            return 1;
        /* With room for a character, one was written. */
        if (result == (size_t)-1 && errno == E2BIG && free_room == room)
            return error_set(error, ERROR_INPUT, "the text is larger than %zu bytes as UTF-8",
                             out->maximum);
        if (result == (size_t)-1 && errno != E2BIG) {
            error_set(error, ERROR_INPUT, "the text is not in the charset that it declares");
            return error_at(error, NULL, line_at(bytes, size - left), 0);
        }
    }
}

int transfer_charset(const char *bytes, size_t size, const char *charset, struct buffer *out,
                     struct error *error)
{
    iconv_t way;
    int result;

    if (!charset || !*charset || !size || strcasecmp(charset, "utf-8") == 0 ||
        strcasecmp(charset, "utf8") == 0 || strcasecmp(charset, "us-ascii") == 0 ||
        strcasecmp(charset, "ascii") == 0)
        return 0;
    way = is_charset_name(charset) ? iconv_open("UTF-8", charset) : (iconv_t)-1;
    if (way == (iconv_t)-1) {
        error_set(error, ERROR_INPUT, "unknown charset");
        return error_hint(error, "write it in UTF-8");
    }
    result = convert(way, bytes, size, out, error);
    iconv_close(way);
    return result;
}
