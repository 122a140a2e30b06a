/* The formats that decode undoes, each by itself: base64, gzip, MIME headers, charsets, SHA-256. */
#include "check.h"
#include "guard.h"

#include "base/banned.h"
#include "base/memory.h"
#include "decode/base64.h"
#include "decode/gzip.h"
#include "decode/mime_header.h"
#include "decode/sha256.h"
#include "decode/transfer.h"

static void assert_base64(const char *text, const char *expected)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(1024);
    struct guard guard = guard_make(text, strlen(text));
    size_t place;

    if (!base64_decode(guard.bytes, strlen(text), &out, &place))
        fail_msg("%s is base64", text);
    assert_int_equal(place, strlen(text));
    assert_string_equal(buffer_text(&out), expected);
    guard_free(&guard);
}

/* RFC 4648, section 10. */
static void base64_of_the_standard(void **state)
{
    (void)state;
    assert_base64("", "");
    assert_base64("Zg==", "f");
    assert_base64("Zm8=", "fo");
    assert_base64("Zm9v", "foo");
    assert_base64("Zm9vYg==", "foob");
    assert_base64("Zm9vYmE=", "fooba");
    assert_base64("Zm9vYmFy", "foobar");
    assert_base64("Zm9vYg", "foob");
    assert_base64(" Zm9v\r\n\tYmFy\n\n", "foobar");
    assert_base64("Zm9vYg=\n=\n", "foob");
    assert_base64("+/+/", "\xfb\xff\xbf");
}

static void assert_no_base64(const char *text, size_t where)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(1024);
    size_t place = 99;

    buffer_append_text(&out, "x");
    if (base64_decode(text, strlen(text), &out, &place))
        fail_msg("%s is no base64", text);
    assert_int_equal(place, where);
    assert_string_equal(buffer_text(&out), "x");
}

static void base64_that_is_none(void **state)
{
    AUTO_BUFFER struct buffer small = BUFFER_INIT(4);
    size_t place = 99;

    (void)state;
    assert_no_base64("Zm9v*mFy", 4);
    assert_no_base64("Zm9vY", 5);
    assert_no_base64("Zm9v=", 4);
    assert_no_base64("Zg===", 4);
    assert_no_base64("Zm8==", 4);
    assert_no_base64("Zg==Zm8=", 4);
    assert_no_base64("Zm9v-_", 4);
    assert_false(base64_decode("Zm9vYmFy", 8, &small, &place));
    assert_int_equal(place, 0);
}

/* gzip -n of "hi\n", and what was made of it. */
static const char hi[] = "\x1f\x8b\x08\0\0\0\0\0\0\x03\xcb\xc8\xe4\x02\0\x7a\x7a\x6f\xed\x03\0\0\0";

static void gzip_fills_its_buffer_and_not_more(void **state)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(3), small = BUFFER_INIT(2);
    struct guard guard = guard_make(hi, sizeof hi);
    struct error error = ERROR_INIT;

    (void)state;
    assert_int_equal(gzip_inflate(guard.bytes, sizeof hi - 1, &out, &error), 0);
    assert_string_equal(out.bytes, "hi\n");
    assert_silent(&error);
    assert_int_equal(gzip_inflate(guard.bytes, sizeof hi - 1, &small, &error), -1);
    assert_says(&error, "more than 2 bytes");
    guard_free(&guard);
}

static void gzip_that_is_cut_off_anywhere_says_so(void **state)
{
    (void)state;
    for (size_t size = 1; size < sizeof hi - 1; size++) {
        AUTO_BUFFER struct buffer out = BUFFER_INIT(64);
        struct guard guard = guard_make(hi, size);
        struct error error = ERROR_INIT;

        assert_int_equal(gzip_inflate(guard.bytes, size, &out, &error), -1);
        assert_says(&error, "is cut off");
        guard_free(&guard);
    }
}

static void assert_parameter(const char *value, const char *name, const char *expected)
{
    AUTO_FREE char *found = mime_parameter(value, name);

    if (!expected)
        assert_null(found);
    else if (!found)
        fail_msg("%s has no %s", value, name);
    else
        assert_string_equal(found, expected);
}

