/* The metadata service's status table, row by row, and every kind of silence. */
#include "ec2_script.h"

#include "base/banned.h"

static void unauthorized_renews_the_token_once(void **state)
{
    static const struct exchange exchanges[] = {PUT(200, "FIRST"),
                                                GET(DOCUMENT, "FIRST", 401, XHTML),
                                                PUT(200, "SECOND"),
                                                GET(DOCUMENT, "SECOND", 200, IDENTITY),
                                                GET(USER_DATA, "SECOND", 401, XHTML),
                                                PUT(200, "THIRD"),
                                                GET(USER_DATA, "THIRD", 200, "data")};
    struct settings settings = script_settings();
    struct source source = SCRIPT(&settings, exchanges);
    struct error error = ERROR_INIT;
    AUTO_BUFFER struct buffer out = BUFFER_INIT(SOURCE_USER_DATA_MAX);

    (void)state;
    script_identifies(&source);
    assert_int_equal(source_user_data(&source, &out, &error), 1);
    assert_string_equal(buffer_text(&out), "data");
    assert_int_equal(script.sleeps, 0);
    script_end(&source);
}

static void unauthorized_twice_is_final(void **state)
{
    static const struct exchange exchanges[] = {
        PUT(200, "FIRST"), GET(DOCUMENT, "FIRST", 401, XHTML), PUT(200, "SECOND"),
        GET(DOCUMENT, "SECOND", 401, XHTML)};
    struct settings settings = script_settings();
    struct source source = SCRIPT(&settings, exchanges);
    struct error error = script_fails(&source);

    (void)state;
    assert_int_equal(error.kind, ERROR_SOURCE);
    assert_says(&error, "refused the token that it had just given (401)");
    script_end(&source);
}

/* Statuses that no second try makes better: one GET, no pause, and words that name them. */
static void final_statuses_of_a_get(void **state)
{
    static const struct {
        int status;
        const char *words;
    } rows[] = {{400, "400"},
                {403, "does not allow it (403)"},
                {405, "405"},
                {410, "410"},
                {204, "204"},
                {206, "206"},
                {300, "redirect (300)"},
                {301, "redirect (301)"},
                {302, "redirect (302)"},
                {307, "redirect (307)"},
                {308, "redirect (308)"},
                {304, "redirect (304)"}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct exchange exchanges[] = {PUT(200, "T"), GET(DOCUMENT, "T", rows[i].status, IDENTITY)};
        struct settings settings = script_settings();
        struct source source = SCRIPT(&settings, exchanges);
        struct error error = script_fails(&source);

        assert_int_equal(error.kind, ERROR_SOURCE);
        assert_says(&error, rows[i].words);
        assert_says(&error, "metadata.test");
        assert_int_equal(script.sleeps, 0);
        script_end(&source);
    }
}

static void final_statuses_of_the_put(void **state)
{
    static const struct {
        int status;
        enum error_kind kind;
        const char *words;
    } rows[] = {{400, ERROR_INTERNAL, "a bug of bootlace"},
                {401, ERROR_SOURCE, "refuses to give a token (401)"},
                {403, ERROR_SOURCE, "does not allow it (403)"},
                {302, ERROR_SOURCE, "redirect (302)"},
                {307, ERROR_SOURCE, "redirect (307)"},
                {204, ERROR_SOURCE, "204"},
                {418, ERROR_SOURCE, "418"}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct exchange exchanges[] = {PUT(rows[i].status, "T")};
        struct settings settings = script_settings();
        struct source source = SCRIPT(&settings, exchanges);
        struct error error = script_fails(&source);

        assert_int_equal(error.kind, rows[i].kind);
        assert_says(&error, rows[i].words);
        script_end(&source);
    }
}

static void error_bodies_are_never_data(void **state)
{
    static const int statuses[] = {400, 403, 404, 302, 204};
    struct settings settings = script_settings();

    (void)state;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        struct exchange exchanges[] = {PUT(200, "T"), GET(DOCUMENT, "T", 200, IDENTITY),
                                       GET(USER_DATA, "T", statuses[i], XHTML)};
        struct source source = SCRIPT(&settings, exchanges);
        struct error error = ERROR_INIT;
        AUTO_BUFFER struct buffer out = BUFFER_INIT(SOURCE_USER_DATA_MAX);

        script_identifies(&source);
        assert_int_equal(source_user_data(&source, &out, &error), statuses[i] == 404 ? 0 : -1);
        assert_int_equal(out.size, 0);
        script_end(&source);
    }
}

