/*
 * No decoder of what user-data is packed in, and no reader of what becomes of it, reads behind the
 * bytes that it was given; see test_guard.c.
 */
#include "check.h"
#include "guard_cases.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "classify/blocks.h"
#include "classify/classify.h"
#include "config/patch.h"
#include "config/schema.h"
#include "config/template.h"
#include "config/yaml.h"
#include "decode/base64.h"
#include "decode/gzip.h"
#include "decode/mime_header.h"
#include "decode/piece.h"
#include "decode/transfer.h"
#include "verbs/parts.h"

enum { OUT_MAX = 4 << 20, CUTS_MAX = 600, CASE_CUTS_MAX = 60 };

static void base64(const char *bytes, size_t size)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(OUT_MAX);
    size_t place;

    base64_decode(bytes, size, &out, &place);
}

static void gzip(const char *bytes, size_t size)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(OUT_MAX);
    struct error error = ERROR_INIT;

    gzip_inflate(bytes, size, &out, &error);
}

static void transfer(const char *bytes, size_t size)
{
    static const char *const encodings[] = {"base64", "quoted-printable", "x-uuencode"};
    static const char *const charsets[] = {"iso-8859-1", "utf-16", "utf-8", "koi8-r"};

    for (size_t i = 0; i < ARRAY_SIZE(encodings); i++) {
        AUTO_BUFFER struct buffer out = BUFFER_INIT(OUT_MAX);
        struct error error = ERROR_INIT;

        transfer_decode(bytes, size, encodings[i], &out, &error);
    }
    for (size_t i = 0; i < ARRAY_SIZE(charsets); i++) {
        AUTO_BUFFER struct buffer out = BUFFER_INIT(OUT_MAX);
        struct error error = ERROR_INIT;

        transfer_charset(bytes, size, charsets[i], &out, &error);
    }
}

static void mime_header(const char *bytes, size_t size)
{
    AUTO_MIME_HEADER struct mime_header header = MIME_HEADER_INIT;
    struct error error = ERROR_INIT;

    mime_looks_so(bytes, size);
    mime_header_read(bytes, size, &header, &error);
}

/* A container's decoder by itself: what is in it is decoded as ever. */
static void contained(const char *bytes, size_t size,
                      int decode(struct decoder *decoder, const struct piece *piece))
{
    const struct decode_setup setup = {
        .sniff = classify_prefix, .known = blocks_present, .yaml = yaml_parse};
    const struct piece piece = {.bytes = bytes, .size = size, .name = "case", .line = 1};
    AUTO_PARTS struct parts parts = {0};
    AUTO_PROBLEMS struct problems problems = {0};
    struct error error = ERROR_INIT;
    struct decoder decoder = {
        .setup = &setup, .parts = &parts, .problems = &problems, .error = &error};

    decode(&decoder, &piece);
}

static void mime(const char *bytes, size_t size)
{
    contained(bytes, size, mime_decode);
}

static void list(const char *bytes, size_t size)
{
    contained(bytes, size, list_decode_yaml);
}

static void include(const char *bytes, size_t size)
{
    contained(bytes, size, include_decode);
}

static void template(const char *bytes, size_t size)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(TEMPLATE_OUTPUT_MAX);
    AUTO_JSON json_t *variables = memory_need(json_object());
    AUTO_JSON json_t *names = NULL;
    struct error error = ERROR_INIT;

    template_names(bytes, size, &names, &error);
    template_render(bytes, size, variables, &out, &error);
}

static void schema(const char *bytes, size_t size)
{
    struct error error = ERROR_INIT;
    AUTO_JSON json_t *document = json_parse(bytes, size, "case", &error);
    AUTO_SCHEMA struct schema *compiled =
        document ? schema_compile(document, "case", &error) : NULL;

    /* Any document does for a value. */
    if (compiled)
        json_decref(schema_redact(compiled, document));
}

static void patch(const char *bytes, size_t size)
{
    AUTO_POSITIONS struct positions positions = {0};
    struct error error = ERROR_INIT;
    AUTO_JSON json_t *operations = yaml_parse_placed(bytes, size, "case", &positions, &error);
    json_t *document = memory_need(json_pack("{s[iii]s{s{}}}", "a", 1, 2, 3, "b", "c"));

    if (operations)
        patch_apply(&document, operations, &positions, &error);
    json_decref(document);
}

static int any_item(void *context, const char *path, struct buffer *out, struct error *error)
{
    (void)context, (void)path, (void)error;
    return buffer_append_text(out, "value") ? 1 : 0;
}

static void user_data(const char *bytes, size_t size)
{
    const struct parts_setup setup = {.item = any_item, .instance_id = "i-0", .source = "file"};
    AUTO_PROBLEMS struct problems problems = {0};
    struct parts_result result = {0};
    struct error error = ERROR_INIT;

    parts_read(bytes, size, &setup, &result, &problems, &error);
    parts_result_clear(&result);
}

static void every_decoder(void **state)
{
    static guard_parser *const decoders[] = {base64, gzip, transfer, mime_header,
                                             mime,   list, include,  user_data};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(decoders); i++)
        guard_cases("decode", "input", CASE_CUTS_MAX, decoders[i]);
}

static void templates(void **state)
{
    (void)state;
    guard_cases("template", "template", CASE_CUTS_MAX, template);
}

static void merged_parts(void **state)
{
    (void)state;
    guard_cases("merge", "over.yaml", CASE_CUTS_MAX, user_data);
}

static void schemas(void **state)
{
    static const char text[] =
        "{\"type\":[\"object\",\"null\"],\"properties\":{\"a\":{\"$ref\":\"#/$defs/x\"},"
        "\"b\":{\"pattern\":\"^[a-z]+$\",\"x-secret\":true}},\"patternProperties\":{\"^c\":"
        "{\"anyOf\":[{\"minimum\":1},{\"enum\":[\"x\",null]}]}},\"required\":[\"a\"],"
        "\"additionalProperties\":false,\"$defs\":{\"x\":{\"items\":{\"maxLength\":3}}}}";

    (void)state;
    guard_cut(text, strlen(text), CUTS_MAX, schema);
}

static void patches(void **state)
{
    static const char text[] =
        "[{\"op\":\"add\",\"path\":\"/a/-\",\"value\":{\"x\":[1]}},{\"op\":\"move\","
        "\"from\":\"/a/0\",\"path\":\"/b/~0~1\"},{\"op\":\"copy\",\"from\":\"/b\","
        "\"path\":\"/d\"},{\"op\":\"test\",\"path\":\"/a/1\",\"value\":3},"
        "{\"op\":\"replace\",\"path\":\"/b/c\",\"value\":null},{\"op\":\"remove\","
        "\"path\":\"/a/2\"}]";

    (void)state;
    guard_cut(text, strlen(text), CUTS_MAX, patch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_decoder), cmocka_unit_test(templates),
        cmocka_unit_test(merged_parts),  cmocka_unit_test(schemas),
        cmocka_unit_test(patches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
