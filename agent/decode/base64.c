/* Base64 (RFC 4648, section 4). */
#include "decode/base64.h"

#include "base/banned.h"

#include <stdint.h>

enum { DIGIT_BITS = 6, BYTE_BITS = 8, GROUP_DIGITS = 4, GROUP_BYTES = 3, NO_DIGIT = -1 };

static int digit_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : NO_DIGIT;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The padding and what is behind it: nothing but blanks may be. */
static bool ends_well(const char *text, size_t size, size_t from, size_t digits, size_t *place)
{
    size_t padding = 0;

    for (size_t i = from; i < size; i++) {
        if (is_blank(text[i]))
            continue;
        if (text[i] != '=' || ++padding + digits % GROUP_DIGITS > GROUP_DIGITS ||
            digits % GROUP_DIGITS < 2) {
            *place = i;
            return false;
        }
    }
    *place = size;
    return digits % GROUP_DIGITS != 1;
}

bool base64_decode(const char *text, size_t size, struct buffer *out, size_t *place)
{
    char *room = buffer_room(out, size / GROUP_DIGITS * GROUP_BYTES + GROUP_BYTES);
    size_t digits = 0, written = 0, i = 0;
    uint32_t bits = 0;

    *place = 0;
    if (!room)
        return false;
    for (; i < size; i++) {
        int digit = digit_of(text[i]);

        if (digit == NO_DIGIT && is_blank(text[i]))
            continue;
        if (digit == NO_DIGIT)
            break;
        bits = bits << DIGIT_BITS | (uint32_t)digit;
        if (++digits % GROUP_DIGITS == 0) {
            room[written++] = (char)(bits >> 2 * BYTE_BITS & 0xff);
            room[written++] = (char)(bits >> BYTE_BITS & 0xff);
            room[written++] = (char)(bits & 0xff);
        }
    }
    if (!ends_well(text, size, i, digits, place)) {
        room[0] = '\0';
        return false;
    }
    if (digits % GROUP_DIGITS > 1) {
        bits <<= DIGIT_BITS * (GROUP_DIGITS - digits % GROUP_DIGITS);
        room[written++] = (char)(bits >> 2 * BYTE_BITS & 0xff);
        if (digits % GROUP_DIGITS > 2)
            room[written++] = (char)(bits >> BYTE_BITS & 0xff);
    }
    buffer_grown(out, written);
    return true;
}