static void busy_services_are_asked_again(void **state)
{
    static const int statuses[] = {429, 503, 500, 502, 504, 599};

    (void)state;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        struct exchange exchanges[] = {PUT(statuses[i], XHTML),
                                       PUT(statuses[i], XHTML),
                                       PUT(200, "T"),
                                       GET(DOCUMENT, "T", statuses[i], XHTML),
                                       GET(DOCUMENT, "T", statuses[i], XHTML),
                                       GET(DOCUMENT, "T", 200, IDENTITY)};
        struct settings settings = script_settings();
        struct source source = SCRIPT(&settings, exchanges);

        script_identifies(&source);
        assert_int_equal(script.sleeps, 4);
        assert_in_range(script.shortest_sleep, EC2_PAUSE_MIN_MS, EC2_PAUSE_MAX_MS);
        assert_in_range(script.longest_sleep, EC2_PAUSE_MIN_MS, 16 * 2 * EC2_PAUSE_MIN_MS);
        script_end(&source);
    }
}

/* The pauses double up to 3 s, are spread, and all end within the limit. */
static void back_off_has_full_jitter(void **state)
{
    static const struct exchange exchanges[] = {PUT(200, "T"), GET(DOCUMENT, "T", 503, XHTML)};
    struct settings settings = script_settings();
    struct source source;
    struct error error;
    int64_t first;

    (void)state;
    settings.wait_ms = 600000;
    source = SCRIPT_LOOP(&settings, exchanges, 1);
    first = script.now;
    error = script_fails(&source);
    assert_int_equal(error.kind, ERROR_SOURCE);
    assert_says(&error, "answered 503");
    assert_in_range(script.now - first, 590000, 600000);
    assert_in_range(script.longest_sleep, 2000, EC2_PAUSE_MAX_MS);
    assert_in_range(script.shortest_sleep, 0, 200);
    /* 1.5 s in the middle; a fixed pause of 3 s would make 200, none at all would never end. */
    assert_in_range(script.sleeps, 300, 600);
    source_close(&source);
}

static void retry_after_is_honoured(void **state)
{
    static const struct exchange exchanges[] = {
        {.method = "PUT", .path = TOKEN, .status = 429, .retry_after = 4000},
        PUT(200, "T"),
        {.method = "GET", .path = DOCUMENT, .token = "T", .status = 503, .retry_after = 2000},
        GET(DOCUMENT, "T", 200, IDENTITY)};
    struct settings settings = script_settings();
    struct source source = SCRIPT(&settings, exchanges);

    (void)state;
    script_identifies(&source);
    assert_int_equal(script.sleeps, 2);
    assert_int_equal(script.longest_sleep, 4000);
    assert_int_equal(script.shortest_sleep, 2000);
    script_end(&source);
}

/* Longer than the limit allows: one last try while its answer can still come in time. */
static void retry_after_beyond_the_limit(void **state)
{
    static const struct exchange exchanges[] = {
        PUT(200, "T"),
        {.method = "GET", .path = DOCUMENT, .token = "T", .status = 503, .retry_after = 300000},
        {.method = "GET", .path = DOCUMENT, .token = "T", .status = 503, .retry_after = 300000}};
    struct settings settings = script_settings();
    struct source source = SCRIPT(&settings, exchanges);
    struct error error = script_fails(&source);

    (void)state;
    assert_says(&error, "answered 503");
    assert_says(&error, "left alone for 300 s");
    assert_int_equal(script.sleeps, 1);
    assert_int_equal(script.slept, settings.wait_ms - settings.timeout_ms);
    script_end(&source);
}

static void put_without_v2_goes_on_as_v1(void **state)
{
    static const int statuses[] = {404, 405, 501};

    (void)state;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        struct exchange exchanges[] = {PUT(statuses[i], XHTML), GET(DOCUMENT, NULL, 200, IDENTITY),
                                       GET(USER_DATA, NULL, 200, "data")};
        struct settings settings = script_settings();
        struct source source = SCRIPT(&settings, exchanges);
        struct error error = ERROR_INIT;
        AUTO_BUFFER struct buffer out = BUFFER_INIT(SOURCE_USER_DATA_MAX);

        script_identifies(&source);
        assert_int_equal(source_user_data(&source, &out, &error), 1);
        script_end(&source);
    }
}

