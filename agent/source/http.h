/*
 * The one door to the network: a plug-in (agent/fetch, libcurl) that is opened only when a source
 * needs it, since loading libcurl takes longer than everything else that the agent does, and in a
 * process of its own: so it loads while the agent gets ready, what comes from the network is parsed
 * apart from the agent's memory, and the agent stays small, which makes its steps' forks cheap.
 *
 * The plug-in knows HTTP and nothing of metadata; the metadata protocol knows nothing of libcurl,
 * and is tested with a transport of the test's own.
 */
#ifndef BOOTLACE_SOURCE_HTTP_H
#define BOOTLACE_SOURCE_HTTP_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_PLUGIN "plugins/fetch.so"

enum { HTTP_HEADERS_MAX = 8, HTTP_DETAIL_MAX = 160, HTTP_REDIRECTS_MAX = 5 };

/* What a handle is for. */
enum http_use {
    HTTP_METADATA, /* the metadata service: http alone, no redirect, no proxy */
    HTTP_WEB       /* an address of the user's: https, too; redirects, but none to link-local
                    * addresses and none from https to http; the environment's proxies */
};

/* How a request ended, where it did not end with a whole answer. */
enum http_failure {
    HTTP_OK,         /* an answer came, whole: status and body say which */
    HTTP_NO_ROUTE,   /* no way to the address: ENETUNREACH, EHOSTUNREACH */
    HTTP_NO_NAME,    /* the host's name is not known, or nobody can be asked */
    HTTP_PROHIBITED, /* the route is a prohibiting one: EACCES, EPERM */
    HTTP_REFUSED,    /* nobody listens: ECONNREFUSED */
    HTTP_NO_CONNECT, /* no answer to the connection's beginning within the limit */
    HTTP_SILENT,     /* connected, but no (whole) answer within the limit */
    HTTP_CUT,        /* the connection ended before the answer did, or broke */
    HTTP_TOO_LARGE,  /* the body passed its maximum */
    HTTP_GARBLED,    /* the answer is no HTTP */
    HTTP_UNUSABLE,   /* the client itself cannot work, and will not the next time either */
    HTTP_FAILED      /* anything else: the detail says what */
};

struct http_request {
    const char *method; /* "GET", "PUT" */
    const char *url;
    const char *headers[HTTP_HEADERS_MAX]; /* "Name: value"; ends with NULL */
    int64_t timeout_ms;                    /* the whole request */
};

struct http_answer {
    enum http_failure failure;
    int status;                   /* of HTTP; 0 where none came */
    int64_t retry_after_ms;       /* the header's, or -1 */
    char detail[HTTP_DETAIL_MAX]; /* the transport's own words about a failure */
};

/* The plug-in's exported symbol: const struct http_transport bootlace_fetch. */
struct http_transport {
    size_t size; /* of this struct: agent and plug-in are of one build */
    void *(*open)(enum http_use use);
    /*
     * Does one request on the handle's kept connection. The body goes to out (cleared first),
     * at most out's maximum.
     */
    void (*request)(void *handle, const struct http_request *request, struct buffer *out,
                    struct http_answer *answer);
    /* No more requests will come, so what takes long to go may begin to; may be NULL. */
    void (*finish)(void *handle);
    void (*close)(void *handle);
};

/*
 * The transport by a process that opens the plug-in from paths_library(). Its open returns at once,
 * while the plug-in is loading; that it could not be loaded is told by the first request's failure.
 * NULL and an error where there is no plug-in.
 */
const struct http_transport *http_load(struct error *error);

#endif
