/* decode: user-data as it comes, peeled until nothing bids, made parts; see decode.h. */
#include "decode/decode.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "decode/archive_plugin.h"
#include "decode/base64.h"
#include "decode/gzip.h"
#include "decode/piece.h"
#include "decode/text.h"
#include "decode/types.h"

#include <ctype.h>
#include <strings.h>

enum { BASE64_LAYERS_MAX = 4 };

/* A decoder's bid for binary data. */
enum bid { BID_NONE, BID_GZIP, BID_STREAM, BID_ARCHIVE };

static const struct magic {
    const char *bytes;
    size_t size, offset;
    enum bid bid;
} magics[] = {
    {"\x1f\x8b\x08", 3, 0, BID_GZIP},               /* RFC 1952, section 2.3.1 */
    {"\xfd\x37\x7a\x58\x5a\x00", 6, 0, BID_STREAM}, /* the .xz file format, 2.1.1.1 */
    {"\x28\xb5\x2f\xfd", 4, 0, BID_STREAM},         /* zstd: RFC 8878, section 3.1.1 */
    {"1AY&SY", 6, 4, BID_STREAM},      /* bzip2: BZh, a digit, and the first block's mark */
    {"PK\x03\x04", 4, 0, BID_ARCHIVE}, /* zip: APPNOTE.TXT, 4.3.7 … */
    {"PK\x05\x06", 4, 0, BID_ARCHIVE}, /* … and an empty one, 4.3.16 */
    {"ustar", 5, 257, BID_ARCHIVE},    /* tar: POSIX.1-2017, pax */
};

static enum bid bid_for(const char *bytes, size_t size)
{
    for (size_t i = 0; i < ARRAY_SIZE(magics); i++) {
        const struct magic *magic = &magics[i];

        if (size >= magic->offset + magic->size &&
            memcmp(bytes + magic->offset, magic->bytes, magic->size) == 0 &&
            (magic->offset != 4 || memcmp(bytes, "BZh", 3) == 0))
            return magic->bid;
    }
    return BID_NONE;
}

bool piece_is_packed(const char *bytes, size_t size)
{
    return bid_for(bytes, size) != BID_NONE;
}

static const char *label_of(const struct decoder *decoder, const struct piece *piece,
                            char number[static PIECE_NAME_MAX])
{
    if (piece->name)
        return piece->name;
    snprintf(number, PIECE_NAME_MAX, "part-%03u", decoder->numbered + 1);
    return number;
}

static void place_error(const struct decoder *decoder, const struct piece *piece,
                        struct error *error)
{
    char number[PIECE_NAME_MAX];
    unsigned line = error->line ? piece->line + error->line - 1 : piece->line;

    error_at(error, label_of(decoder, piece, number), line > 1 || error->line ? line : 0,
             error->column);
}

int piece_problem(const struct decoder *decoder, const struct piece *piece, struct error *error)
{
    place_error(decoder, piece, error);
    problems_add_error(decoder->problems, error);
    error_clear(error);
    return 0;
}

int piece_warning(const struct decoder *decoder, const struct piece *piece, struct error *error)
{
    place_error(decoder, piece, error);
    problems_add_warning(decoder->problems, error);
    error_clear(error);
    return 0;
}

int piece_charge(struct decoder *decoder, const struct piece *piece, size_t size)
{
    struct error error = ERROR_INIT;

    if (size > DECODE_TOTAL_MAX - decoder->total) {
        error_set(&error, ERROR_INPUT,
                  "all that is packed into the user-data is more than %d bytes", DECODE_TOTAL_MAX);
        error_hint(&error, "fetch what is large from where it is kept");
        piece_problem(decoder, piece, &error);
        return -1;
    }
    decoder->total += size;
    return 0;
}

struct piece piece_inner(const struct piece *piece, const struct buffer *bytes)
{
    struct piece inner = *piece;

    inner.bytes = buffer_text(bytes);
    inner.size = bytes->size;
    inner.line = 1;
    inner.depth = piece->depth + 1;
    return inner;
}

char *piece_label(const char *text)
{
    AUTO_JSON json_t *clean = json_lossy_string(text, strnlen(text, PIECE_NAME_MAX));
    char *label = memory_copy_string(json_string_value(clean));
    size_t size = strlen(label);

    for (char *c = label; *c; c++) {
        if ((unsigned char)*c <= ' ' || *c == '/' || *c == '\\' || *c == '\x7f')
            *c = '_';
    }
    if (size >= PIECE_NAME_MAX) {
        size = PIECE_NAME_MAX - 1;
        while (((unsigned char)label[size] & 0xc0) == 0x80)
            size--;
        label[size] = '\0';
    }
    return label;
}

