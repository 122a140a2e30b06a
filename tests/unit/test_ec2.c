/* The EC2 source by a scripted service: what it asks, in which order, and what it makes of it. */
#include "ec2_script.h"

#include "base/banned.h"

static const char full_document[] =
    "{\"accountId\":\"123456789012\",\"architecture\":\"x86_64\",\"availabilityZone\":"
    "\"eu-west-1b\",\"billingProducts\":null,\"imageId\":\"ami-01\",\"instanceId\":\"" ID
    "\",\"instanceType\":\"t3.micro\",\"kernelId\":null,\"privateIp\":\"10.0.0.5\","
    "\"region\":\"eu-west-1\",\"version\":\"2017-09-30\"}";

static void first_boot_takes_five_requests(void **state)
{
    static const struct exchange exchanges[] = {
        PUT(200, "TOKEN=="),
        GET(DOCUMENT, "TOKEN==", 200, full_document),
        GET(USER_DATA, "TOKEN==", 200, "#!/bin/sh\n"),
        GET("/latest/meta-data/hostname", "TOKEN==", 200, "ip-10-0-0-5"),
        GET("/latest/meta-data/public-ipv4", "TOKEN==", 404, XHTML),
    };
    struct settings settings = script_settings();
    struct source source = SCRIPT(&settings, exchanges);
    struct error error = ERROR_INIT;
    AUTO_BUFFER struct buffer out = BUFFER_INIT(SOURCE_USER_DATA_MAX);

    (void)state;
    script_identifies(&source);
    assert_string_equal(script.url, "http://metadata.test:8080" DOCUMENT);
    assert_int_equal(script.requests, 2);
    assert_int_equal(source_user_data(&source, &out, &error), 1);
    assert_string_equal(buffer_text(&out), "#!/bin/sh\n");
    assert_int_equal(source_item(&source, "hostname", &out, &error), 1);
    assert_string_equal(buffer_text(&out), "ip-10-0-0-5");
    assert_int_equal(source_item(&source, "public-ipv4", &out, &error), 0);
    assert_string_equal(buffer_text(&out), "");
    assert_int_equal(script.requests, 5);
    assert_int_equal(script.sleeps, 0);
    script_end(&source);
}

static void remember(const char *path, const char *value, void *context)
{
    buffer_format(context, "%s=%s;", path, value);
}

static void document_tells_six_items(void **state)
{
    static const struct exchange exchanges[] = {PUT(200, "T"),
                                                GET(DOCUMENT, "T", 200, full_document)};
    struct settings settings = script_settings();
    struct source source = SCRIPT(&settings, exchanges);
    AUTO_BUFFER struct buffer told = BUFFER_INIT(4096);

    (void)state;
    source_known(&source, remember, &told);
    assert_string_equal(buffer_text(&told), "");
    script_identifies(&source);
    source_known(&source, remember, &told);
    assert_string_equal(buffer_text(&told),
                        "instance-id=" ID ";placement/region=eu-west-1;"
                        "placement/availability-zone=eu-west-1b;local-ipv4=10.0.0.5;"
                        "ami-id=ami-01;instance-type=t3.micro;");
    script_end(&source);
}

static void document_with_odd_values_tells_only_good_ones(void **state)
{
    static const struct exchange exchanges[] = {
        PUT(200, "T"),
        GET(DOCUMENT, "T", 200,
            "{\"instanceId\":\"" ID "\",\"region\":\"a\\nb\",\"privateIp\":17,\"imageId\":null}")};
    struct settings settings = script_settings();
    struct source source = SCRIPT(&settings, exchanges);
    AUTO_BUFFER struct buffer told = BUFFER_INIT(4096);

    (void)state;
    script_identifies(&source);
    source_known(&source, remember, &told);
    assert_string_equal(buffer_text(&told), "instance-id=" ID ";");
    script_end(&source);
}

