/* One attempt of a call as support/aws_client.h makes it: URL, headers, and what changes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/aws_client.h>

static const char *metadata(const struct bootlace_host *host, const char *path)
{
    (void)host;
    if (strcmp(path, "placement/region") == 0)
        return "eu-west-1";
    return strcmp(path, "services/domain") == 0 ? "example.org" : NULL;
}

static const struct bootlace_host host = {.size = sizeof host, .metadata = metadata};
static const struct aws_request in_site = {.service = &aws_s3, .bucket = "site", .path = "/a b"};

static int set_up(void **state)
{
    setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    setenv("HOME", "/nonexistent", 1);
    unsetenv("AWS_REGION");
    unsetenv("AWS_DEFAULT_REGION");
    unsetenv("AWS_ENDPOINT_URL");
    unsetenv("AWS_ENDPOINT_URL_S3");
    *state = aws_new(&host, NULL);
    return 0;
}

static int tear_down(void **state)
{
    aws_free(*state);
    return 0;
}

static bool has_line(const struct aws_call *call, const char *part)
{
    for (size_t i = 0; i < call->signed_request.count; i++) {
        if (strstr(call->signed_request.lines[i], part))
            return true;
    }
    return false;
}

static void clear(struct aws_call *call)
{
    aws_endpoint_clear(&call->endpoint);
    aws_signed_clear(&call->signed_request);
    free(call->url);
    free(call->why.bytes);
}

static void each_attempt_goes_where_the_bucket_is(void **state)
{
    struct aws_call call = {.aws = *state, .request = &in_site};

    assert_int_equal(aws_prepare(&call), 0);
    assert_string_equal(call.http.url, "https://site.s3.eu-west-1.example.org/a%20b");
    assert_true(has_line(&call, "Host: site.s3.eu-west-1.example.org"));
    assert_true(has_line(&call, "/eu-west-1/s3/aws4_request"));
    aws_remember_moved(*state, "site", "cn-north-1");
    assert_int_equal(aws_prepare(&call), 0);
    assert_string_equal(call.http.url, "https://site.s3.cn-north-1.amazonaws.com.cn/a%20b");
    assert_true(has_line(&call, "/cn-north-1/s3/aws4_request"));
    clear(&call);
}

static void what_moved_is_remembered_of_the_latest(void **state)
{
    char name[32];

    for (int i = 0; i < AWS_MOVED_MAX + 4; i++) {
        snprintf(name, sizeof name, "bucket-%d", i);
        aws_remember_moved(*state, name, "eu-west-2");
    }
    assert_null(aws_moved_to(*state, "bucket-3"));
    assert_string_equal(aws_moved_to(*state, "bucket-4"), "eu-west-2");
    aws_remember_moved(*state, "bucket-19", "eu-west-3");
    assert_string_equal(aws_moved_to(*state, "bucket-19"), "eu-west-3");
    assert_null(aws_moved_to(*state, NULL));
}

static void a_failure_has_no_url(void **state)
{
    const struct aws_pair bad[] = {{"X-A", "1\r\nX-B: 2"}, {NULL, NULL}};
    struct aws_request request = in_site;
    struct aws_call call = {.aws = *state, .request = &request};

    assert_int_equal(aws_prepare(&call), 0);
    request.headers = bad;
    assert_int_equal(aws_prepare(&call), -EINVAL);
    assert_null(call.http.url);
    assert_string_equal(text_string(&call.why), "its header X-A is none");
    clear(&call);
}

static void the_services_time_counts(void **state)
{
    struct aws *aws = *state;
    time_t now = time(NULL);

    assert_in_range(aws_now(aws), now, now + 5);
    aws->skew_s = -86400;
    assert_in_range(aws_now(aws), now - 86400, now - 86400 + 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_attempt_goes_where_the_bucket_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_moved_is_remembered_of_the_latest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failure_has_no_url, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_services_time_counts, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