/* Whether an index is another instance's: 1, 0, or -1. Where nobody knows, none is. */
static int is_other(const struct decoder *decoder, int64_t index)
{
    const struct decode_setup *setup = decoder->setup;
    int64_t own = -1;

    if (setup->index && setup->index(setup->index_context, &own, decoder->error) < 0)
        return -1;
    return own >= 0 && index != own;
}

/* The same of an index as it was written; one that is no number is a problem. */
static int is_other_text(const struct decoder *decoder, const struct piece *piece, const char *text)
{
    struct error error = ERROR_INIT;
    long long index;
    char *end;

    index = strtoll(text, &end, 10);
    if (end != text && !*end)
        return is_other(decoder, index);
    error_set(&error, ERROR_INPUT, "Launch-Index is no number");
    error_hint(&error, "the first instance of a launch has 0");
    piece_problem(decoder, piece, &error);
    return 1;
}

/*
 * Whether it is meant for another instance of the launch: by its Launch-Index, or else, in a
 * cloud-config, by a key launch-index at its top. 1, 0, or -1.
 */
static int is_for_another(const struct decoder *decoder, const struct piece *piece,
                          const char *type)
{
    static const char key[] = "launch-index";
    const struct decode_setup *setup = decoder->setup;
    struct error ignored =
        ERROR_INIT; /* what is wrong with the cloud-config is told by its reader */
    AUTO_JSON json_t *config = NULL;
    const json_t *index;

    if (piece->launch_index)
        return is_other_text(decoder, piece, piece->launch_index);
    if (!setup->yaml || !type || strcmp(type, TYPE_CONFIG) != 0 ||
        !memmem(piece->bytes, piece->size, key, strlen(key)))
        return 0;
    config = setup->yaml(piece->bytes, piece->size, NULL, &ignored);
    index = json_object_get(config, key);
    if (json_is_string(index))
        return is_other_text(decoder, piece, json_string_value(index));
    return json_is_integer(index) ? is_other(decoder, json_integer_value(index)) : 0;
}

/* Makes it a part; type is NULL where classify is to tell. */
static int add_leaf(struct decoder *decoder, const struct piece *piece, const struct type *type,
                    const char *result)
{
    char number[PIECE_NAME_MAX];
    const char *name = label_of(decoder, piece, number);
    struct error error = ERROR_INIT;
    struct part *part;
    int other;

    if (decoder->parts->count >= PARTS_MAX) {
        error_set(&error, ERROR_INPUT, "the user-data has more than %d parts", PARTS_MAX);
        piece_problem(decoder, piece, &error);
        return -1;
    }
    decoder->numbered++;
    other = is_for_another(decoder, piece, result);
    if (other)
        return other < 0 ? -1 : 0;
    part = parts_add(decoder->parts, name, result);
    part->bytes = memory_copy_bytes(piece->bytes, piece->size);
    part->size = piece->size;
    part->line = piece->line;
    part->frequency = type->frequency;
    if (piece->merge_type)
        part->merge_type = memory_copy_string(piece->merge_type);
    if (type->kind == TYPE_KIND_OTHER)
        part->type = part->declared = memory_copy_string(piece->type);
    if (result && (strcmp(result, TYPE_SCRIPT) == 0 || strcmp(result, TYPE_BOOTHOOK) == 0))
        part_make_unix_lines(part);
    return 0;
}

/* "#cloud-boothook" is a mark for us; the script is what follows it. */
static int boothook(struct decoder *decoder, const struct piece *piece, const struct type *type)
{
    static const char mark[] = "#cloud-boothook";
    struct piece script = *piece;

    if (script.size >= strlen(mark) && strncasecmp(script.bytes, mark, strlen(mark)) == 0) {
        script.bytes += strlen(mark);
        script.size -= strlen(mark);
    }
    while (script.size && isspace((unsigned char)*script.bytes)) {
        if (*script.bytes == '\n')
            script.line++;
        script.bytes++;
        script.size--;
    }
    return script.size ? add_leaf(decoder, &script, type, type->result) : 0;
}

