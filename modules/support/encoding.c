/* base64 and gzip; see encoding.h. */
#include <support/encoding.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>
#define ZLIB_CONST /* its input is const then */
#include <zlib.h>

enum {
    SIXTET_BITS = 6,
    OCTET_BITS = 8,
    WINDOW_GZIP = 15 + 16, /* zlib's word for: the largest window, gzip alone */
    CHUNK = 65536
};

static int sixtet(char character)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = character ? strchr(alphabet, character) : NULL;

    return found ? (int)(found - alphabet) : -1;
}

int encoding_base64(const char *text, size_t size, struct text *out)
{
    unsigned bits = 0, count = 0, characters = 0, padding = 0;
    char *to = text_room(out, size);
    size_t made = 0;

    for (size_t i = 0; i < size; i++) {
        int value = sixtet(text[i]);

        if (text[i] && strchr(" \t\r\n", text[i]))
            continue;
        characters++;
        if (text[i] == '=' && characters % 4 != 1 && characters % 4 != 2) {
            padding++;
            continue;
        }
        if (value < 0 || padding)
            return -EINVAL;
        bits = bits << SIXTET_BITS | (unsigned)value;
        count += SIXTET_BITS;
        if (count >= OCTET_BITS) {
            count -= OCTET_BITS;
            to[made++] = (char)(bits >> count & UINT8_MAX);
        }
    }
    if (characters % 4)
        return -EINVAL;
    out->size += made;
    out->bytes[out->size] = '\0';
    return 0;
}

int encoding_bytes(const json_t *value, struct text *out)
{
    const json_t *binary = json_object_get(value, "!!binary");

    if (json_is_string(value)) {
        text_add(out, json_string_value(value), json_string_length(value));
        return 0;
    }
    if (json_object_size(value) != 1 || !json_is_string(binary))
        return -EINVAL;
    return encoding_base64(json_string_value(binary), json_string_length(binary), out);
}

bool encoding_is_gzip(const char *bytes, size_t size)
{
    return size >= 2 && (unsigned char)bytes[0] == 0x1f && (unsigned char)bytes[1] == 0x8b;
}

/* One member; what is left of the input stays in the stream. */
static int inflate_member(z_stream *stream, struct text *out, size_t limit)
{
    int result;

    do {
        stream->next_out = (Bytef *)text_room(out, CHUNK);
        stream->avail_out = CHUNK;
        result = inflate(stream, Z_NO_FLUSH);
        out->size += CHUNK - stream->avail_out;
        out->bytes[out->size] = '\0';
        if (out->size > limit)
            return -EFBIG;
    } while (result == Z_OK && (stream->avail_in || !stream->avail_out));
    if (result == Z_STREAM_END)
        return 0;
    return result == Z_OK || result == Z_BUF_ERROR ? -ENODATA : -EINVAL;
}

int encoding_gunzip(const char *bytes, size_t size, struct text *out)
{
    z_stream stream = {.next_in = (const Bytef *)bytes, .avail_in = (uInt)size};
    size_t limit = out->size + ENCODING_INFLATED_MAX;
    int result;

    if (size > UINT32_MAX)
        return -EFBIG;
    if (!encoding_is_gzip(bytes, size))
        return -EINVAL;
    if (inflateInit2(&stream, WINDOW_GZIP) != Z_OK)
        text_need(NULL);
    do
        result = inflate_member(&stream, out, limit);
    while (result == 0 && encoding_is_gzip((const char *)stream.next_in, stream.avail_in) &&
           inflateReset(&stream) == Z_OK);
    /* Zeros behind the last member are padding, as gzip(1) takes them. */
    while (stream.avail_in && !*stream.next_in) {
        stream.next_in++;
        stream.avail_in--;
    }
    if (result == 0 && stream.avail_in)
        result = -EINVAL;
    inflateEnd(&stream);
    return result;
}
