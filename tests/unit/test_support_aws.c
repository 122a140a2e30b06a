/*
 * Pure parts of the AWS client: the shared files' profiles, a role's answer, what services say when
 * they refuse, and what is encoded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <support/aws_credentials.h>
#include <support/aws_error.h>
#include <support/aws_profile.h>
#include <support/aws_sign.h>

static const char file[] = "stray = 1\n"
                           "[default]\r\n"
                           "aws_access_key_id = ONE\r\n"
                           "# aws_access_key_id = TWO\n"
                           "empty =\n"
                           "  nested = inner\n"
                           "\tother\t=\tvalue of it \t\n"
                           "AWS_Secret_Access_Key=a=b;c#d\n"
                           "no value here\n"
                           "[ profile  two words ]\n"
                           "key = 1\n"
                           "key = 2\n"
                           "[profile unfinished\n"
                           "key = 3\n"
                           "[last]\n"
                           "key = 4";

static void assert_value(const char *section, const char *key, const char *expected)
{
    char *value = aws_profile_lookup(file, strlen(file), section, key);

    if (expected)
        assert_string_equal(value, expected);
    else
        assert_null(value);
    free(value);
}

static void profiles(void **state)
{
    (void)state;
    assert_value("default", "aws_access_key_id", "ONE");
    assert_value("default", "aws_secret_access_key", "a=b;c#d");
    assert_value("default", "empty", NULL);
    assert_value("default", "empty.nested", "inner");
    assert_value("default", "EMPTY.other", "value of it");
    assert_value("default", "nested", NULL);
    assert_value("default", "stray", NULL);
    assert_value("profile two words", "key", "2");
    assert_value("profile two", "key", NULL);
    assert_value("last", "key", "4");
    assert_value("las", "key", NULL);
    assert_value("laster", "key", NULL);
    assert_true(aws_profile_has(file, strlen(file), "last"));
    assert_false(aws_profile_has(file, strlen(file), "profile unfinished"));
}

static void assert_role(const char *json, const char *words)
{
    struct aws_credentials credentials = {0};
    struct text why = {0};

    assert_int_equal(aws_credentials_read_role(json, "r", &credentials, &why), -ENOKEY);
    assert_null(credentials.key_id);
    assert_non_null(strstr(text_string(&why), words));
    free(why.bytes);
}

static void a_role_s_answer(void **state)
{
    static const char good[] = "{\"Code\":\"Success\",\"AccessKeyId\":\"A\",\"SecretAccessKey\":"
                               "\"S\",\"Token\":\"T\",\"Expiration\":\"2026-11-22T16:30:02Z\"}";
    struct aws_credentials credentials = {0};
    struct text why = {0};

    (void)state;
    assert_int_equal(aws_credentials_read_role(good, "web", &credentials, &why), 0);
    assert_string_equal(credentials.key_id, "A");
    assert_string_equal(credentials.secret, "S");
    assert_string_equal(credentials.token, "T");
    assert_string_equal(credentials.origin, "the instance's role web");
    assert_int_equal(credentials.ends, 1795365002);
    assert_false(aws_credentials_end_soon(&credentials, credentials.ends - AWS_RENEW_BEFORE_S));
    assert_true(aws_credentials_end_soon(&credentials, credentials.ends - AWS_RENEW_BEFORE_S + 1));
    aws_credentials_forget(&credentials);
    assert_null(credentials.secret);
    assert_role("", "cannot be read");
    assert_role("[]", "cannot be read");
    assert_role("{\"AccessKeyId\":1,\"SecretAccessKey\":\"S\"}", "cannot be read");
    assert_role("{\"Code\":\"Failed\",\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\"}", "Failed");
}

static void credentials_without_an_end_last(void **state)
{
    struct aws_credentials credentials = {.can_be_renewed = true};

    (void)state;
    assert_false(aws_credentials_end_soon(&credentials, 1 << 30));
    credentials = (struct aws_credentials){.ends = 1};
    assert_false(aws_credentials_end_soon(&credentials, 1 << 30));
}

static void assert_error(const char *header, const char *body, const char *code,
                         const char *message)
{
    struct http_answer answer = {0};
    struct aws_error error;

    if (header) {
        text_add_string(&answer.headers, "x-amzn-ErrorType");
        text_add(&answer.headers, "", 1);
        text_add(&answer.headers, header, strlen(header) + 1);
    }
    text_add_string(&answer.body, body);
    assert_int_equal(aws_error_read(&answer, &error), *code != '\0');
    assert_string_equal(error.code, code);
    assert_string_equal(error.message, message);
    http_answer_clear(&answer);
}

static void errors_of_every_protocol(void **state)
{
    (void)state;
    assert_error(NULL, "<Error><Code>NoSuchKey</Code><Message>m</Message></Error>", "NoSuchKey",
                 "m");
    assert_error(NULL,
                 "\n<ErrorResponse xmlns='urn:x'><Error><Type>Sender</Type><Code>Throttling</Code>"
                 "<Message>slow\n  down</Message></Error></ErrorResponse>",
                 "Throttling", "slow down");
    assert_error(NULL,
                 "<Response><Errors><Error><Code>InvalidID.NotFound</Code></Error></Errors>"
                 "</Response>",
                 "InvalidID.NotFound", "");
    assert_error(NULL,
                 "<InvalidChangeBatch><Messages><Message>one</Message><Message>two</Message>"
                 "</Messages></InvalidChangeBatch>",
                 "InvalidChangeBatch", "one");
    assert_error(NULL, "{\"__type\":\"com.amazonaws.ssm#ParameterNotFound\",\"message\":\"m\"}",
                 "ParameterNotFound", "m");
    assert_error(NULL, "{\"__type\":\"X\",\"Message\":\"m\"}", "X", "m");
    assert_error("Y:http://internal.amazon.com/", "{\"__type\":\"X\"}", "Y", "");
    assert_error(NULL, "<Error>", "", "");
    assert_error(NULL, "{\"__type\":7}", "", "");
    assert_error(NULL, "", "", "");
}

static void every_code_is_of_one_kind(void **state)
{
    (void)state;
    assert_int_equal(aws_error_result("AccessDenied", 400), -EACCES);
    assert_int_equal(aws_error_result("", 403), -EACCES);
    assert_int_equal(aws_error_result("ExpiredToken", 403), -EKEYEXPIRED);
    assert_int_equal(aws_error_result("SlowDown", 400), -EAGAIN);
    assert_int_equal(aws_error_result("", 503), -EAGAIN);
    assert_int_equal(aws_error_result("Whatever", 404), -ENOENT);
    assert_int_equal(aws_error_result("Whatever", 400), -EINVAL);
    assert_int_equal(aws_error_result("", 301), -EIO);
    assert_true(aws_error_is_transient("ThrottlingException"));
    assert_false(aws_error_is_transient(""));
    assert_true(aws_error_is_expired("ExpiredTokenException"));
    assert_string_equal(aws_error_advice("NoSuchThing", 400), "");
}

static void encoding(void **state)
{
    static const char bytes[] = "aZ09-._~ /+%\xc3\xa4\0!";
    struct text text = {0};

    (void)state;
    aws_encode(&text, bytes, sizeof bytes - 1, "");
    assert_string_equal(text_string(&text), "aZ09-._~%20%2F%2B%25%C3%A4%00%21");
    text.size = 0;
    aws_encode(&text, "a/b", 3, "/");
    assert_string_equal(text_string(&text), "a/b");
    free(text.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profiles),
        cmocka_unit_test(a_role_s_answer),
        cmocka_unit_test(credentials_without_an_end_last),
        cmocka_unit_test(errors_of_every_protocol),
        cmocka_unit_test(every_code_is_of_one_kind),
        cmocka_unit_test(encoding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