static void parameters_as_they_are_written(void **state)
{
    (void)state;
    assert_parameter("a/b", "x", NULL);
    assert_parameter("a/b;", "x", NULL);
    assert_parameter("a/b; x", "x", NULL);
    assert_parameter("a/b; x=", "x", "");
    assert_parameter("a/b; x=1", "x", "1");
    assert_parameter("a/b;x=1;y=2", "y", "2");
    assert_parameter("a/b; X = 1 ; y=2", "x", "1");
    assert_parameter("a/b; x=\"1; y=2\"; y=3", "y", "3");
    assert_parameter("a/b; x=\"a\\\"b\\\\c\"", "x", "a\"b\\c");
    assert_parameter("a/b; x=\"not closed", "x", "not closed");
    assert_parameter("a/b; x=\"ends with\\", "x", "ends with\\");
    assert_parameter("a/b; x=1; x=2", "x", "1");
    assert_parameter("a/b; xx=1; x=2", "x", "2");
    assert_parameter("a/b; y; x=2", "x", "2");
}

/* RFC 2231, sections 3 and 4. */
static void parameters_continued_and_encoded(void **state)
{
    (void)state;
    assert_parameter("a/b; x*0=\"one \"; x*1=two", "x", "one two");
    assert_parameter("a/b; x*1=two; x*0=one-", "x", "one-two");
    assert_parameter("a/b; x*0=one; x*2=three", "x", "one");
    assert_parameter("a/b; x*1=two", "x", NULL);
    assert_parameter("a/b; x*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A", "x",
                     "This is ***fun***");
    assert_parameter("a/b; x*0*=us-ascii'en'This%20is%20; x*1*=%2Afun%2A; x*2=\" isn't it!\"", "x",
                     "This is *fun* isn't it!");
    assert_parameter("a/b; x*=%4", "x", "%4");
    assert_parameter("a/b; x*=''%zz%", "x", "%zz%");
    assert_parameter("a/b; x*99=far; x*-1=odd; x*a=odd", "x", NULL);
    assert_parameter("a/b; x*99999999999999999999=far", "x", NULL);
}

static void header_ends_where_it_ends(void **state)
{
    static const struct {
        const char *text;
        size_t size;
        bool is_mime;
    } headers[] = {
        {"", 0, false},
        {"\nbody", 1, false},
        {"\r\nbody", 2, false},
        {"A: b\n\nbody", 6, false},
        {"A: b\r\n\r\nbody", 8, false},
        {"A: b\nbody", 5, false},
        {"A: b", 4, false},
        {"A: b\n c\n\td\nbody", 11, false},
        {"#!/bin/sh\n", 0, false},
        {": none\n", 0, false},
        {"mime-VERSION: 1\n\n", 17, true},
        {"Content-Type: text/plain\n\n", 26, true},
        {"Content-Type: none\n\n", 20, false},
        {"From me\nMIME-Version: 1.0\n\n", 27, true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(headers); i++) {
        AUTO_MIME_HEADER struct mime_header header = MIME_HEADER_INIT;
        struct guard guard = guard_make(headers[i].text, strlen(headers[i].text));
        struct error error = ERROR_INIT;

        assert_int_equal(mime_header_read(guard.bytes, strlen(headers[i].text), &header, &error),
                         0);
        assert_silent(&error);
        if (header.size != headers[i].size || header.is_mime != headers[i].is_mime)
            fail_msg("%s: %zu, %d", headers[i].text, header.size, header.is_mime);
        guard_free(&guard);
    }
}

static void header_fields_are_found(void **state)
{
    static const char text[] = "content-type: Text/X-Shellscript (a comment); charset=\"UTF-8\"\n"
                               "Content-Type: text/plain\n"
                               "Content-Transfer-Encoding:\n Base64 \n"
                               "Content-Disposition: attachment; filename=a.sh\n"
                               "launch-index:  3\r\n"
                               "X-Merge-Type: list(append)\n"
                               "Merge-Type: second\n\n";
    AUTO_MIME_HEADER struct mime_header header = MIME_HEADER_INIT;
    struct error error = ERROR_INIT;

    (void)state;
    assert_int_equal(mime_header_read(text, strlen(text), &header, &error), 0);
    assert_string_equal(header.type, "text/x-shellscript");
    assert_string_equal(header.charset, "UTF-8");
    assert_string_equal(header.encoding, "base64");
    assert_string_equal(header.filename, "a.sh");
    assert_string_equal(header.launch_index, "3");
    assert_string_equal(header.merge_type, "list(append)");
    assert_null(header.boundary);
    assert_int_equal(header.size, strlen(text));
}

static void assert_transferred(const char *encoding, const char *text, const char *expected)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(1024);
    struct guard guard = guard_make(text, strlen(text));
    struct error error = ERROR_INIT;

    assert_int_equal(transfer_decode(guard.bytes, strlen(text), encoding, &out, &error),
                     expected ? 1 : 0);
    if (expected)
        assert_string_equal(buffer_text(&out), expected);
    assert_silent(&error);
    guard_free(&guard);
}

