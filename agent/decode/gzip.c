/* gzip (RFC 1952), by zlib. */
#include "decode/gzip.h"

#include "base/banned.h"
#include "base/memory.h"

#include <limits.h>

#define ZLIB_CONST
#include <zlib.h>

enum { CHUNK = 64 << 10, GZIP_ONLY = 16, FULL = 100 };

static int too_large(const struct buffer *out, struct error *error)
{
    error_set(error, ERROR_INPUT, "the gzip data inflates to more than %zu bytes", out->maximum);
    return error_hint(error, "fetch what is large from where it is kept");
}

static int damaged(const z_stream *stream, int result, struct error *error)
{
    if (result == Z_MEM_ERROR)
        memory_exhausted();
    if (result == Z_BUF_ERROR || result == Z_OK) {
        error_set(error, ERROR_INPUT, "the gzip data is cut off behind %lu bytes",
                  stream->total_in);
        return error_hint(error, "was it larger than the service takes? EC2's limit is 16384 "
                                 "bytes");
    }
    error_set(error, ERROR_INPUT, "the gzip data is damaged (%s)",
              stream->msg ? stream->msg : "zlib does not say how");
    return error_hint(error, "compress it anew, and don't edit or convert the result");
}

/* One member; Z_STREAM_END, or zlib's word for what is wrong, or FULL where out is. */
static int inflate_member(z_stream *stream, struct buffer *out)
{
    int result;

    do {
        size_t left = out->maximum - out->size, chunk = left < CHUNK ? left : CHUNK;
        /* One byte more than may be used tells a full buffer from a finished member. */
        unsigned char last;
        char *room = chunk ? buffer_room(out, chunk) : (char *)&last;

        stream->next_out = (unsigned char *)room;
        stream->avail_out = chunk ? (unsigned)chunk : 1;
        result = inflate(stream, Z_NO_FLUSH);
        if (!chunk && !stream->avail_out)
            return FULL;
        if (chunk)
            buffer_grown(out, chunk - stream->avail_out);
    } while (result == Z_OK && (stream->avail_in || !stream->avail_out));
    return result;
}

/* What tape-like tools leave behind the end. */
static bool is_padding(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i])
            return false;
    }
    return true;
}

static int inflate_all(z_stream *stream, struct buffer *out, struct error *error)
{
    for (;;) {
        int result = inflate_member(stream, out);

        if (result == FULL)
            return too_large(out, error);
        if (result != Z_STREAM_END)
            return damaged(stream, result, error);
        if (is_padding(stream->next_in, stream->avail_in))
            return 0;
        if (stream->avail_in < 2 || stream->next_in[0] != 0x1f || stream->next_in[1] != 0x8b) {
            error_set(error, ERROR_INPUT, "something that is no gzip follows the gzip data");
            return error_hint(error, "%u bytes are behind its end", stream->avail_in);
        }
        inflateReset(stream);
    }
}

int gzip_inflate(const char *bytes, size_t size, struct buffer *out, struct error *error)
{
    z_stream stream = {.avail_in = (unsigned)size};
    int result;

    if (size > UINT_MAX)
        return error_set(error, ERROR_INPUT, "the gzip data is too large");
    stream.next_in = (const unsigned char *)bytes;
    if (inflateInit2(&stream, MAX_WBITS + GZIP_ONLY) != Z_OK)
        memory_exhausted();
    result = inflate_all(&stream, out, error);
    inflateEnd(&stream);
    return result;
}