static void put_without_v2_but_token_wanted_is_final(void **state)
{
    static const struct exchange exchanges[] = {PUT(405, XHTML), GET(DOCUMENT, NULL, 401, XHTML)};
    struct settings settings = script_settings();
    struct source source = SCRIPT(&settings, exchanges);
    struct error error = script_fails(&source);

    (void)state;
    assert_says(&error, "wants a token (401), but answered the request for one by 405");
    script_end(&source);
}

static void silent_put_with_answered_get_is_v1(void **state)
{
    static const struct exchange exchanges[] = {
        PUT_FAILS(HTTP_SILENT, 1000), GET(DOCUMENT, NULL, 404, XHTML),
        GET(INSTANCE_ID, NULL, 200, ID), GET(USER_DATA, NULL, 200, "data")};
    struct settings settings = script_settings();
    struct source source = SCRIPT(&settings, exchanges);
    struct error error = ERROR_INIT;
    AUTO_BUFFER struct buffer out = BUFFER_INIT(SOURCE_USER_DATA_MAX);

    (void)state;
    script_identifies(&source);
    assert_int_equal(source_user_data(&source, &out, &error), 1);
    assert_int_equal(script.sleeps, 0);
    script_end(&source);
}

/* An instance switched from optional to required tokens between two requests. */
static void v1_that_later_wants_a_token(void **state)
{
    static const struct exchange exchanges[] = {
        PUT_FAILS(HTTP_SILENT, 1000), GET(DOCUMENT, NULL, 200, IDENTITY),
        GET(USER_DATA, NULL, 401, XHTML), PUT(200, "T"), GET(USER_DATA, "T", 200, "data")};
    struct settings settings = script_settings();
    struct source source = SCRIPT(&settings, exchanges);
    struct error error = ERROR_INIT;
    AUTO_BUFFER struct buffer out = BUFFER_INIT(SOURCE_USER_DATA_MAX);

    (void)state;
    script_identifies(&source);
    assert_int_equal(source_user_data(&source, &out, &error), 1);
    script_end(&source);
}

static void hop_limit_is_recognised(void **state)
{
    static const struct exchange exchanges[] = {PUT_FAILS(HTTP_SILENT, 1000),
                                                GET(DOCUMENT, NULL, 401, XHTML)};
    struct settings settings = script_settings();
    struct source source = SCRIPT_LOOP(&settings, exchanges, 0);
    int64_t first = script.now;
    struct error error = script_fails(&source);

    (void)state;
    assert_int_equal(error.kind, ERROR_SOURCE);
    assert_says(&error, "wants a token (401) but never answers");
    assert_says(&error, "HttpPutResponseHopLimit");
    assert_in_range(script.now - first, 9000, 10000);
    source_close(&source);
}

/* A service that comes up while it is being diagnosed is simply used. */
static void hop_limit_is_no_verdict_before_the_limit(void **state)
{
    static const struct exchange exchanges[] = {PUT_FAILS(HTTP_SILENT, 1000),
                                                GET(DOCUMENT, NULL, 401, XHTML), PUT(200, "T"),
                                                GET(DOCUMENT, "T", 200, IDENTITY)};
    struct settings settings = script_settings();
    struct source source = SCRIPT(&settings, exchanges);

    (void)state;
    script_identifies(&source);
    script_end(&source);
}

static void each_silence_has_its_words(void **state)
{
    static const struct {
        enum http_failure failure;
        const char *words;
    } rows[] = {{HTTP_NO_ROUTE, "no route to metadata.test"},
                {HTTP_PROHIBITED, "systemd.imds.network=locked"},
                {HTTP_REFUSED, "connection refused by metadata.test"},
                {HTTP_NO_CONNECT, "not even to a connection"},
                {HTTP_FAILED, "detail of the transport"}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct exchange exchanges[] = {PUT_FAILS(rows[i].failure, 10)};
        struct settings settings = script_settings();
        struct source source = SCRIPT_LOOP(&settings, exchanges, 0);
        int64_t first = script.now;
        struct error error = script_fails(&source);

        assert_int_equal(error.kind, ERROR_SOURCE);
        assert_says(&error, rows[i].words);
        assert_says(&error, "tries in ");
        assert_in_range(script.now - first, 9700, 10000);
        assert_in_range(script.longest_sleep, 0, settings.timeout_ms);
        source_close(&source);
    }
}

