/*
 * decode, beside tests/cases/decode: limits of the whole, what only a program can make, and input
 * laid against a page that cannot be read.
 */
#include "cases.h"
#include "check.h"
#include "decode_case.h"
#include "guard.h"

#include "base/banned.h"

#include <zlib.h>

struct decoded {
    struct parts parts;
    struct problems problems;
    struct error error;
    int result;
};

static const struct decode_setup offline = {
    .sniff = classify_prefix, .known = blocks_present, .yaml = yaml_parse};

static struct decoded decode_with(const struct decode_setup *setup, const char *bytes, size_t size)
{
    struct decoded decoded = {.result = 0};

    decoded.result = decode_user_data(bytes, size, "user-data", setup, &decoded.parts,
                                      &decoded.problems, &decoded.error);
    return decoded;
}

static struct decoded decode_text(const char *text)
{
    return decode_with(&offline, text, strlen(text));
}

static void decoded_clear(struct decoded *decoded)
{
    parts_clear(&decoded->parts);
    problems_clear(&decoded->problems);
}

static void gzip_into(struct buffer *out, const char *bytes, size_t size)
{
    z_stream stream = {.avail_in = (unsigned)size, .next_in = (unsigned char *)(uintptr_t)bytes};
    size_t bound;

    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    bound = deflateBound(&stream, size);
    stream.next_out = (unsigned char *)buffer_room(out, bound);
    stream.avail_out = (unsigned)bound;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    buffer_grown(out, stream.total_out);
    deflateEnd(&stream);
}

/* A message of so many script parts. */
static void message_into(struct buffer *out, size_t count)
{
    buffer_append_text(out, "Content-Type: multipart/mixed; boundary=x\nMIME-Version: 1.0\n\n");
    for (size_t i = 0; i < count; i++)
        buffer_format(out, "--x\nContent-Type: text/x-shellscript\n\n#!/bin/sh\necho %zu\n", i);
    buffer_append_text(out, "--x--\n");
}

static void as_many_parts_as_are_allowed(void **state)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(1 << 20);
    struct decoded decoded;

    (void)state;
    message_into(&text, PARTS_MAX);
    decoded = decode_with(&offline, text.bytes, text.size);
    assert_int_equal(decoded.result, 0);
    assert_int_equal(decoded.parts.count, PARTS_MAX);
    assert_int_equal(decoded.problems.count, 0);
    assert_string_equal(decoded.parts.items[0].name, "part-001");
    assert_string_equal(decoded.parts.items[PARTS_MAX - 1].name, "part-1000");
    assert_string_equal(decoded.parts.items[PARTS_MAX - 1].bytes, "#!/bin/sh\necho 999");
    decoded_clear(&decoded);

    buffer_clear(&text);
    message_into(&text, PARTS_MAX + 5);
    decoded = decode_with(&offline, text.bytes, text.size);
    assert_int_equal(decoded.result, 0);
    assert_int_equal(decoded.parts.count, PARTS_MAX);
    assert_int_equal(decoded.problems.count, 1);
    assert_says(&decoded.problems.items[0].error, "more than 1000 parts");
    decoded_clear(&decoded);
}

/* Zeros pack 1000 to 1: that is refused; a text that packs 100 to 1 is not. */
static void ratio_is_limited_beyond_what_is_free(void **state)
{
    enum { LARGE = 4 << 20 };
    AUTO_BUFFER struct buffer text = BUFFER_INIT(LARGE), packed = BUFFER_INIT(LARGE);
    struct decoded decoded;

    (void)state;
    buffer_append_text(&text, "#!/bin/sh\n");
    memset(buffer_room(&text, DECODE_RATIO_FREE - text.size), '\n', DECODE_RATIO_FREE - text.size);
    buffer_grown(&text, DECODE_RATIO_FREE - text.size);
    gzip_into(&packed, text.bytes, text.size);
    decoded = decode_with(&offline, packed.bytes, packed.size);
    assert_int_equal(decoded.problems.count, 0);
    assert_int_equal(decoded.parts.items[0].size, DECODE_RATIO_FREE);
    decoded_clear(&decoded);

    buffer_append_text(&text, "\n");
    buffer_clear(&packed);
    gzip_into(&packed, text.bytes, text.size);
    decoded = decode_with(&offline, packed.bytes, packed.size);
    assert_int_equal(decoded.parts.count, 0);
    assert_says(&decoded.problems.items[0].error, "inflates to more than");
    decoded_clear(&decoded);
}

static int fetch_counted(void *context, const char *url, struct buffer *out, struct error *error)
{
    int *count = context;

    (void)error;
    ++*count;
    buffer_append_text(out, strstr(url, "once") ? "#!/bin/once\n" : "#!/bin/sh\n");
    return 0;
}

static int fetch_once_counted(void *context, const char *url, struct buffer *out,
                              struct error *error)
{
    int *count = context;

    *count += 100;
    return fetch_counted(context, strcmp(url, "http://h/a") == 0 ? "once" : url, out, error);
}

static void include_once_may_be_answered_from_what_was_kept(void **state)
{
    static const char text[] = "#include\nhttp://h/a\n#include-once\nhttp://h/a\n";
    int count = 0;
    struct decode_setup setup = offline;
    struct decoded decoded;

    (void)state;
    setup.fetch = fetch_counted;
    setup.fetch_once = fetch_once_counted;
    setup.context = &count;
    decoded = decode_with(&setup, text, strlen(text));
    assert_int_equal(count, 102);
    assert_int_equal(decoded.parts.count, 2);
    assert_string_equal(decoded.parts.items[0].bytes, "#!/bin/sh\n");
    assert_string_equal(decoded.parts.items[1].bytes, "#!/bin/once\n");
    decoded_clear(&decoded);

    setup.fetch_once = NULL;
    count = 0;
    decoded = decode_with(&setup, text, strlen(text));
    assert_int_equal(count, 2);
    decoded_clear(&decoded);
}

