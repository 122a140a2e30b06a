/*
 * MIME messages (RFC 2045, RFC 2046): the parts of a multipart, however they are nested, in order.
 *
 * As cloud-init has it, a message that is no multipart is one part, multiparts of every kind are
 * opened, and file names are labels. What it takes in silence is told here: no boundary, a boundary
 * that never comes, an end that is missing.
 */
#include "base/banned.h"
#include "base/memory.h"
#include "decode/mime_header.h"
#include "decode/piece.h"
#include "decode/transfer.h"

enum { CLOSING = 2 };

bool mime_looks_so(const char *text, size_t size)
{
    AUTO_MIME_HEADER struct mime_header header = MIME_HEADER_INIT;
    struct error ignored = ERROR_INIT;

    if (!size || text[0] == '#' || text[0] == '<' || text[0] == '{')
        return false;
    /* One that is too large is told when it is decoded. */
    (void)mime_header_read(text, size, &header, &ignored);
    return header.is_mime;
}

static int problem_at(const struct decoder *decoder, const struct piece *piece, const char *message,
                      const char *hint, unsigned line)
{
    struct error error = ERROR_INIT;

    error_set(&error, ERROR_INPUT, "%s", message);
    error_hint(&error, "%s", hint);
    error_at(&error, NULL, line, 0);
    return piece_problem(decoder, piece, &error);
}

static unsigned count_lines(const char *from, const char *to)
{
    unsigned lines = 0;

    for (const char *c = from; c < to && (c = memchr(c, '\n', (size_t)(to - c))); c++)
        lines++;
    return lines;
}

/* A delimiter line (RFC 2046, section 5.1.1): 1, CLOSING for the last, 0 for any other line. */
static int delimiter(const char *line, size_t length, const char *boundary, size_t size)
{
    int result = 1;

    if (length < size + 2 || line[0] != '-' || line[1] != '-' ||
        memcmp(line + 2, boundary, size) != 0)
        return 0;
    line += size + 2;
    length -= size + 2;
    if (length >= 2 && line[0] == '-' && line[1] == '-') {
        result = CLOSING;
        line += 2;
        length -= 2;
    }
    for (size_t i = 0; i < length; i++) {
        if (!strchr(" \t\r\n", line[i]) || !line[i])
            return 0;
    }
    return result;
}

struct multipart {
    struct decoder *decoder;
    const struct piece *piece; /* the whole, for messages */
    const char *boundary;
    size_t boundary_size;
    const char *at, *end;
    const char *part; /* where the part begins that is being read; NULL before the first */
    unsigned line;    /* of at, within what the user sees */
    unsigned part_line;
    bool closed, behind;
};

/* The part that ends before a delimiter line: the line end before it belongs to that line. */
static int take_part(const struct multipart *multipart, const char *end)
{
    struct piece piece = *multipart->piece;

    if (!multipart->part)
        return 0;
    if (end > multipart->part && end[-1] == '\n')
        end--;
    if (end > multipart->part && end[-1] == '\r')
        end--;
    piece.bytes = multipart->part;
    piece.size = (size_t)(end - multipart->part);
    piece.line = multipart->part_line;
    piece.depth++;
    piece.name = piece.type = piece.fallback = piece.merge_type = piece.launch_index = NULL;
    return mime_decode(multipart->decoder, &piece);
}

static int read_line(struct multipart *multipart)
{
    size_t length = mime_line(multipart->at, (size_t)(multipart->end - multipart->at));
    int kind = delimiter(multipart->at, length, multipart->boundary, multipart->boundary_size);

    if (kind && multipart->closed)
        multipart->behind = true;
    if (kind && !multipart->closed && take_part(multipart, multipart->at) < 0)
        return -1;
    multipart->at += length;
    multipart->line++;
    if (kind && !multipart->closed) {
        multipart->closed = kind == CLOSING;
        multipart->part = multipart->closed ? NULL : multipart->at;
        multipart->part_line = multipart->line;
    }
    return 0;
}

static int warn(const struct multipart *multipart, const char *message, const char *hint)
{
    struct error error = ERROR_INIT;

    error_set(&error, ERROR_INPUT, "%s", message);
    error_hint(&error, "%s", hint);
    return piece_warning(multipart->decoder, multipart->piece, &error);
}