/* Where the document is not there or of no use, the id alone is asked for. */
static void unusable_document_falls_back_to_instance_id(void **state)
{
    static const struct {
        int status;
        const char *body;
    } documents[] = {
        {404, XHTML},
        {200, XHTML},
        {200, ""},
        {200, "[]"},
        {200, "\"i-1\""},
        {200, "{\"region\":\"eu-west-1\"}"},
        {200, "{\"instanceId\":\"../../etc\"}"},
        {200, "{\"instanceId\":{\"a\":1}}"},
        {200, "{\"instanceId\":\"i-1\",\"instanceId\":\"i-2\"}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        struct exchange exchanges[] = {PUT(200, "T"),
                                       GET(DOCUMENT, "T", documents[i].status, documents[i].body),
                                       GET(INSTANCE_ID, "T", 200, ID)};
        struct settings settings = script_settings();
        struct source source = SCRIPT(&settings, exchanges);
        AUTO_BUFFER struct buffer told = BUFFER_INIT(4096);

        script_identifies(&source);
        source_known(&source, remember, &told);
        assert_string_equal(buffer_text(&told), "instance-id=" ID ";");
        script_end(&source);
    }
}

static void id_that_cannot_be_one_is_refused(void **state)
{
    static const char long_id[] = "i-0123456789012345678901234567890123456789"
                                  "0123456789012345678901234567890123456789";
    static const char *const ids[] = {"", "../x", ".hidden", "i 1", "i/1", "i-1\n", XHTML, long_id};

    (void)state;
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct exchange exchanges[] = {PUT(200, "T"), GET(DOCUMENT, "T", 404, XHTML),
                                       GET(INSTANCE_ID, "T", 200, ids[i])};
        struct settings settings = script_settings();
        struct source source = SCRIPT(&settings, exchanges);
        struct error error = script_fails(&source);

        assert_int_equal(error.kind, ERROR_SOURCE);
        assert_says(&error, "instance's id cannot be one");
        script_end(&source);
    }
}

static void id_with_a_nul_is_refused(void **state)
{
    static const struct exchange exchanges[] = {PUT(200, "T"),
                                                GET(DOCUMENT, "T", 404, XHTML),
                                                {.method = "GET",
                                                 .path = INSTANCE_ID,
                                                 .token = "T",
                                                 .status = 200,
                                                 .body = "i-1\0x",
                                                 .size = 5}};
    struct settings settings = script_settings();
    struct source source = SCRIPT(&settings, exchanges);
    struct error error = script_fails(&source);

    (void)state;
    assert_says(&error, "cannot be one");
    script_end(&source);
}

static void no_id_at_all_is_an_error(void **state)
{
    static const struct exchange exchanges[] = {PUT(200, "T"), GET(DOCUMENT, "T", 404, XHTML),
                                                GET(INSTANCE_ID, "T", 404, XHTML)};
    struct settings settings = script_settings();
    struct source source = SCRIPT(&settings, exchanges);
    struct error error = script_fails(&source);

    (void)state;
    assert_int_equal(error.kind, ERROR_SOURCE);
    assert_says(&error, "knows no id");
    script_end(&source);
}

static void user_data_keeps_every_byte(void **state)
{
    static char bytes[16384];
    struct exchange exchanges[] = {PUT(200, "T"),
                                   GET(DOCUMENT, "T", 200, IDENTITY),
                                   {.method = "GET",
                                    .path = USER_DATA,
                                    .token = "T",
                                    .status = 200,
                                    .body = bytes,
                                    .size = sizeof bytes}};
    struct settings settings = script_settings();
    struct source source = SCRIPT(&settings, exchanges);
    struct error error = ERROR_INIT;
    AUTO_BUFFER struct buffer out = BUFFER_INIT(SOURCE_USER_DATA_MAX);

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 31);
    script_identifies(&source);
    assert_int_equal(source_user_data(&source, &out, &error), 1);
    assert_int_equal(out.size, sizeof bytes);
    assert_memory_equal(out.bytes, bytes, sizeof bytes);
    assert_int_equal(out.maximum, SOURCE_USER_DATA_MAX);
    script_end(&source);
}