static void silence_after_connecting_has_its_words(void **state)
{
    static const struct exchange exchanges[] = {PUT_FAILS(HTTP_SILENT, 1000),
                                                GET_FAILS(DOCUMENT, NULL, HTTP_SILENT, 1000)};
    struct settings settings = script_settings();
    struct source source = SCRIPT_LOOP(&settings, exchanges, 0);
    struct error error = script_fails(&source);

    (void)state;
    assert_says(&error, "takes the connection but gives no whole answer within 1000 ms");
    assert_int_equal(script.longest_timeout, 1000);
    source_close(&source);
}

static void attempts_bound_the_tries_at_silence(void **state)
{
    static const struct exchange exchanges[] = {
        PUT_FAILS(HTTP_NO_CONNECT, 1000), PUT_FAILS(HTTP_REFUSED, 0), PUT_FAILS(HTTP_REFUSED, 0)};
    struct settings settings = script_settings();
    struct source source;
    struct error error;

    (void)state;
    settings.attempts = 3;
    source = SCRIPT(&settings, exchanges);
    error = script_fails(&source);
    assert_says(&error, "3 tries");
    script_end(&source);

    settings.attempts = 1;
    source = SCRIPT(&settings, exchanges);
    error = script_fails(&source);
    assert_says(&error, "1 try");
    assert_int_equal(script.requests, 1);
    assert_int_equal(script.sleeps, 0);
    source_close(&source);
}

/* What is said of the wait counts from the opening, as its limit does. */
static void waited_time_counts_from_the_opening(void **state)
{
    static const struct exchange exchanges[] = {PUT_FAILS(HTTP_REFUSED, 0)};
    struct settings settings = script_settings();
    struct source source;
    struct error error;

    (void)state;
    settings.attempts = 1;
    source = SCRIPT(&settings, exchanges);
    script.now += 2500;
    error = script_fails(&source);
    assert_says(&error, "1 try in 2.5 s");
    script_end(&source);
}

static void no_wait_means_one_try(void **state)
{
    static const struct exchange exchanges[] = {PUT_FAILS(HTTP_NO_CONNECT, 1000)};
    struct settings settings = script_settings();
    struct source source;

    (void)state;
    settings.wait_ms = 0;
    source = SCRIPT(&settings, exchanges);
    script_fails(&source);
    assert_int_equal(script.last_timeout, settings.timeout_ms);
    script_end(&source);
}

static void service_that_comes_up_is_used_soon(void **state)
{
    struct exchange exchanges[40];
    struct settings settings = script_settings();
    struct source source;
    size_t count = 0;

    (void)state;
    while (count < 38)
        exchanges[count++] = (struct exchange)PUT_FAILS(HTTP_REFUSED, 0);
    exchanges[count++] = (struct exchange)PUT(200, "T");
    exchanges[count++] = (struct exchange)GET(DOCUMENT, "T", 200, IDENTITY);
    source = SCRIPT(&settings, exchanges);
    script_identifies(&source);
    assert_in_range(script.longest_sleep, EC2_PAUSE_MIN_MS, EC2_PAUSE_SILENT_MAX_MS);
    script_end(&source);
}

static void cut_and_garbled_answers_are_asked_for_again(void **state)
{
    static const struct exchange exchanges[] = {PUT_FAILS(HTTP_CUT, 0),
                                                PUT_FAILS(HTTP_GARBLED, 0),
                                                PUT(200, "T"),
                                                GET_FAILS(DOCUMENT, "T", HTTP_CUT, 0),
                                                GET_FAILS(DOCUMENT, "T", HTTP_GARBLED, 0),
                                                GET(DOCUMENT, "T", 200, IDENTITY)};
    struct settings settings = script_settings();
    struct source source = SCRIPT(&settings, exchanges);

    (void)state;
    script_identifies(&source);
    assert_int_equal(script.sleeps, 4);
    script_end(&source);
}

static void cut_and_garbled_answers_to_the_end(void **state)
{
    static const struct {
        enum http_failure failure;
        const char *words;
    } rows[] = {{HTTP_CUT, "are cut off"}, {HTTP_GARBLED, "are garbled"}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct exchange exchanges[] = {PUT(200, "T"), GET_FAILS(DOCUMENT, "T", rows[i].failure, 5)};
        struct settings settings = script_settings();
        struct source source = SCRIPT_LOOP(&settings, exchanges, 1);
        struct error error = script_fails(&source);

        assert_says(&error, rows[i].words);
        source_close(&source);
    }
}