static int decode_multipart(struct decoder *decoder, const struct piece *piece,
                            const struct mime_header *header, unsigned body_line)
{
    struct multipart multipart = {.decoder = decoder,
                                  .piece = piece,
                                  .boundary = header->boundary,
                                  .at = piece->bytes + header->size,
                                  .end = piece->bytes + piece->size,
                                  .line = piece->line + body_line - 1};
    bool found = false;

    if (!header->boundary || !*header->boundary)
        return problem_at(decoder, piece, "a multipart MIME message without a boundary",
                          "its Content-Type needs one: multipart/mixed; boundary=\"…\"", 1);
    multipart.boundary_size = strlen(header->boundary);
    while (multipart.at < multipart.end) {
        if (read_line(&multipart) < 0)
            return -1;
        found = found || multipart.part || multipart.closed;
    }
    if (!found)
        return problem_at(decoder, piece, "the boundary of a MIME message never comes in it",
                          "each part begins behind a line of -- and the boundary", 1);
    if (multipart.behind)
        warn(&multipart, "what is behind the end of a MIME message is ignored",
             "the boundary with -- at its end belongs behind the last part only");
    if (multipart.closed)
        return 0;
    warn(&multipart, "a MIME message does not end: was it cut off?",
         "its last line is --, the boundary, and --");
    return take_part(&multipart, multipart.end);
}

/* A part that is no multipart: its transfer encoding and its charset are undone. */
static int decode_single(struct decoder *decoder, const struct piece *piece,
                         const struct mime_header *header, unsigned body_line)
{
    AUTO_BUFFER struct buffer bytes = BUFFER_INIT(DECODE_SIZE_MAX);
    AUTO_BUFFER struct buffer text = BUFFER_INIT(DECODE_SIZE_MAX);
    AUTO_FREE char *name =
        header->filename && *header->filename ? piece_label(header->filename) : NULL;
    struct piece inner = *piece, body = *piece;
    struct error error = ERROR_INIT;
    int result;

    inner.bytes += header->size;
    inner.size -= header->size;
    inner.line = piece->line + body_line - 1;
    inner.name = name ? name : piece->name;
    inner.type = header->type && *header->type ? header->type : "text/plain";
    inner.launch_index = header->launch_index;
    inner.merge_type = header->merge_type;
    inner.depth++;
    body = inner;
    result = transfer_decode(body.bytes, body.size, header->encoding, &bytes, &error);
    if (result < 0)
        return piece_problem(decoder, &body, &error);
    if (result > 0) {
        inner.bytes = buffer_text(&bytes);
        inner.size = bytes.size;
        inner.line = 1;
    }
    if (strncmp(inner.type, "text/", strlen("text/")) == 0 &&
        !piece_is_packed(inner.bytes, inner.size)) {
        result = transfer_charset(inner.bytes, inner.size, header->charset, &text, &error);
        if (result < 0)
            return piece_problem(decoder, &inner, &error);
        if (result > 0) {
            inner.bytes = buffer_text(&text);
            inner.size = text.size;
        }
    }
    if (piece_charge(decoder, piece, bytes.size + text.size) < 0)
        return -1;
    return decode_piece(decoder, &inner);
}

int mime_decode(struct decoder *decoder, const struct piece *piece)
{
    AUTO_MIME_HEADER struct mime_header header = MIME_HEADER_INIT;
    struct error error = ERROR_INIT;
    unsigned body_line;

    if (piece->depth > DECODE_DEPTH_MAX)
        return problem_at(decoder, piece, "MIME messages are nested too deeply",
                          "one multipart with all parts side by side does as well", 1);
    if (mime_header_read(piece->bytes, piece->size, &header, &error) < 0)
        return piece_problem(decoder, piece, &error);
    body_line = 1 + count_lines(piece->bytes, piece->bytes + header.size);
    if (header.type && strncmp(header.type, "multipart/", strlen("multipart/")) == 0)
        return decode_multipart(decoder, piece, &header, body_line);
    return decode_single(decoder, piece, &header, body_line);
}
