/* modules/support/retry.h: which failures are tried again, how often, and after how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include <string.h>
#include <support/retry.h>
#include <time.h>

enum { ROUNDS = 2000, MS_PER_S = 1000 };

static struct http_answer answer_of(int result, int status, unsigned attempts)
{
    return (struct http_answer){.result = result, .status = status, .attempts = attempts};
}

static void waits_are_random_up_to_their_limit(void **state)
{
    static const int most[] = {0, 500, 1000, 2000, 4000, 8000, 16000, 20000, 20000};

    (void)state;
    for (unsigned n = 1; n < sizeof most / sizeof *most; n++) {
        int least_seen = most[n], most_seen = 0;

        for (int i = 0; i < ROUNDS; i++) {
            int wait = retry_wait_ms(n);

            assert_in_range(wait, 0, most[n]);
            least_seen = wait < least_seen ? wait : least_seen;
            most_seen = wait > most_seen ? wait : most_seen;
        }
        assert_true(least_seen < most[n] / 20);
        assert_true(most_seen > most[n] - most[n] / 20);
    }
    assert_in_range(retry_wait_ms(UINT32_MAX), 0, RETRY_WAIT_MAX_MS);
}

static void what_is_transient(void **state)
{
    static const int statuses[] = {408, 429, 500, 502, 503, 504};
    static const int others[] = {200, 304, 400, 401, 403, 404, 409, 412, 501, 505};
    static const int results[] = {EHOSTUNREACH, ENETUNREACH, ECONNREFUSED, ETIMEDOUT, ECONNRESET};
    static const int final[] = {EPROTO, EFBIG, EINVAL, ENOSPC, ECANCELED, EACCES};
    struct http_answer answer;

    (void)state;
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        answer = answer_of(0, statuses[i], 1);
        assert_true(retry_is_transient(&answer));
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        answer = answer_of(0, others[i], 1);
        assert_false(retry_is_transient(&answer));
    }
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
        answer = answer_of(-results[i], 0, 1);
        assert_true(retry_is_transient(&answer));
    }
    for (size_t i = 0; i < sizeof final / sizeof *final; i++) {
        answer = answer_of(-final[i], 0, 1);
        assert_false(retry_is_transient(&answer));
        assert_int_equal(retry_next_ms(&answer, 5), -1);
    }
}

static void attempts_are_counted(void **state)
{
    struct http_answer answer = answer_of(0, 503, 2);

    (void)state;
    assert_true(retry_next_ms(&answer, 3) >= 0);
    assert_int_equal(retry_next_ms(&answer, 2), -1);
    assert_int_equal(retry_next_ms(&answer, 1), -1);
    assert_int_equal(retry_next_ms(&answer, 0), -1);
}

static void the_network_is_given_time_to_come_up(void **state)
{
    struct http_answer answer = answer_of(-EHOSTUNREACH, 0, 100);

    (void)state;
    answer.elapsed_ms = RETRY_NETWORK_S * MS_PER_S - 1;
    assert_in_range(retry_next_ms(&answer, 2), 0, 2 * RETRY_FIRST_MS);
    assert_int_equal(retry_next_ms(&answer, 1), -1);
    answer.elapsed_ms = RETRY_NETWORK_S * MS_PER_S;
    assert_int_equal(retry_next_ms(&answer, 2), -1);
    answer.result = -ECONNREFUSED;
    answer.elapsed_ms = 0;
    assert_int_equal(retry_next_ms(&answer, 2), -1);
}

static int asked_for(const char *value)
{
    struct http_answer answer = answer_of(0, 503, 1);
    int wait;

    text_add(&answer.headers, "retry-after", sizeof "retry-after");
    text_add(&answer.headers, value, strlen(value) + 1);
    wait = retry_after_ms(&answer);
    http_answer_clear(&answer);
    return wait;
}

static void retry_after(void **state)
{
    char date[64];
    time_t soon = time(NULL) + 30;
    struct http_answer none = answer_of(0, 503, 1);

    (void)state;
    assert_int_equal(asked_for("7"), 7000);
    assert_int_equal(asked_for("0"), 0);
    assert_int_equal(asked_for("-5"), 0);
    assert_int_equal(asked_for(""), 0);
    assert_int_equal(asked_for("soon"), 0);
    assert_int_equal(asked_for("3600"), RETRY_AFTER_MAX_S * MS_PER_S);
    assert_int_equal(asked_for("99999999999999999999"), RETRY_AFTER_MAX_S * MS_PER_S);
    assert_true(strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime(&soon)) > 0);
    assert_in_range(asked_for(date), 20000, 30000);
    assert_int_equal(asked_for("Sun, 06 Nov 1994 08:49:37 GMT"), 0);
    assert_int_equal(retry_after_ms(&none), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_are_random_up_to_their_limit),
        cmocka_unit_test(what_is_transient),
        cmocka_unit_test(attempts_are_counted),
        cmocka_unit_test(the_network_is_given_time_to_come_up),
        cmocka_unit_test(retry_after),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
