/* A conversation with the metadata service: token, retries and what each status means. */
#include "source/ec2_session.h"

#include "base/banned.h"
#include "base/clock.h"
#include "base/memory.h"
#include "source/explain.h"

#include <sys/random.h>

static const char token_name[] = "X-aws-ec2-metadata-token: ";
static const char token_path[] = "latest/api/token";

const struct ec2_clock ec2_clock_real = {.now = clock_milliseconds, .sleep = clock_sleep};

/* What is to be done after a request, or after a round of them. */
enum verdict {
    VERDICT_GOT,
    VERDICT_ABSENT,
    VERDICT_AT_ONCE, /* again, without a pause */
    VERDICT_BUSY,    /* again, after a pause */
    VERDICT_SILENT,  /* again, if the limit of tries allows it */
    VERDICT_FINAL    /* the error is set */
};

/* One answer being waited for. */
struct wait {
    struct ec2_trouble trouble;
    const char *url, *what;
    size_t maximum;
    int64_t start; /* the identification's is the source's opening */
    int64_t deadline;
    bool renewed; /* the one new token that a 401 is worth was asked for */
    bool probe;   /* the PUT was silent: this GET goes without a token, to see who answers */
    bool last;    /* a pause was cut to leave time for one last try */
    unsigned pauses;
};

int ec2_session_init(struct ec2_session *session, const struct settings *settings,
                     const struct http_transport *transport, const struct ec2_clock *clock,
                     struct error *error)
{
    memset(session, 0, sizeof *session);
    session->transport = transport;
    session->clock = clock;
    session->timeout_ms = settings->timeout_ms > 0 ? settings->timeout_ms : 1;
    session->wait_ms = settings->wait_ms;
    session->attempts = settings->attempts;
    if (session->wait_ms <= 0) {
        /* No waiting still means one try. */
        session->wait_ms = session->timeout_ms;
        session->attempts = 1;
    }
    session->deadline = clock->now() + session->wait_ms;
    if (ec2_endpoint_init(&session->endpoint, settings, error) < 0)
        return -1;
    session->handle = transport->open(HTTP_METADATA);
    if (!session->handle)
        return error_set(error, ERROR_INTERNAL, "the HTTP client cannot be set up");
    if (session->endpoint.literal)
        session->routes = route_watch_open();
    return 0;
}

void ec2_session_release(struct ec2_session *session)
{
    if (session->handle)
        session->transport->close(session->handle);
    route_watch_close(session->routes);
    explicit_bzero(session, sizeof *session);
}

static bool token_is_missing(const struct ec2_session *session)
{
    return session->mode != EC2_V1 &&
           (!*session->token_header || session->clock->now() >= session->token_until);
}

/* Does a request, within what is left of the time, and notes how it failed. */
static void request(struct ec2_session *session, struct wait *wait, struct http_request *request,
                    struct buffer *out, size_t maximum, struct http_answer *answer)
{
    size_t own_maximum = out->maximum;
    int64_t left = wait->deadline - session->clock->now();
    bool cut_short = left < session->timeout_ms;
    bool late;

    request->timeout_ms = left < 1 ? 1 : cut_short ? left : session->timeout_ms;
    *answer = (struct http_answer){.retry_after_ms = -1};
    buffer_clear(out);
    if (maximum < own_maximum)
        out->maximum = maximum;
    session->transport->request(session->handle, request, out, answer);
    out->maximum = own_maximum;
    session->connected = answer->failure == HTTP_OK;
    if (answer->failure != HTTP_OK || answer->status != 200)
        buffer_clear(out);

    /* A try that the overall limit ended early says less than the ones before it. */
    late = answer->failure == HTTP_SILENT || answer->failure == HTTP_NO_CONNECT;
    if (late && cut_short && wait->trouble.any)
        return;
    wait->trouble.any = true;
    wait->trouble.failure = answer->failure;
    wait->trouble.status = answer->failure == HTTP_OK ? answer->status : 0;
    wait->trouble.retry_after_ms = answer->retry_after_ms;
    snprintf(wait->trouble.detail, sizeof wait->trouble.detail, "%s", answer->detail);
}

/* A request that no whole answer came to. */
static enum verdict judge_failure(const struct http_answer *answer, struct error *error)
{
    enum http_failure failure = answer->failure;

    if (failure == HTTP_UNUSABLE) {
        error_set(error, ERROR_INTERNAL, "the HTTP client cannot be used: %s", answer->detail);
        error_hint(error, "are libcurl (package libcurl4) and all of bootlace installed?");
        return VERDICT_FINAL;
    }
    return failure == HTTP_CUT || failure == HTTP_GARBLED ? VERDICT_BUSY : VERDICT_SILENT;
}