static void nothing_is_fetched_where_nothing_can(void **state)
{
    struct decoded decoded =
        decode_text("#include\nhttps://user:secret@h/a?token=secret#sha256="
                    "0000000000000000000000000000000000000000000000000000000000000000\n");

    (void)state;
    assert_int_equal(decoded.result, 0);
    assert_int_equal(decoded.problems.errors, 0);
    assert_int_equal(decoded.problems.count, 1);
    assert_says(&decoded.problems.items[0].error, "https://h/a is not fetched here");
    assert_null(strstr(decoded.problems.items[0].error.message, "secret"));
    decoded_clear(&decoded);
}

static int fetch_deeper(void *context, const char *url, struct buffer *out, struct error *error)
{
    unsigned long *depth = context;

    (void)url, (void)error;
    buffer_format(out, "#include\nhttp://h/%lu\n", ++*depth);
    return 0;
}

static void includes_end_at_some_depth(void **state)
{
    unsigned long depth = 0;
    struct decode_setup setup = offline;
    struct decoded decoded;

    (void)state;
    setup.fetch = fetch_deeper;
    setup.context = &depth;
    decoded = decode_with(&setup, "#include http://h/0", strlen("#include http://h/0"));
    assert_int_equal(depth, DECODE_DEPTH_MAX + 1);
    assert_int_equal(decoded.problems.count, 1);
    assert_says(&decoded.problems.items[0].error, "packed into itself more than 16 times");
    decoded_clear(&decoded);
}

static int fetch_too_large(void *context, const char *url, struct buffer *out, struct error *error)
{
    (void)context, (void)url;
    assert_null(buffer_room(out, DECODE_INCLUDE_SIZE_MAX + 1));
    return error_set(error, ERROR_SOURCE, "too large");
}

static void fetch_knows_how_much_is_wanted(void **state)
{
    struct decode_setup setup = offline;
    struct decoded decoded;

    (void)state;
    setup.fetch = fetch_too_large;
    decoded = decode_with(&setup, "#include http://h/0", strlen("#include http://h/0"));
    assert_says(&decoded.problems.items[0].error, "user-data:1: http://h/0: too large");
    assert_int_equal(decoded.problems.items[0].error.kind, ERROR_SOURCE);
    decoded_clear(&decoded);
}

/* Without config's YAML reader a list must be JSON. */
static void list_without_a_reader_is_json(void **state)
{
    struct decode_setup setup = offline;
    static const char list[] = "#cloud-config-archive\n- a\n";
    struct decoded decoded;

    (void)state;
    setup.yaml = NULL;
    decoded = decode_with(&setup, list, strlen(list));
    assert_int_equal(decoded.problems.errors, 1);
    decoded_clear(&decoded);
    decoded = decode_with(&setup, "[\"#!/bin/sh\"]", strlen("[\"#!/bin/sh\"]"));
    assert_int_equal(decoded.parts.count, 1);
    decoded_clear(&decoded);
}

/* What the machine lacks is no fault of the user-data. */
static void plugin_that_is_not_there_is_an_error(void **state)
{
    char *before = strdup(getenv("BOOTLACE_LIBDIR"));
    struct decoded decoded;

    (void)state;
    setenv("BOOTLACE_LIBDIR", "/nonexistent", 1);
    decoded = decode_with(&offline,
                          "\xfd"
                          "7zXZ\0",
                          6);
    assert_int_equal(decoded.result, -1);
    assert_int_equal(decoded.error.kind, ERROR_INTERNAL);
    assert_says(&decoded.error, "libarchive");
    assert_int_equal(decoded.problems.count, 0);
    decoded_clear(&decoded);
    setenv("BOOTLACE_LIBDIR", before, 1);
    free(before);
}

static void decode_guarded(const char *bytes, size_t size)
{
    struct guard guard = guard_make(bytes, size);
    AUTO_PARTS struct parts parts = {0};
    AUTO_PROBLEMS struct problems problems = {0};
    struct error error = ERROR_INIT;

    assert_int_equal(decode_case(guard.bytes, size, NULL, 0, &parts, &problems, &error), 0);
    guard_free(&guard);
}

/* Each case, and what is left of it where it is cut off at some places. */
static void nothing_is_read_behind_the_end(void **state)
{
    static const char *names[CASES_MAX];
    size_t count = cases_list("decode", names);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        AUTO_BUFFER struct buffer input = BUFFER_INIT(CASES_FILE_MAX);

        assert_true(cases_read("decode", names[i], "input", &input));
        for (size_t size = input.size; size; size = size * 7 / 8)
            decode_guarded(input.bytes, size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plugin_that_is_not_there_is_an_error),
        cmocka_unit_test(as_many_parts_as_are_allowed),
        cmocka_unit_test(ratio_is_limited_beyond_what_is_free),
        cmocka_unit_test(include_once_may_be_answered_from_what_was_kept),
        cmocka_unit_test(nothing_is_fetched_where_nothing_can),
        cmocka_unit_test(includes_end_at_some_depth),
        cmocka_unit_test(fetch_knows_how_much_is_wanted),
        cmocka_unit_test(list_without_a_reader_is_json),
        cmocka_unit_test(nothing_is_read_behind_the_end),
    };

    decode_case_use_built_plugins();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