/* The cut of a whole try by the overall limit must not hide what was seen before. */
static void last_short_try_does_not_hide_the_reason(void **state)
{
    static const struct exchange exchanges[] = {PUT_FAILS(HTTP_REFUSED, 700),
                                                PUT_FAILS(HTTP_NO_CONNECT, 1000)};
    struct settings settings = script_settings();
    struct source source;
    struct error error;

    (void)state;
    settings.wait_ms = 1000;
    source = SCRIPT_LOOP(&settings, exchanges, 1);
    error = script_fails(&source);
    assert_says(&error, "connection refused");
    assert_in_range(script.last_timeout, 1, 300);
    source_close(&source);
}

static void tokens_that_cannot_be_any(void **state)
{
    static char longest[EC2_TOKEN_MAX + 2];
    static const char *const bad[] = {"", "a b", "a\r\nX-Evil: 1", "a\n", "\x7f", "t\xc3\xa4"};
    struct settings settings = script_settings();

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct exchange exchanges[] = {PUT(200, bad[i])};
        struct source source = SCRIPT(&settings, exchanges);
        struct error error = script_fails(&source);

        assert_says(&error, "cannot be one");
        script_end(&source);
    }
    memset(longest, 'x', EC2_TOKEN_MAX);
    {
        struct exchange exchanges[] = {PUT(200, longest), GET(DOCUMENT, longest, 200, IDENTITY)};
        struct source source = SCRIPT(&settings, exchanges);

        script_identifies(&source);
        script_end(&source);
    }
    longest[EC2_TOKEN_MAX] = 'x';
    {
        struct exchange exchanges[] = {PUT(200, longest)};
        struct source source = SCRIPT(&settings, exchanges);
        struct error error = script_fails(&source);

        assert_says(&error, "larger than the limit of 4096 bytes");
        script_end(&source);
    }
}

static void token_is_renewed_before_it_expires(void **state)
{
    static const struct exchange exchanges[] = {
        PUT(200, "FIRST"), GET(DOCUMENT, "FIRST", 200, IDENTITY), GET(USER_DATA, "FIRST", 404, ""),
        PUT(200, "SECOND"), GET(USER_DATA, "SECOND", 404, "")};
    struct settings settings = script_settings();
    struct source source = SCRIPT(&settings, exchanges);
    struct error error = ERROR_INIT;
    AUTO_BUFFER struct buffer out = BUFFER_INIT(SOURCE_USER_DATA_MAX);
    int64_t first = script.now;

    (void)state;
    script_identifies(&source);
    script.now = first + (EC2_TOKEN_TTL_S - EC2_TOKEN_MARGIN_S) * INT64_C(1000) - 1;
    assert_int_equal(source_user_data(&source, &out, &error), 0);
    script.now++;
    assert_int_equal(source_user_data(&source, &out, &error), 0);
    script_end(&source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unauthorized_renews_the_token_once),
        cmocka_unit_test(unauthorized_twice_is_final),
        cmocka_unit_test(final_statuses_of_a_get),
        cmocka_unit_test(final_statuses_of_the_put),
        cmocka_unit_test(error_bodies_are_never_data),
        cmocka_unit_test(busy_services_are_asked_again),
        cmocka_unit_test(back_off_has_full_jitter),
        cmocka_unit_test(retry_after_is_honoured),
        cmocka_unit_test(retry_after_beyond_the_limit),
        cmocka_unit_test(put_without_v2_goes_on_as_v1),
        cmocka_unit_test(put_without_v2_but_token_wanted_is_final),
        cmocka_unit_test(silent_put_with_answered_get_is_v1),
        cmocka_unit_test(v1_that_later_wants_a_token),
        cmocka_unit_test(hop_limit_is_recognised),
        cmocka_unit_test(hop_limit_is_no_verdict_before_the_limit),
        cmocka_unit_test(each_silence_has_its_words),
        cmocka_unit_test(silence_after_connecting_has_its_words),
        cmocka_unit_test(attempts_bound_the_tries_at_silence),
        cmocka_unit_test(waited_time_counts_from_the_opening),
        cmocka_unit_test(no_wait_means_one_try),
        cmocka_unit_test(service_that_comes_up_is_used_soon),
        cmocka_unit_test(cut_and_garbled_answers_are_asked_for_again),
        cmocka_unit_test(cut_and_garbled_answers_to_the_end),
        cmocka_unit_test(last_short_try_does_not_hide_the_reason),
        cmocka_unit_test(tokens_that_cannot_be_any),
        cmocka_unit_test(token_is_renewed_before_it_expires),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