static bool is_busy(int status)
{
    return status == 429 || (status >= 500 && status <= 599);
}

/* Takes over a token that may stand in a header line: visible ASCII. */
static enum verdict take_token(struct ec2_session *session, const struct buffer *token,
                               int64_t asked, struct error *error)
{
    bool clean = token->size > 0;

    for (size_t i = 0; i < token->size; i++)
        clean = clean && token->bytes[i] > ' ' && token->bytes[i] <= '~';
    if (!clean) {
        error_set(error, ERROR_SOURCE, "the token that %s gave cannot be one: %s",
                  session->endpoint.host,
                  token->size ? "it has bytes that no header may hold" : "it is empty");
        return VERDICT_FINAL;
    }
    snprintf(session->token_header, sizeof session->token_header, "%s%s", token_name, token->bytes);
    session->token_until = asked + (int64_t)(EC2_TOKEN_TTL_S - EC2_TOKEN_MARGIN_S) * 1000;
    session->mode = EC2_V2;
    return VERDICT_GOT;
}

/* Asks for a token. GOT: the GET may go out, with the token, as v1, or as a probe. */
static enum verdict get_token(struct ec2_session *session, struct wait *wait, struct error *error)
{
    char url[EC2_URL_MAX], ttl[64];
    AUTO_BUFFER struct buffer token = BUFFER_INIT(EC2_TOKEN_MAX);
    struct http_request put = {.method = "PUT", .headers = {ttl}};
    struct http_answer answer;
    int64_t asked = session->clock->now();

    snprintf(ttl, sizeof ttl, "X-aws-ec2-metadata-token-ttl-seconds: %d", EC2_TOKEN_TTL_S);
    put.url = ec2_endpoint_url(&session->endpoint, token_path, url);
    *session->token_header = '\0';
    request(session, wait, &put, &token, EC2_TOKEN_MAX, &answer);
    session->put_status = answer.failure == HTTP_OK ? answer.status : 0;
    if (answer.failure == HTTP_TOO_LARGE) {
        error_set(error, ERROR_SOURCE,
                  "the token that %s gave is larger than the limit of %d bytes",
                  session->endpoint.host, EC2_TOKEN_MAX);
        return VERDICT_FINAL;
    }
    if (answer.failure == HTTP_SILENT) {
        wait->probe = true;
        return VERDICT_GOT;
    }
    wait->trouble.hop_limit = false;
    if (answer.failure != HTTP_OK)
        return judge_failure(&answer, error);
    switch (answer.status) {
    case 200:
        return take_token(session, &token, asked, error);
    case 404:
    case 405:
    case 501:
        session->mode = EC2_V1;
        wait->renewed = true; /* asking once more would get the same */
        return VERDICT_GOT;
    default:
        if (is_busy(answer.status))
            return VERDICT_BUSY;
        explain_token_status(session, answer.status, error);
        return VERDICT_FINAL;
    }
}

/* A GET was answered by 401. */
static enum verdict judge_unauthorized(struct ec2_session *session, struct wait *wait,
                                       struct error *error)
{
    if (wait->probe) {
        wait->trouble.hop_limit = true;
        return VERDICT_SILENT;
    }
    if (wait->renewed) {
        explain_status(session, 401, wait->what, error);
        return VERDICT_FINAL;
    }
    wait->renewed = true;
    session->mode = EC2_UNKNOWN;
    *session->token_header = '\0';
    return VERDICT_AT_ONCE;
}

static enum verdict judge_answer(struct ec2_session *session, struct wait *wait, size_t maximum,
                                 const struct http_answer *answer, struct error *error)
{
    if (answer->failure == HTTP_TOO_LARGE) {
        error_set(error, ERROR_SOURCE, "%s from %s is larger than the limit of %zu bytes",
                  wait->what, session->endpoint.host, maximum);
        return VERDICT_FINAL;
    }
    if (answer->failure != HTTP_OK)
        return judge_failure(answer, error);
    switch (answer->status) {
    case 200:
    case 404:
        if (wait->probe)
            session->mode = EC2_V1; /* the PUT is silent, yet a GET is served without a token */
        return answer->status == 200 ? VERDICT_GOT : VERDICT_ABSENT;
    case 401:
        return judge_unauthorized(session, wait, error);
    default:
        if (is_busy(answer->status))
            return VERDICT_BUSY;
        explain_status(session, answer->status, wait->what, error);
        return VERDICT_FINAL;
    }
}