static int part_handler(struct decoder *decoder, const struct piece *piece)
{
    struct error error = ERROR_INIT;
    int result;

    error_set(&error, ERROR_INPUT,
              "a part handler is not supported: it is Python code that runs inside of cloud-init");
    error_hint(&error, "give what it does as a script, or as a module in the image");
    result = piece_problem(decoder, piece, &error);
    decoder->numbered++;
    return result;
}

/* A bare JSON object or list; *value is it, or NULL and a problem was told. */
static bool is_json(const struct decoder *decoder, const struct piece *piece, json_t **value)
{
    struct error error = ERROR_INIT;
    size_t second = 1;

    if (!piece->size || (piece->bytes[0] != '{' && piece->bytes[0] != '['))
        return false;
    while (second < piece->size && isspace((unsigned char)piece->bytes[second]))
        second++;
    /* `[ -f FILE ]` and `{ command; }` are none. */
    if (second == piece->size || !piece->bytes[second] ||
        !strchr(piece->bytes[0] == '{' ? "\"}" : "\"{]", piece->bytes[second]))
        return false;
    *value = json_parse(piece->bytes, piece->size, "JSON", &error);
    if (!*value)
        piece_problem(decoder, piece, &error);
    return true;
}

/* Whether a text is something, so that base64 may have been around it. */
static bool is_known(const struct decoder *decoder, const char *bytes, size_t size, unsigned layer)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(DECODE_SIZE_MAX);
    AUTO_BUFFER struct buffer inner = BUFFER_INIT(DECODE_SIZE_MAX);
    struct error ignored = ERROR_INIT;
    const struct decode_setup *setup = decoder->setup;
    unsigned line;
    size_t place;

    if (bid_for(bytes, size) != BID_NONE)
        return true;
    if (text_decode(bytes, size, &text, &line, &ignored) < 0 || !text.size)
        return false;
    if (setup->sniff(text.bytes, text.size) || mime_looks_so(text.bytes, text.size) ||
        (setup->known && setup->known(text.bytes, text.size)))
        return true;
    if (text.bytes[0] == '{' || text.bytes[0] == '[') {
        AUTO_JSON json_t *value = json_parse(text.bytes, text.size, "JSON", &ignored);

        return value != NULL;
    }
    return layer < BASE64_LAYERS_MAX && base64_decode(text.bytes, text.size, &inner, &place) &&
           is_known(decoder, buffer_text(&inner), inner.size, layer + 1);
}

/* Base64 has no mark of its own: it is some only where what it stands for is known. */
static bool is_base64(const struct decoder *decoder, const struct piece *piece, struct buffer *out)
{
    size_t place;

    return base64_decode(piece->bytes, piece->size, out, &place) &&
           is_known(decoder, buffer_text(out), out->size, 1);
}

static int contradiction(const struct decoder *decoder, const struct piece *piece,
                         const char *sniffed)
{
    struct error error = ERROR_INIT;

    error_set(&error, ERROR_INPUT, "declared as %s, but it begins like %s: what is declared counts",
              piece->type, sniffed);
    error_hint(&error, "correct its Content-Type or its first line");
    return piece_warning(decoder, piece, &error);
}

/* A text whose type is settled. */
static int dispatch(struct decoder *decoder, const struct piece *piece, const struct type *type)
{
    switch (type->kind) {
    case TYPE_KIND_LIST:
        return list_decode_yaml(decoder, piece);
    case TYPE_KIND_INCLUDE:
        return include_decode(decoder, piece);
    case TYPE_KIND_BOOTHOOK:
        return boothook(decoder, piece, type);
    case TYPE_KIND_HANDLER:
        return part_handler(decoder, piece);
    case TYPE_KIND_MESSAGE:
        return mime_decode(decoder, piece);
    case TYPE_KIND_LEAF:
    case TYPE_KIND_OTHER:
    case TYPE_KIND_UNSAID:
        break;
    }
    return add_leaf(decoder, piece, type, type->result);
}

/* A text that nothing said about what it is, not even its beginning. */
static int unsaid(struct decoder *decoder, const struct piece *piece, const struct type *type)
{
    const struct decode_setup *setup = decoder->setup;
    const char *fallback = type->result ? type->result : piece->fallback;
    AUTO_JSON json_t *value = NULL;

    if (mime_looks_so(piece->bytes, piece->size))
        return mime_decode(decoder, piece);
    if (is_json(decoder, piece, &value)) {
        if (!value)
            return 0;
        if (json_is_array(value))
            return list_decode_json(decoder, piece, value);
        return add_leaf(decoder, piece, type, TYPE_CONFIG);
    }
    if (setup->known && setup->known(piece->bytes, piece->size))
        fallback = NULL;
    return add_leaf(decoder, piece, type, fallback);
}

