/* Why a transfer failed, as an errno and in words; see http.h. */
#include <support/http_engine.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int status;
    const char *words;
} statuses[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {416, "Range Not Satisfiable"},
    {429, "Too Many Requests"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
};

const char *http_status_words(int status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        if (statuses[i].status == status)
            return statuses[i].words;
    }
    return "";
}

/* Puts it into words; what does not fit is cut. */
__attribute__((format(printf, 2, 3))) static void say(struct http_answer *answer,
                                                      const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(answer->why, sizeof answer->why, format, arguments);
    va_end(arguments);
}

/* What stopped a connection, by the system's own word. */
static int result_of_errno(long number)
{
    switch (number) {
    case ENETUNREACH:
    case ENETDOWN:
    case EADDRNOTAVAIL: /* no address of ours to come from */
        return -ENETUNREACH;
    case EPERM: /* a firewall of this machine */
        return -EACCES;
    default:
        return number > 0 ? -(int)number : -ECONNREFUSED;
    }
}

static int result_of(const struct http_transfer *transfer, CURLcode code)
{
    long number = 0, sent = 0;

    if (transfer->refused < 0)
        return transfer->refused;
    if (transfer->led_astray)
        return -EACCES;
    switch (code) {
    case CURLE_OK:
        return 0;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return -EHOSTUNREACH;
    case CURLE_COULDNT_CONNECT:
        curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &number);
        return result_of_errno(number);
    case CURLE_OPERATION_TIMEDOUT:
        return -ETIMEDOUT;
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_FAIL_REWIND:
        return -ECONNRESET;
    case CURLE_TOO_MANY_REDIRECTS:
        return -ELOOP;
    case CURLE_UNSUPPORTED_PROTOCOL: /* before anything was sent; after it, no status line came */
    case CURLE_URL_MALFORMAT:
        curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &sent);
        return sent > 0 ? -EPROTO : -EINVAL;
    default:
        return -EPROTO;
    }
}

/* Where a request goes: "host port 443"; the URL's query is nobody's business. */
static void place_of(const struct http_transfer *transfer, char *place, size_t size)
{
    char *url = NULL, *host = NULL, *port = NULL;
    CURLU *parts = text_need(curl_url());

    curl_easy_getinfo(transfer->easy, CURLINFO_EFFECTIVE_URL, &url);
    if (url && curl_url_set(parts, CURLUPART_URL, url, CURLU_PATH_AS_IS) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK)
        snprintf(place, size, "%s port %s", host, port);
    else
        snprintf(place, size, "the server");
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(parts);
}

/* Which of the limits it was. */
static void explain_timeout(struct http_transfer *transfer, const char *place)
{
    const struct http_request *request = transfer->request;
    curl_off_t connected = 0;
    long sent = 0;
    struct http_answer *answer = transfer->answer;

    curl_easy_getinfo(transfer->easy, CURLINFO_CONNECT_TIME_T, &connected);
    curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &sent);
    if (connected == 0)
        say(answer, "no connection to %s within %u s: %s", place,
            request->connect_s ? request->connect_s : HTTP_CONNECT_S,
            "is there a route to it, and do firewalls and security groups let it through?");
    else if (sent == 0)
        say(answer, "%s took the connection, but TLS was not agreed in time", place);
    else if (strncmp(transfer->words, "Operation too slow", strlen("Operation too slow")) == 0)
        say(answer, "%s was silent for %u s", place,
            request->stall_s ? request->stall_s : HTTP_STALL_S);
    else
        say(answer, "%s did not answer whole within %u s", place,
            request->overall_s ? request->overall_s : HTTP_CALL_S);
}

/* What libcurl says, where it knows more than the errno. */
static const char *libcurls_words(const struct http_transfer *transfer, CURLcode code)
{
    return *transfer->words ? transfer->words : curl_easy_strerror(code);
}

static void explain_protocol(struct http_transfer *transfer, CURLcode code, const char *place)
{
    struct http_answer *answer = transfer->answer;

    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
        say(answer,
            "the certificate of %s is not trusted: %s; is the machine's clock right, and is "
            "ca-certificates installed?",
            place, libcurls_words(transfer, code));
        break;
    case CURLE_SSL_CONNECT_ERROR:
        say(answer, "no TLS with %s: %s", place, libcurls_words(transfer, code));
        break;
    case CURLE_SSL_CACERT_BADFILE:
        say(answer,
            "the authorities' certificates cannot be read (%s): is ca-certificates installed, "
            "and what do AWS_CA_BUNDLE and SSL_CERT_FILE name?",
            libcurls_words(transfer, code));
        break;
    default:
        say(answer, "%s did not answer as HTTP is: %s", place, libcurls_words(transfer, code));
    }
}

