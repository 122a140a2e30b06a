/*
 * A conversation with the metadata service: token, retries and what each status means.
 *
 * IMDSv2: PUT /latest/api/token gives an opaque token that every GET then carries. Where the PUT
 * finds no v2 (404, 405, 501, or silence while a GET answers) the session goes on as v1.
 *   200           the body, and only then the body
 *   401           one new token and one more try, then final
 *   403, 3xx, 4xx final
 *   404           absent
 *   429, 5xx, an answer cut off or garbled: again after a pause (full jitter, Retry-After)
 *   silence       again, each time asking for the route first; at the limit source/explain.h says
 *                 which silence it was
 */
#ifndef BOOTLACE_SOURCE_EC2_SESSION_H
#define BOOTLACE_SOURCE_EC2_SESSION_H

#include "source/ec2_endpoint.h"
#include "source/http.h"

enum {
    EC2_TOKEN_MAX = 4096,        /* bytes of a token */
    EC2_TOKEN_TTL_S = 21600,     /* the longest that may be asked for */
    EC2_TOKEN_MARGIN_S = 60,     /* a token this close to its end is renewed */
    EC2_USER_DATA_MAX = 4 << 20, /* EC2 gives 16,384 bytes at most, services like it more */
    EC2_PAUSE_MIN_MS = 20,
    EC2_PAUSE_MAX_MS = 3000,       /* between tries at a service that is busy */
    EC2_PAUSE_SILENT_MAX_MS = 250, /* between tries at one that is not there yet */
    EC2_REST_MS = 5000             /* after the identification, at least this much for a request */
};

enum ec2_mode { EC2_UNKNOWN, EC2_V2, EC2_V1 };

/* What was seen while one answer was waited for; explain.h makes words of it. */
struct ec2_trouble {
    enum http_failure failure; /* of the last try; HTTP_OK: answers came, but of no use */
    int status;                /* of the last answer */
    int64_t retry_after_ms;
    char detail[HTTP_DETAIL_MAX];
    bool hop_limit;    /* the PUT stays unanswered while a GET says 401 */
    bool no_route;     /* no try was made for want of a route … */
    bool prohibited;   /* … or because it forbids */
    bool any;          /* something was noted */
    unsigned tries;    /* rounds in which something was sent */
    unsigned silences; /* rounds without an answer */
    int64_t waited_ms;
};

/* Time, replaced by tests. */
struct ec2_clock {
    int64_t (*now)(void);
    void (*sleep)(int64_t milliseconds);
};
extern const struct ec2_clock ec2_clock_real;

struct ec2_session {
    const struct http_transport *transport;
    const struct ec2_clock *clock;
    void *handle;
    struct ec2_endpoint endpoint;
    struct route_watch *routes; /* NULL: the host is a name, or netlink is not to be had */

    int64_t wait_ms, timeout_ms;
    unsigned attempts;
    int64_t deadline; /* of the identification and of what follows at once */
    bool connected;   /* the last request was answered: the route need not be asked for */
    bool hurried;     /* later requests have EC2_REST_MS at the most */
    bool identified;  /* the service has answered: later requests have EC2_REST_MS at least */

    enum ec2_mode mode;
    int put_status; /* of the last token request; 0: none, or silence */
    int64_t token_until;
    char token_header[EC2_TOKEN_MAX + 64];
};

/* Opens the transport's handle; the time that settings->wait_ms allows begins here. */
int ec2_session_init(struct ec2_session *session, const struct settings *settings,
                     const struct http_transport *transport, const struct ec2_clock *clock,
                     struct error *error);
void ec2_session_release(struct ec2_session *session);

/*
 * The body of a URL, at most maximum bytes (and out's own). what names it in messages.
 * 1, or 0 where there is no such thing (404), or -1. out is empty unless it returns 1.
 */
int ec2_session_get(struct ec2_session *session, const char *url, const char *what, size_t maximum,
                    struct buffer *out, struct error *error);

#endif