static void no_user_data_is_none(void **state)
{
    static const struct exchange exchanges[] = {PUT(200, "T"), GET(DOCUMENT, "T", 200, IDENTITY),
                                                GET(USER_DATA, "T", 404, XHTML),
                                                GET(USER_DATA, "T", 200, "")};
    struct settings settings = script_settings();
    struct source source = SCRIPT(&settings, exchanges);
    struct error error = ERROR_INIT;
    AUTO_BUFFER struct buffer out = BUFFER_INIT(SOURCE_USER_DATA_MAX);

    (void)state;
    script_identifies(&source);
    buffer_append_text(&out, "left over");
    assert_int_equal(source_user_data(&source, &out, &error), 0);
    assert_int_equal(out.size, 0);
    assert_int_equal(source_user_data(&source, &out, &error), 0);
    assert_int_equal(out.size, 0);
    assert_int_equal(error.kind, ERROR_NONE);
    script_end(&source);
}

static void what_is_too_large_is_refused_with_its_limit(void **state)
{
    static char large[EC2_USER_DATA_MAX + 1];
    struct exchange exchanges[] = {
        PUT(200, "T"),
        GET(DOCUMENT, "T", 200, IDENTITY),
        {.method = "GET",
         .path = "/latest/meta-data/a",
         .token = "T",
         .status = 200,
         .body = large,
         .size = SOURCE_ITEM_MAX},
        {.method = "GET",
         .path = "/latest/meta-data/a",
         .token = "T",
         .status = 200,
         .body = large,
         .size = SOURCE_ITEM_MAX + 1},
        {.method = "GET",
         .path = USER_DATA,
         .token = "T",
         .status = 200,
         .body = large,
         .size = EC2_USER_DATA_MAX},
        {.method = "GET",
         .path = USER_DATA,
         .token = "T",
         .status = 200,
         .body = large,
         .size = EC2_USER_DATA_MAX + 1},
    };
    struct settings settings = script_settings();
    struct source source = SCRIPT(&settings, exchanges);
    struct error error = ERROR_INIT;
    AUTO_BUFFER struct buffer out = BUFFER_INIT(SOURCE_USER_DATA_MAX);

    (void)state;
    script_identifies(&source);
    assert_int_equal(source_item(&source, "a", &out, &error), 1);
    assert_int_equal(out.size, SOURCE_ITEM_MAX);
    assert_int_equal(source_item(&source, "a", &out, &error), -1);
    assert_says(&error, "larger than the limit of 65536 bytes");
    assert_int_equal(out.size, 0);
    assert_int_equal(source_user_data(&source, &out, &error), 1);
    assert_int_equal(out.size, EC2_USER_DATA_MAX);
    assert_int_equal(source_user_data(&source, &out, &error), -1);
    assert_says(&error, "user-data");
    assert_says(&error, "larger than the limit of 4194304 bytes");
    script_end(&source);
}

static void item_paths_become_urls(void **state)
{
    static const struct {
        const char *path, *url;
    } items[] = {
        {"placement/region", "/latest/meta-data/placement/region"},
        {"/hostname", "/latest/meta-data/hostname"},
        {"", "/latest/meta-data/"},
        {"/", "/latest/meta-data/"},
        {"public-keys/", "/latest/meta-data/public-keys/"},
        {"dynamic/instance-identity/pkcs7", "/latest/dynamic/instance-identity/pkcs7"},
        {"dynamic/", "/latest/dynamic/"},
        {"dynamics", "/latest/meta-data/dynamics"},
        {"tags/instance/a..b", "/latest/meta-data/tags/instance/a..b"},
        {"tags/instance/a=b@c+d:e", "/latest/meta-data/tags/instance/a=b@c+d:e"},
        {"tags/instance/\xc3\xa4%\"<", "/latest/meta-data/tags/instance/%C3%A4%25%22%3C"},
        {"a\\b", "/latest/meta-data/a%5Cb"},
    };
    struct settings settings = script_settings();
    struct error error = ERROR_INIT;
    AUTO_BUFFER struct buffer out = BUFFER_INIT(SOURCE_ITEM_MAX);

    (void)state;
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
        struct exchange exchanges[] = {PUT(200, "T"), GET(items[i].url, "T", 200, "value")};
        struct source source = SCRIPT(&settings, exchanges);

        assert_int_equal(source_item(&source, items[i].path, &out, &error), 1);
        assert_string_equal(buffer_text(&out), "value");
        script_end(&source);
    }
}

