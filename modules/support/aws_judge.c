/* What an answer means: the end, another attempt, or one after something was put right; see
 * aws_client.h. */
#include <support/aws_client.h>

#include <support/curl_late.h>
#include <support/retry.h>

#include <stdlib.h>
#include <string.h>

enum { SKEW_ALLOWED_S = 240 }; /* services allow five minutes, S3 fifteen */

static bool is_success(int status)
{
    return (status >= 200 && status < 300) || status == 304;
}

/* S3 answers some long operations with 200 before it knows how they end. */
static bool is_failed_success(const struct aws_call *call, const struct http_answer *answer)
{
    return call->request->service->is_s3 && is_success(answer->status) && !call->request->sink &&
           call->request->method && strcmp(call->request->method, "GET") != 0 &&
           strstr(text_string(&answer->body), "<Error>");
}

/* A refusal by a service whose clock is another: ours is taken for the wrong one. */
static bool correct_clock(struct aws_call *call, const struct http_answer *answer)
{
    const char *date = http_header(answer, "Date");
    time_t service = date ? curl_getdate(date, NULL) : -1;
    struct aws *aws = call->aws;
    long long off;

    if (call->corrected_clock || service <= 0 ||
        (answer->status != 400 && answer->status != 401 && answer->status != 403))
        return false;
    off = (long long)service - (long long)aws_now(aws);
    if (llabs(off) < SKEW_ALLOWED_S)
        return false;
    call->corrected_clock = true;
    aws->skew_s += off;
    aws->host->log(aws->host, BOOTLACE_WARNING,
                   "the machine's clock is %lld s %s the clock of %s: allowed for in signing",
                   llabs(aws->skew_s), aws->skew_s > 0 ? "behind" : "ahead of",
                   call->request->service->name);
    return true;
}

/* Not every service says of credentials that they ended, and an answer to HEAD says nothing: by our
 * own clock, they did. */
static bool is_expiry(const struct aws_call *call, const struct http_answer *answer)
{
    const struct aws_credentials *credentials = &call->aws->credentials;

    if (aws_error_is_expired(call->error.code))
        return true;
    return (answer->status == 400 || answer->status == 401 || answer->status == 403) &&
           credentials->ends && credentials->ends <= aws_now(call->aws);
}

/* A role's credentials that ended early: new ones are asked for, once. */
static bool renew(struct aws_call *call, const struct http_answer *answer)
{
    struct aws *aws = call->aws;

    if (call->renewed || !aws->credentials.can_be_renewed || call->request->anonymous ||
        !is_expiry(call, answer))
        return false;
    call->renewed = true;
    aws_credentials_forget(&aws->credentials);
    return true;
}

/* A bucket that is elsewhere, as S3 says by status and region (301, 307, or 400 for a signature
 * of another region); once a call, and remembered. */
static bool follow(struct aws_call *call, const struct http_answer *answer)
{
    const char *region = call->error.region;

    if (call->moved || !call->request->service->is_s3 || !call->request->bucket || !*region ||
        strcmp(region, call->endpoint.region) == 0 ||
        (answer->status != 301 && answer->status != 307 && answer->status != 400))
        return false;
    call->moved = true;
    aws_remember_moved(call->aws, call->request->bucket, region);
    return true;
}

int aws_judge(void *context, struct http_answer *answer)
{
    struct aws_call *call = context;
    unsigned attempts = call->request->attempts ? call->request->attempts : AWS_ATTEMPTS;
    int wait_ms = -1;

    call->error = (struct aws_error){0};
    if (answer->result == 0 && (!is_success(answer->status) || is_failed_success(call, answer))) {
        aws_error_read(answer, &call->error);
        if (correct_clock(call, answer) || renew(call, answer) || follow(call, answer))
            wait_ms = 0;
        else if (aws_error_is_transient(call->error.code))
            wait_ms = retry_again_ms(answer, attempts);
    }
    if (wait_ms < 0)
        wait_ms = retry_next_ms(answer, attempts);
    return wait_ms >= 0 && aws_prepare(call) == 0 ? wait_ms : -1;
}