/* One round: a token if one is needed, then the GET. */
static enum verdict try_once(struct ec2_session *session, struct wait *wait, struct buffer *out,
                             struct error *error)
{
    struct http_request get = {.method = "GET", .url = wait->url};
    size_t maximum = wait->maximum < out->maximum ? wait->maximum : out->maximum;
    struct http_answer answer;
    enum verdict verdict;

    wait->trouble.tries++;
    wait->probe = false;
    if (token_is_missing(session)) {
        verdict = get_token(session, wait, error);
        if (verdict != VERDICT_GOT)
            return verdict;
    }
    if (session->mode != EC2_V1 && !wait->probe)
        get.headers[0] = session->token_header;
    request(session, wait, &get, out, maximum, &answer);
    return judge_answer(session, wait, maximum, &answer, error);
}

/* A random number of milliseconds from the smallest pause to a bound that doubles ("full jitter").
 */
static int64_t jitter(unsigned pauses, int64_t most)
{
    int64_t bound = EC2_PAUSE_MIN_MS;
    uint32_t random = 0;

    for (unsigned i = 0; i <= pauses && bound < most; i++)
        bound *= 2;
    if (bound > most)
        bound = most;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0)
        random = (uint32_t)clock_milliseconds(); /* early at boot; any spread will do */
    return EC2_PAUSE_MIN_MS + random % (bound - EC2_PAUSE_MIN_MS + 1);
}

/* Pauses before the next round; false where the limit leaves none. */
static bool pause_for_next(struct ec2_session *session, struct wait *wait, enum verdict verdict)
{
    int64_t left = wait->deadline - session->clock->now();
    int64_t pause;

    if (verdict == VERDICT_AT_ONCE)
        return true;
    if (verdict == VERDICT_SILENT) {
        wait->trouble.silences++;
        if (session->attempts && wait->trouble.silences >= session->attempts)
            return false;
    }
    if (left <= 0)
        return false;
    pause = jitter(wait->pauses++,
                   verdict == VERDICT_BUSY ? EC2_PAUSE_MAX_MS : EC2_PAUSE_SILENT_MAX_MS);
    if (verdict == VERDICT_BUSY && wait->trouble.retry_after_ms > pause)
        pause = wait->trouble.retry_after_ms;
    if (pause >= left) {
        /* Longer than there is: one last try while its answer can still come in time. */
        if (wait->last)
            return false;
        wait->last = true;
        pause = left > session->timeout_ms ? left - session->timeout_ms : 0;
    }
    session->clock->sleep(pause);
    return true;
}

/* Waits until there is a route to the service; false where the limit came first. */
static bool await_route(struct ec2_session *session, struct wait *wait)
{
    while (session->routes && !session->connected) {
        enum route_state state = route_state(session->routes, &session->endpoint.address);

        wait->trouble.no_route = state == ROUTE_NONE;
        wait->trouble.prohibited = state == ROUTE_PROHIBITED;
        if (state == ROUTE_PRESENT)
            break;
        if (session->clock->now() >= wait->deadline)
            return false;
        route_wait(session->routes, wait->deadline);
    }
    return true;
}

int ec2_session_get(struct ec2_session *session, const char *url, const char *what, size_t maximum,
                    struct buffer *out, struct error *error)
{
    int64_t now = session->clock->now();
    struct wait wait = {.url = url,
                        .what = what,
                        .maximum = maximum,
                        .start = session->deadline - session->wait_ms,
                        .deadline = session->deadline};
    enum verdict verdict;

    if (session->identified) {
        int64_t rest = session->wait_ms < EC2_REST_MS ? session->wait_ms : EC2_REST_MS;

        wait.start = now;
        if (session->hurried || wait.deadline < now + rest)
            wait.deadline = now + rest;
    }
    wait.trouble.retry_after_ms = -1;
    do {
        verdict = VERDICT_SILENT;
        if (!await_route(session, &wait))
            break;
        verdict = try_once(session, &wait, out, error);
        if (verdict == VERDICT_GOT)
            return 1;
        if (verdict == VERDICT_ABSENT)
            return 0;
    } while (verdict != VERDICT_FINAL && pause_for_next(session, &wait, verdict));
    if (verdict != VERDICT_FINAL) {
        wait.trouble.waited_ms = session->clock->now() - wait.start;
        explain_silence(session, &wait.trouble, what, error);
    }
    return -1;
}