static void transfer_encodings(void **state)
{
    (void)state;
    assert_transferred(NULL, "=41", NULL);
    assert_transferred("7bit", "=41", NULL);
    assert_transferred("8bit", "=41", NULL);
    assert_transferred("binary", "=41", NULL);
    assert_transferred("quoted-printable", "a=3Db=3dc", "a=b=c");
    assert_transferred("quoted-printable", "a=\nb=\r\nc= \t\nd=", "abcd");
    assert_transferred("quoted-printable", "a=4", "a=4");
    assert_transferred("quoted-printable", "a=zz=4z ", "a=zz=4z ");
    assert_transferred("quoted-printable", "a = b", "a = b");
    assert_transferred("base64", "YQ==\n", "a");
}

static void assert_converted(const char *charset, const char *text, size_t size,
                             const char *expected)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(1 << 20);
    struct guard guard = guard_make(text, size);
    struct error error = ERROR_INIT;

    assert_int_equal(transfer_charset(guard.bytes, size, charset, &out, &error), expected ? 1 : 0);
    if (expected)
        assert_string_equal(buffer_text(&out), expected);
    guard_free(&guard);
}

static void charsets(void **state)
{
    (void)state;
    assert_converted(NULL, "\xfc", 1, NULL);
    assert_converted("utf-8", "\xfc", 1, NULL);
    assert_converted("US-ASCII", "\xfc", 1, NULL);
    assert_converted("latin1", "", 0, NULL);
    assert_converted("ISO-8859-1", "gr\xfcn", 4, "gr\xc3\xbcn");
    assert_converted("UTF-16BE", "\0a\x20\xac", 4, "a\xe2\x82\xac");
}

static void assert_charset_refused(const char *charset, const char *text, size_t size,
                                   size_t maximum, const char *words)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(maximum);
    struct error error = ERROR_INIT;

    assert_int_equal(transfer_charset(text, size, charset, &out, &error), -1);
    assert_int_equal(error.kind, ERROR_INPUT);
    assert_says(&error, words);
}

static void charsets_refused(void **state)
{
    char large[4096];

    (void)state;
    memset(large, 0xfc, sizeof large);
    assert_charset_refused("klingon", "a", 1, 64, "unknown charset");
    assert_charset_refused("latin1//IGNORE", "a", 1, 64, "unknown charset");
    assert_charset_refused("../latin1", "a", 1, 64, "unknown charset");
    assert_charset_refused("utf-16be", "\0\n\xd8\0\0a", 6, 64, "2: the text is not in the charset");
    assert_charset_refused("utf-16be", "\0a\0", 3, 64, "not in the charset");
    assert_charset_refused("latin1", large, sizeof large, 2 * sizeof large - 1, "larger than");
    AUTO_BUFFER struct buffer out = BUFFER_INIT(2 * sizeof large);
    struct error error = ERROR_INIT;
    assert_int_equal(transfer_charset(large, sizeof large, "latin1", &out, &error), 1);
    assert_int_equal(out.size, 2 * sizeof large);
}

/* The examples of FIPS 180-4's companion, and the lengths at which the padding changes. */
static void sha256_of_the_standard(void **state)
{
    static const struct {
        size_t count;
        const char *digest;
    } of_a[] = {
        {55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"},
        {56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"},
        {63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34"},
        {64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
        {65, "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0"},
        {1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
    };
    char text[SHA256_TEXT_MAX];

    (void)state;
    assert_string_equal(sha256_text("", 0, text),
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_string_equal(sha256_text("abc", 3, text),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    for (size_t i = 0; i < COUNT(of_a); i++) {
        AUTO_FREE char *bytes = memory_zeroed(of_a[i].count, 1);

        memset(bytes, 'a', of_a[i].count);
        assert_string_equal(sha256_text(bytes, of_a[i].count, text), of_a[i].digest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_of_the_standard),
        cmocka_unit_test(base64_that_is_none),
        cmocka_unit_test(gzip_fills_its_buffer_and_not_more),
        cmocka_unit_test(gzip_that_is_cut_off_anywhere_says_so),
        cmocka_unit_test(parameters_as_they_are_written),
        cmocka_unit_test(parameters_continued_and_encoded),
        cmocka_unit_test(header_ends_where_it_ends),
        cmocka_unit_test(header_fields_are_found),
        cmocka_unit_test(transfer_encodings),
        cmocka_unit_test(charsets),
        cmocka_unit_test(charsets_refused),
        cmocka_unit_test(sha256_of_the_standard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