static void item_paths_that_lead_away_are_refused(void **state)
{
    static const char *const paths[] = {
        "..",   "../user-data", "a/../b", "a/..", "a/./b", "dynamic/../user-data",
        "a b",  "a\nb",         "a?b",    "a#b",  "a\tb",  "a\x7f",
        "\x01", "/.."};
    static const struct exchange none[1];
    static char long_path[EC2_PATH_MAX + 2];
    struct settings settings = script_settings();
    struct source source = script_source(&settings, none, 0, SIZE_MAX);
    AUTO_BUFFER struct buffer out = BUFFER_INIT(SOURCE_ITEM_MAX);
    struct error error = ERROR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        error_clear(&error);
        assert_int_equal(source_item(&source, paths[i], &out, &error), -1);
        assert_int_equal(error.kind, ERROR_USAGE);
    }
    memset(long_path, 'a', sizeof long_path - 1);
    assert_int_equal(source_item(&source, long_path, &out, &error), -1);
    assert_int_equal(script.requests, 0);
    script_end(&source);
}

/* The longest path of which every byte is encoded, below the longest endpoint. */
static void longest_item_path_fits(void **state)
{
    static char path[EC2_PATH_MAX + 1], url[EC2_URL_MAX];
    struct exchange exchanges[] = {PUT(200, "T"), GET(url, "T", 200, "value")};
    struct settings settings = script_settings();
    struct source source;
    struct error error = ERROR_INIT;
    AUTO_BUFFER struct buffer out = BUFFER_INIT(SOURCE_ITEM_MAX);
    size_t used = (size_t)snprintf(settings.endpoint, sizeof settings.endpoint, "http://host/");

    (void)state;
    memset(settings.endpoint + used, 'e', sizeof settings.endpoint - used - 1);
    memset(path, '%', EC2_PATH_MAX);
    snprintf(url, sizeof url, "/latest/meta-data/");
    for (size_t i = 0; i < EC2_PATH_MAX; i++)
        memcpy(url + 18 + 3 * i, "%25", 4);
    source = SCRIPT(&settings, exchanges);
    assert_int_equal(source_item(&source, path, &out, &error), 1);
    script_end(&source);
}

static void endpoints(void **state)
{
    static const struct {
        const char *url;
        bool ipv6;
        const char *base, *host;
        bool literal;
    } good[] = {
        {"", false, "http://169.254.169.254", "169.254.169.254", true},
        {"", true, "http://[fd00:ec2::254]", "fd00:ec2::254", true},
        {"http://127.0.0.1:8080/", true, "http://127.0.0.1:8080", "127.0.0.1", true},
        {"http://[::1]:65535", false, "http://[::1]:65535", "::1", true},
        {"http://[::1]//", false, "http://[::1]", "::1", true},
        {"HTTP://imds.internal/base/", false, "HTTP://imds.internal/base", "imds.internal", false},
    };
    static const char *const bad[] = {"https://169.254.169.254",
                                      "169.254.169.254",
                                      "ftp://a",
                                      "http://",
                                      "http:///latest",
                                      "http://:80",
                                      "http://a:",
                                      "http://a:0",
                                      "http://a:65536",
                                      "http://a:123456",
                                      "http://a:8x",
                                      "http://[::1",
                                      "http://[]",
                                      "http://[::1]x",
                                      "http://a b",
                                      "http://user@a",
                                      "http://a/?q",
                                      "http://a/#f",
                                      "http://a\r\nX: y",
                                      "file:///etc/passwd"};
    struct settings settings = script_settings();
    struct ec2_endpoint endpoint;
    struct error error = ERROR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        snprintf(settings.endpoint, sizeof settings.endpoint, "%s", good[i].url);
        settings.ipv6 = good[i].ipv6;
        assert_int_equal(ec2_endpoint_init(&endpoint, &settings, &error), 0);
        assert_string_equal(endpoint.base, good[i].base);
        assert_string_equal(endpoint.host, good[i].host);
        assert_int_equal(endpoint.literal, good[i].literal);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(settings.endpoint, sizeof settings.endpoint, "%s", bad[i]);
        error_clear(&error);
        if (ec2_endpoint_init(&endpoint, &settings, &error) == 0)
            fail_msg("\"%s\" is taken for an endpoint", bad[i]);
        assert_int_equal(error.kind, ERROR_INPUT);
    }
}

