/* Words for each kind of silence and refusal of the metadata service, and what to do about it. */
#include "source/explain.h"

#include "base/banned.h"

static const char hop_hint[] =
    "raise the instance's HttpPutResponseHopLimit: aws ec2 modify-instance-metadata-options "
    "--http-put-response-hop-limit 2";
static const char off_hint[] =
    "it is switched off or does not allow this: aws ec2 modify-instance-metadata-options "
    "--http-endpoint enabled";
static const char locked_hint[] =
    "systemd.imds.network=locked on the kernel command line installs such a route, as a firewall "
    "or IPAddressDeny= may: allow it, or see ip route get %s";

/* "3 tries in 12.3 s" */
static void effort(const struct ec2_trouble *trouble, char *text, size_t size)
{
    char tries[32] = "waited";

    if (trouble->tries)
        snprintf(tries, sizeof tries, "%u %s in", trouble->tries,
                 trouble->tries == 1 ? "try" : "tries");
    snprintf(text, size, "%s %lld.%lld s", tries, (long long)(trouble->waited_ms / 1000),
             (long long)(trouble->waited_ms % 1000 / 100));
}

static int explain_connection(const struct ec2_session *session, const struct ec2_trouble *trouble,
                              const char *what, const char *tried, struct error *error)
{
    const char *host = session->endpoint.host;

    switch (trouble->failure) {
    case HTTP_REFUSED:
        error_set(error, ERROR_SOURCE, "%s: connection refused by %s: nothing listens there (%s)",
                  what, host, tried);
        return error_hint(error, "if this is no EC2 instance, give user-data by a seed folder or "
                                 "--user-data; otherwise see the endpoint's address and port");
    case HTTP_NO_CONNECT:
        error_set(error, ERROR_SOURCE, "%s: no answer from %s, not even to a connection (%s)", what,
                  host, tried);
        return error_hint(error,
                          "there is a route, but a firewall or the network drops what goes "
                          "there: see ip route get %s",
                          host);
    case HTTP_SILENT:
        error_set(error, ERROR_SOURCE,
                  "%s: %s takes the connection but gives no whole answer within %lld ms (%s)", what,
                  host, (long long)session->timeout_ms, tried);
        return error_hint(error, "a proxy or firewall may stand between, or the service is slow: "
                                 "bootlace.metadata.timeout allows more time");
    default:
        return error_set(error, ERROR_SOURCE, "%s: no answer from %s: %s (%s)", what, host,
                         *trouble->detail ? trouble->detail : "the request failed", tried);
    }
}

int explain_silence(const struct ec2_session *session, const struct ec2_trouble *trouble,
                    const char *what, struct error *error)
{
    const char *host = session->endpoint.host;
    char tried[64];

    effort(trouble, tried, sizeof tried);
    if (trouble->prohibited || (trouble->any && trouble->failure == HTTP_PROHIBITED)) {
        error_set(error, ERROR_SOURCE, "%s: this machine prohibits traffic to %s (%s)", what, host,
                  tried);
        return error_hint(error, locked_hint, host);
    }
    if (trouble->no_route || (trouble->any && trouble->failure == HTTP_NO_ROUTE)) {
        error_set(error, ERROR_SOURCE, "%s: no route to %s (%s)", what, host, tried);
        return error_hint(error,
                          "the network did not come up in time, or has no way there: see "
                          "ip route get %s",
                          host);
    }
    if (trouble->hop_limit) {
        error_set(error, ERROR_SOURCE,
                  "%s: %s wants a token (401) but never answers the request for one: its answers "
                  "are allowed too few hops to come here, as in a container (%s)",
                  what, host, tried);
        return error_hint(error, "%s", hop_hint);
    }
    if (!trouble->any)
        return error_set(error, ERROR_SOURCE, "%s: the time to ask %s was over", what, host);
    if (trouble->failure == HTTP_CUT || trouble->failure == HTTP_GARBLED)
        return error_set(error, ERROR_SOURCE, "%s: the answers of %s are %s (%s)%s%s", what, host,
                         trouble->failure == HTTP_CUT ? "cut off" : "garbled", tried,
                         *trouble->detail ? ": " : "", trouble->detail);
    if (trouble->failure != HTTP_OK)
        return explain_connection(session, trouble, what, tried, error);
    error_set(error, ERROR_SOURCE, "%s: %s answered %d to the last (%s)", what, host,
              trouble->status, tried);
    if (trouble->retry_after_ms >= 0)
        return error_hint(error, "it asked to be left alone for %lld s",
                          (long long)((trouble->retry_after_ms + 999) / 1000));
    return error_hint(error, trouble->status == 429
                                 ? "it is asked too often: something else here may be asking it"
                                 : "it could not complete the request: try again later");
}

int explain_status(const struct ec2_session *session, int status, const char *what,
                   struct error *error)
{
    const char *host = session->endpoint.host;

    if (status == 401 && session->mode == EC2_V1) {
        error_set(error, ERROR_SOURCE,
                  "%s: %s wants a token (401), but answered the request for one by %d", what, host,
                  session->put_status);
        return error_hint(error, "see what stands at the endpoint: it asks for IMDSv2 and does "
                                 "not speak it");
    }
    if (status == 401) {
        error_set(error, ERROR_SOURCE, "%s: %s refused the token that it had just given (401)",
                  what, host);
        return error_hint(error, "two services may answer at this address, or a proxy stands "
                                 "between");
    }
    if (status == 403) {
        error_set(error, ERROR_SOURCE, "%s: %s does not allow it (403)", what, host);
        return error_hint(error, "%s", off_hint);
    }
    if (status >= 300 && status <= 399) {
        error_set(error, ERROR_SOURCE,
                  "%s: %s answered by a redirect (%d), which is never followed", what, host,
                  status);
        return error_hint(error, "the metadata service sends none: something else answers there");
    }
    return error_set(error, ERROR_SOURCE, "%s: %s answered %d, which this request cannot get", what,
                     host, status);
}

int explain_token_status(const struct ec2_session *session, int status, struct error *error)
{
    if (status == 400)
        return error_set(error, ERROR_INTERNAL,
                         "%s says that the request for a token is wrong (400): a bug of bootlace",
                         session->endpoint.host);
    if (status == 401)
        return error_set(error, ERROR_SOURCE, "%s refuses to give a token (401)",
                         session->endpoint.host);
    return explain_status(session, status, "the request for a token", error);
}
