/*
 * Base64, as user-data is decoded and as modules decode it. What was decoded, written again by the
 * standard's own rules, is what was given but for blanks, padding and the bits behind the last
 * byte; and what the stricter of the two takes, both take, for the same.
 */
#include "fuzz.h"

#include "base/banned.h"
#include "base/buffer.h"
#include "decode/base64.h"

#include <support/encoding.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The digit that stands at an index of what the bytes are written as (RFC 4648, section 4). */
static char digit_at(const struct buffer *bytes, size_t index)
{
    size_t bit = index * 6, byte = bit / 8;
    unsigned word = (unsigned)(unsigned char)bytes->bytes[byte] << 8;

    if (byte + 1 < bytes->size)
        word |= (unsigned char)bytes->bytes[byte + 1];
    return alphabet[word >> (16 - 6 - bit % 8) & 0x3f];
}

static void check_digits(const char *text, size_t size, const struct buffer *bytes)
{
    size_t digits = 0, all = (bytes->size * 8 + 5) / 6;

    for (size_t i = 0; i < size; i++) {
        if (!text[i] || !strchr(alphabet, text[i]))
            continue;
        MUST(digits < all);
        MUST(digits + 1 == all ? bytes->size % 3 != 0 || digit_at(bytes, digits) == text[i]
                               : digit_at(bytes, digits) == text[i]);
        digits++;
    }
    MUST(digits == all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(size + 3), small = BUFFER_INIT(size / 2);
    char *text = fuzz_copy(data, size);
    struct text strict = {0};
    size_t place = 0;
    bool decoded = base64_decode(text, size, &out, &place);

    MUST(place <= size);
    MUST(decoded ? place == size : out.size == 0);
    if (decoded)
        check_digits(text, size, &out);
    if (base64_decode(text, size, &small, &place))
        MUST(decoded && small.size == out.size);
    else
        MUST(small.size == 0);
    if (encoding_base64(text, size, &strict) == 0) {
        MUST(decoded && strict.size == out.size);
        MUST(!out.size || memcmp(strict.bytes, out.bytes, out.size) == 0);
    }
    free(strict.bytes);
    fuzz_copy_free(text, size);
    return 0;
}