static void bad_endpoint_opens_nothing(void **state)
{
    struct settings settings = script_settings();
    struct error error = ERROR_INIT;
    void *opened = NULL;

    (void)state;
    snprintf(settings.endpoint, sizeof settings.endpoint, "https://169.254.169.254");
    assert_int_equal(ec2_open_with(&settings, &script_transport, &script_clock, &opened, &error),
                     -1);
    assert_null(opened);
}

/* The wait is the boot's: what it left is not given out again, but a little always is. */
static void later_requests_share_the_wait(void **state)
{
    static const struct exchange exchanges[] = {PUT(200, "T"), GET(DOCUMENT, "T", 200, IDENTITY),
                                                GET(USER_DATA, "T", 503, XHTML)};
    struct settings settings = script_settings();
    struct source source = SCRIPT_LOOP(&settings, exchanges, 2);
    struct error error = ERROR_INIT;
    AUTO_BUFFER struct buffer out = BUFFER_INIT(SOURCE_USER_DATA_MAX);
    int64_t opened = script.now;

    (void)state;
    script_identifies(&source);
    assert_int_equal(source_user_data(&source, &out, &error), -1);
    assert_in_range(script.now - opened, 9000, 10000);
    script.now = opened + 60000;
    assert_int_equal(source_user_data(&source, &out, &error), -1);
    assert_in_range(script.now - opened, 60000 + 4000, 60000 + EC2_REST_MS);
    source_close(&source);
}

static void identification_has_one_limit_for_all(void **state)
{
    static const struct exchange exchanges[] = {
        PUT(200, "T"),
        {.method = "GET", .path = DOCUMENT, .token = "T", .status = 404, .takes = 900},
        GET_FAILS(INSTANCE_ID, "T", HTTP_SILENT, 1000)};
    struct settings settings = script_settings();
    struct source source;
    int64_t opened;

    (void)state;
    settings.wait_ms = 3000;
    source = SCRIPT_LOOP(&settings, exchanges, 2);
    opened = script.now;
    script_fails(&source);
    assert_in_range(script.now - opened, 2900, 3000);
    source_close(&source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_boot_takes_five_requests),
        cmocka_unit_test(document_tells_six_items),
        cmocka_unit_test(document_with_odd_values_tells_only_good_ones),
        cmocka_unit_test(unusable_document_falls_back_to_instance_id),
        cmocka_unit_test(id_that_cannot_be_one_is_refused),
        cmocka_unit_test(id_with_a_nul_is_refused),
        cmocka_unit_test(no_id_at_all_is_an_error),
        cmocka_unit_test(user_data_keeps_every_byte),
        cmocka_unit_test(no_user_data_is_none),
        cmocka_unit_test(what_is_too_large_is_refused_with_its_limit),
        cmocka_unit_test(item_paths_become_urls),
        cmocka_unit_test(item_paths_that_lead_away_are_refused),
        cmocka_unit_test(longest_item_path_fits),
        cmocka_unit_test(endpoints),
        cmocka_unit_test(bad_endpoint_opens_nothing),
        cmocka_unit_test(later_requests_share_the_wait),
        cmocka_unit_test(identification_has_one_limit_for_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
