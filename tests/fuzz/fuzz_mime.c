/*
 * MIME: a header with its parameters, transfer encodings and charsets, each by itself, and a whole
 * message, whose parts are as many as were announced and no larger than their texts allow.
 */
#include "fuzz.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "classify/blocks.h"
#include "classify/classify.h"
#include "config/yaml.h"
#include "decode/mime_header.h"
#include "decode/piece.h"
#include "decode/transfer.h"

/* As of a charset that grows most: a byte becomes three. */
enum { GROWTH_MAX = 3 };

static void check_header(const char *text, size_t size)
{
    AUTO_MIME_HEADER struct mime_header header = MIME_HEADER_INIT;
    struct error error = ERROR_INIT;

    if (mime_header_read(text, size, &header, &error) < 0) {
        MUST(error.kind == ERROR_INPUT && error.line);
        return;
    }
    MUST(header.size <= size);
    for (const char *c = header.type; c && *c; c++)
        MUST(*c < 'A' || *c > 'Z');
    for (const char *c = header.encoding; c && *c; c++)
        MUST(*c < 'A' || *c > 'Z');
}

static void check_transfer(const char *text, size_t size)
{
    static const char *const encodings[] = {"base64", "quoted-printable", "8bit"};
    static const char *const charsets[] = {"iso-8859-1", "utf-16", "us-ascii", "windows-1252"};

    for (size_t i = 0; i < ARRAY_SIZE(encodings); i++) {
        AUTO_BUFFER struct buffer out = BUFFER_INIT(size + GROWTH_MAX);
        struct error error = ERROR_INIT;
        int result = transfer_decode(text, size, encodings[i], &out, &error);

        MUST(result >= 0 || (error.kind == ERROR_INPUT && *error.message));
        MUST(out.size <= size);
    }
    for (size_t i = 0; i < ARRAY_SIZE(charsets); i++) {
        AUTO_BUFFER struct buffer out = BUFFER_INIT(GROWTH_MAX * size + GROWTH_MAX);
        struct error error = ERROR_INIT;
        int result = transfer_charset(text, size, charsets[i], &out, &error);
        AUTO_JSON json_t *valid = result > 0 ? json_stringn(out.bytes, out.size) : NULL;

        MUST(result >= 0 || (error.kind == ERROR_INPUT && *error.message));
        MUST(result <= 0 || !out.size || valid);
    }
}

static void check_message(const char *text, size_t size)
{
    const struct decode_setup setup = {
        .sniff = classify_prefix, .known = blocks_present, .yaml = yaml_parse};
    const struct piece piece = {.bytes = text, .size = size, .name = "message", .line = 1};
    AUTO_PARTS struct parts parts = {0};
    AUTO_PROBLEMS struct problems problems = {0};
    struct error error = ERROR_INIT;
    struct decoder decoder = {
        .setup = &setup, .parts = &parts, .problems = &problems, .error = &error};

    mime_decode(&decoder, &piece);
    MUST(parts.count <= PARTS_MAX && parts.count <= decoder.numbered);
    for (size_t i = 0; i < problems.count; i++)
        MUST(*problems.items[i].error.message && *problems.items[i].error.where);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_copy(data, size);

    check_header(text, size);
    check_transfer(text, size);
    check_message(text, size);
    fuzz_copy_free(text, size);
    return 0;
}