/* One that was to be followed. */
static bool is_redirect(const struct http_transfer *transfer)
{
    return transfer->request->redirects > 0 && transfer->answer->status >= HTTP_STATUS_REDIRECT &&
           transfer->answer->status < HTTP_STATUS_REFUSED;
}

static void explain(struct http_transfer *transfer, CURLcode code)
{
    struct http_answer *answer = transfer->answer;
    char place[HTTP_WHY_MAX / 2];

    place_of(transfer, place, sizeof place);
    if (transfer->refused == -EFBIG)
        say(answer, "%s sent more than the limit of %llu bytes", place,
            (unsigned long long)(transfer->request->body_max ? transfer->request->body_max
                                                             : HTTP_BODY_MAX));
    else if (transfer->refused == -EPROTO)
        say(answer, "%s sent more than %d bytes of headers", place, HTTP_HEADERS_MAX);
    else if (transfer->refused < 0)
        say(answer, "the transfer with %s was given up here: %s", place,
            strerror(-transfer->refused));
    else if (transfer->led_astray)
        say(answer, "it redirects to %s, which is link-local: that is not followed", place);
    else if (code == CURLE_UNSUPPORTED_PROTOCOL && is_redirect(transfer))
        say(answer, "it redirects to what is not followed from there: %s",
            libcurls_words(transfer, code));
    else if (code == CURLE_COULDNT_RESOLVE_HOST)
        say(answer, "no address is known for %s: is the name right, and DNS up?", place);
    else if (answer->result == -ETIMEDOUT && code == CURLE_OPERATION_TIMEDOUT)
        explain_timeout(transfer, place);
    else if (answer->result == -ECONNRESET)
        say(answer, "%s broke the connection off after %llu bytes", place,
            (unsigned long long)answer->received);
    else if (answer->result == -EPROTO)
        explain_protocol(transfer, code, place);
    else if (code == CURLE_COULDNT_CONNECT)
        say(answer, "cannot connect to %s: %s", place, strerror(-answer->result));
    else
        say(answer, "%s: %s", place, libcurls_words(transfer, code));
}

void http_conclude(struct http_transfer *transfer, CURLcode code)
{
    struct http_answer *answer = transfer->answer;
    long status = 0;

    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    answer->result = result_of(transfer, code);
    answer->status = transfer->headers_whole ? (int)status : 0;
    /* Of a refusal the status counts, so that its body may be cut off, slow or endless; of a
     * redirect, what became of it. */
    if (answer->status >= HTTP_STATUS_REDIRECT && !is_redirect(transfer))
        answer->result = 0;
    if (answer->result < 0)
        explain(transfer, code);
}

static int result_of_status(int status)
{
    switch (status) {
    case 404:
    case 410:
        return -ENOENT;
    case 401:
    case 403:
        return -EACCES;
    case 408:
    case 504:
        return -ETIMEDOUT;
    case 429:
    case 503:
        return -EAGAIN;
    default:
        return -EIO;
    }
}

/* Host and port of a URL that was asked, without query. */
static void name_url(const char *url, char *name, size_t size)
{
    CURLU *parts = text_need(curl_url());
    char *without = NULL;

    if (curl_url_set(parts, CURLUPART_URL, url, CURLU_PATH_AS_IS) == CURLUE_OK) {
        curl_url_set(parts, CURLUPART_QUERY, NULL, 0);
        curl_url_set(parts, CURLUPART_FRAGMENT, NULL, 0);
        curl_url_set(parts, CURLUPART_USER, NULL, 0);
        curl_url_set(parts, CURLUPART_PASSWORD, NULL, 0);
        curl_url_get(parts, CURLUPART_URL, &without, 0);
    }
    snprintf(name, size, "%s", without ? without : "the server");
    curl_free(without);
    curl_url_cleanup(parts);
}

int http_fetch(struct http *http, const struct http_request *request, struct http_answer *answer)
{
    char name[HTTP_WHY_MAX - 64];

    if (http_call(http, request, answer) < 0 ||
        (answer->status >= HTTP_STATUS_FINAL && answer->status < HTTP_STATUS_REDIRECT))
        return answer->result;
    name_url(request->url, name, sizeof name);
    answer->result = result_of_status(answer->status);
    say(answer, "%s answers %d %s%s", name, answer->status, http_status_words(answer->status),
        answer->status < 400 ? ", which leads elsewhere: redirects are not followed" : "");
    return answer->result;
}