static int decode_text(struct decoder *decoder, const struct piece *piece, const struct type *type)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(DECODE_SIZE_MAX);
    const char *sniffed = decoder->setup->sniff(piece->bytes, piece->size);

    if (sniffed && type->kind == TYPE_KIND_UNSAID) {
        type = type_find(sniffed);
        /* A type that decode has nothing to do with is classify's, and so are its bytes. */
        if (type->kind == TYPE_KIND_OTHER || type->kind == TYPE_KIND_UNSAID) {
            static const struct type plain = {NULL, TYPE_KIND_LEAF, NULL, PART_DEFAULT};

            return add_leaf(decoder, piece, &plain, sniffed);
        }
        return dispatch(decoder, piece, type);
    }
    if (sniffed && type->kind == TYPE_KIND_LEAF && strcmp(sniffed, type->result) != 0)
        contradiction(decoder, piece, sniffed);
    if (!sniffed && is_base64(decoder, piece, &out)) {
        struct piece inner = piece_inner(piece, &out);

        return piece_charge(decoder, piece, out.size) < 0 ? -1 : decode_piece(decoder, &inner);
    }
    return type->kind == TYPE_KIND_UNSAID ? unsaid(decoder, piece, type)
                                          : dispatch(decoder, piece, type);
}

static int inflate(struct decoder *decoder, const struct piece *piece, enum bid bid)
{
    size_t limit = piece->size * DECODE_RATIO_MAX;
    AUTO_BUFFER struct buffer out = BUFFER_INIT(limit < DECODE_RATIO_FREE ? DECODE_RATIO_FREE
                                                : limit > DECODE_SIZE_MAX ? DECODE_SIZE_MAX
                                                                          : limit);
    struct error error = ERROR_INIT;
    struct piece inner;
    int result;

    if (bid == BID_GZIP) {
        result = gzip_inflate(piece->bytes, piece->size, &out, &error);
    } else {
        const struct archive_reader *reader = archive_plugin_load(decoder->error);

        if (!reader)
            return -1;
        result = reader->inflate(piece->bytes, piece->size, &out, &error);
    }
    if (result < 0)
        return piece_problem(decoder, piece, &error);
    if (piece_charge(decoder, piece, out.size) < 0)
        return -1;
    inner = piece_inner(piece, &out);
    return decode_piece(decoder, &inner);
}

int decode_piece(struct decoder *decoder, const struct piece *piece)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(DECODE_SIZE_MAX);
    const struct type *type = type_find(piece->type);
    enum bid bid = bid_for(piece->bytes, piece->size);
    struct error error = ERROR_INIT;
    struct piece inner = *piece;
    unsigned line;

    if (piece->depth > DECODE_DEPTH_MAX) {
        error_set(&error, ERROR_INPUT, "packed into itself more than %d times", DECODE_DEPTH_MAX);
        return piece_problem(decoder, piece, &error);
    }
    if (bid == BID_ARCHIVE)
        return bundle_decode(decoder, piece);
    if (bid != BID_NONE)
        return inflate(decoder, piece, bid);
    if (type->kind == TYPE_KIND_OTHER)
        return piece->size ? add_leaf(decoder, piece, type, NULL) : 0;
    if (text_decode(piece->bytes, piece->size, &text, &line, &error) < 0)
        return piece_problem(decoder, piece, &error);
    if (!text.size) { /* cloud-init counts it, too */
        decoder->numbered++;
        return 0;
    }
    inner.bytes = text.bytes;
    inner.size = text.size;
    inner.line = piece->line + line - 1;
    return decode_text(decoder, &inner, type);
}

int decode_user_data(const char *bytes, size_t size, const char *name,
                     const struct decode_setup *setup, struct parts *parts,
                     struct problems *problems, struct error *error)
{
    struct decoder decoder = {.setup = setup, .parts = parts, .problems = problems, .error = error};
    const struct piece piece = {.bytes = bytes, .size = size, .name = name, .line = 1};

    return decode_piece(&decoder, &piece) < 0 && error->kind != ERROR_NONE ? -1 : 0;
}
