/*
 * HTTP/1.1 (RFC 9110, RFC 9112) and HTTPS for modules, by libcurl.
 *
 * One engine moves any number of transfers at once, in the caller's own thread, over connections
 * that it keeps: http_call() makes one request and waits for it; http_start() begins one of many,
 * and http_run() moves them until none is left.
 *
 * What holds for every request: http and https are spoken and nothing else; no redirect is followed
 * unless asked for; the URL is sent as it is given, so that a signature stays true; the
 * environment's proxies (https_proxy, no_proxy, …) are used, but never for link-local addresses,
 * where the metadata service is; certificates are checked against the system's, or those that
 * AWS_CA_BUNDLE, CURL_CA_BUNDLE, SSL_CERT_FILE or SSL_CERT_DIR name; every wait and every buffer
 * has a limit.
 *
 * Without memory, the module ends, as everywhere in this library. Words for failures name host and
 * port, never a query, which may be a secret.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BOOTLACE_SUPPORT_HTTP_H
#define BOOTLACE_SUPPORT_HTTP_H

#include <stdbool.h>
#include <stdint.h>
#include <support/text.h>
#include <sys/types.h>

enum {
    HTTP_CONNECT_S = 10, /* until a connection is there, names resolved and TLS agreed */
    HTTP_STALL_S = 30,   /* without a single byte */
    HTTP_CALL_S = 120,   /* an attempt whose body is kept; one with a sink has no overall limit */
    HTTP_URL_MAX = 16 << 10,
    HTTP_HEADERS_MAX = 64 << 10, /* bytes of an answer's headers */
    HTTP_BODY_MAX = 16 << 20,    /* bytes of a body that is kept, unless a request says otherwise */
    HTTP_REFUSAL_MAX = 64 << 10, /* bytes that are kept of the body of an answer other than 2xx */
    HTTP_BUFFER_BYTES = 512 << 10, /* at a time, from a connection to a sink */
    HTTP_WHY_MAX = 512
};

/*
 * Takes bytes of an answer's body, in order: offset is how many came before. A new attempt begins
 * at offset 0 again, and what came before is void then. Called for the bodies of answers 2xx
 * alone. Returns 0, or a negative errno, which ends the transfer and is its result.
 */
typedef int http_sink(void *context, uint64_t offset, const char *bytes, size_t size);

/*
 * Gives bytes of a request's body, as pread(2) does: the same offset may be asked for again. Gives
 * how many, at least 1, or a negative errno, which ends the transfer and is its result.
 */
typedef ssize_t http_source(void *context, uint64_t offset, char *bytes, size_t room);

struct http_answer;

/*
 * Judges an attempt that is over (answer->result, status, headers, body; answer->attempts of them
 * were made): returns milliseconds to wait before the next, or -1 where this was the last. It may
 * change the request, which is read anew.
 */
typedef int http_judge(void *context, struct http_answer *answer);

/* Tells the end of a transfer that http_start() began; may start others. */
typedef void http_done(void *context, struct http_answer *answer);

/* What is asked. Members not named are zero. Everything that it points to stays the caller's, and
 * lives until the transfer is over. */
struct http_request {
    const char *method;         /* NULL = GET */
    const char *url;            /* http:// or https://, percent-encoded already */
    const char *const *headers; /* "Name: value"; NULL-ended, or NULL */

    const void *body; /* of the request, or */
    size_t body_size;
    http_source *source; /* where it comes from, and */
    uint64_t source_size;

    http_sink *sink;   /* where the answer's body goes; NULL: it is kept in answer->body */
    void *context;     /* of source and sink */
    uint64_t body_max; /* bytes of the answer's body; 0: HTTP_BODY_MAX, or any with a sink */

    unsigned connect_s;  /* limits of one attempt; 0: HTTP_CONNECT_S, */
    unsigned stall_s;    /* HTTP_STALL_S, */
    unsigned overall_s;  /* HTTP_CALL_S, or none with a sink or a source */
    unsigned redirects;  /* to be followed at the most; https never becomes http, and none leads to
                          * a link-local address; headers go along, but Authorization and Cookie */
    size_t buffer_bytes; /* 0: HTTP_BUFFER_BYTES; less where many small bodies come at once */

    unsigned attempts; /* at the most, by the rules of retry.h; 0 or 1: one, nothing is repeated */
    http_judge *judge; /* instead of those rules; */
    void *judge_context;
};

/* What came of it; all zero before. The caller's, who ends it with http_answer_clear(). */
struct http_answer {
    int result; /* 0: an answer came whole, whatever its status; or a negative errno:
                 * -EHOSTUNREACH (name unknown), -ENETUNREACH, -ECONNREFUSED, -ETIMEDOUT,
                 * -ECONNRESET, -EPROTO (TLS, or no HTTP), -EFBIG (over body_max), -EINVAL (the
                 * request itself), or what a sink or source returned */
    int status; /* of the final answer; 0 where none came */
    unsigned attempts;
    unsigned elapsed_ms; /* since the first attempt began */
    uint64_t received;   /* bytes of body, of the last attempt */
    struct text headers; /* see http_header() */
    struct text body;    /* as far as no sink took it */
    /* Where result is negative: what failed, in words, with host and port. */
    char why[HTTP_WHY_MAX];
};

void http_answer_clear(struct http_answer *answer);

/* The value of a header, "" where it has none, or NULL where it is not there; the first of several.
 * Valid as long as the answer. */
const char *http_header(const struct http_answer *answer, const char *name);

/* The words of a status: "Not Found"; "" where it is not known. */
const char *http_status_words(int status);

struct http;

/* A new engine, and its end: transfers under way end with -ECANCELED, and nobody is told. Free
 * takes NULL. */
struct http *http_new(void);
void http_free(struct http *http);

/* Makes one request and waits for it; others that were started move on meanwhile. Returns
 * answer->result. */
int http_call(struct http *http, const struct http_request *request, struct http_answer *answer);

/* The same, but an answer other than 2xx is a failure, too, with words: -ENOENT for 404 and 410,
 * -EACCES for 401 and 403, -ETIMEDOUT for 408 and 504, -EAGAIN for 429 and 503, else -EIO. */
int http_fetch(struct http *http, const struct http_request *request, struct http_answer *answer);

/*
 * Begins a request; done (or NULL) is told its end, from within http_run() or http_call(), never
 * from here. request and answer stay where they are until then.
 */
void http_start(struct http *http, const struct http_request *request, struct http_answer *answer,
                http_done *done, void *context);

/* Moves everything until the transfer with this answer is over. */
void http_wait(struct http *http, const struct http_answer *answer);

/* Moves what was started: until nothing is under way, or, where limit_ms is not negative, at most
 * that long. Returns how many are under way still. */
unsigned http_run(struct http *http, int limit_ms);

#endif
