/*
 * The fetch plug-in: HTTP/1.1 (RFC 9112) by libcurl, behind source/http.h.
 *
 * One easy handle, and with it one kept connection. What the environment says about proxies has
 * no effect, no redirect is followed, no other protocol is spoken, and what a server sends is
 * never kept beyond the caller's maximum.
 */
#include "base/banned.h"
#include "base/memory.h"
#include "source/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* The body of an error is read, to keep the connection, and thrown away: up to this. */
enum {
    DISCARD_MAX = 64 << 10,
    STATUS_FINAL = 200,
    STATUS_OK = 200,
    STATUS_REDIRECT = 300,
    STATUS_REFUSED = 400,
    MS_PER_S = 1000
};

/* Link-local addresses: 169.254.0.0/16 (RFC 3927), also as IPv6 writes it (RFC 4291, 2.5.5.2),
 * fe80::/10, and fd00:ec2::/32, EC2's services. */
static const unsigned char link_local_prefix[] = {169, 254};
static const unsigned char metadata_prefix[] = {0xfd, 0x00, 0x0e, 0xc2};

/* The folder of certificates by hash, and the file that is beside them where there is one. */
static const char certificate_folder[] = "/etc/ssl/certs";
static const char bundle_of_folder[] = "/etc/ssl/certs/ca-certificates.crt";

struct client {
    CURL *curl;
    enum http_use use;
    char text[CURL_ERROR_SIZE]; /* libcurl's words about the last failure */

    /* Of the request under way: */
    struct buffer *out;
    size_t discarded;
    bool headers_whole;
    bool closing; /* the server said that it closes the connection */
    bool too_large;
    bool led_astray; /* redirected to a link-local address */
};

static long status_of(const struct client *client)
{
    long status = 0;

    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static bool names_header(const char *bytes, size_t size, const char *name)
{
    size_t length = strlen(name);

    return size > length && strncasecmp(bytes, name, length) == 0;
}

static size_t take_header(char *bytes, size_t unit, size_t count, void *context)
{
    struct client *client = context;
    size_t size = unit * count;

    if (names_header(bytes, size, "Connection:"))
        client->closing = !memmem(bytes, size, "alive", strlen("alive"));
    /* The empty line that ends them; after an interim answer (1xx) others follow. */
    if (size <= 2 && bytes[0] != '\0' && strchr("\r\n", bytes[0]))
        client->headers_whole = status_of(client) >= STATUS_FINAL;
    return size;
}

static size_t take_body(char *bytes, size_t unit, size_t count, void *context)
{
    struct client *client = context;
    size_t size = unit * count;

    if (status_of(client) != STATUS_OK) {
        client->discarded += size;
        return client->discarded <= DISCARD_MAX ? size : 0;
    }
    if (buffer_append(client->out, bytes, size))
        return size;
    client->too_large = true;
    return 0;
}

static size_t give_nothing(char *bytes, size_t unit, size_t count, void *context)
{
    (void)bytes, (void)unit, (void)count, (void)context;
    return 0;
}

static bool is_link_local(const struct sockaddr *address)
{
    const struct sockaddr_in *ipv4 = (const void *)address;
    const struct in6_addr *ipv6 = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;

    if (address->sa_family == AF_INET)
        return memcmp(&ipv4->sin_addr, link_local_prefix, sizeof link_local_prefix) == 0;
    if (address->sa_family != AF_INET6)
        return false;
    return IN6_IS_ADDR_LINKLOCAL(ipv6) ||
           memcmp(ipv6, metadata_prefix, sizeof metadata_prefix) == 0 ||
           (IN6_IS_ADDR_V4MAPPED(ipv6) &&
            memcmp(&ipv6->s6_addr[12], link_local_prefix, sizeof link_local_prefix) == 0);
}

/* As libcurl's own, but not inherited by the programs that this process starts; and no server
 * sends us on to the metadata service. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct client *client = context;
    long redirects = 0;

    (void)purpose;
    curl_easy_getinfo(client->curl, CURLINFO_REDIRECT_COUNT, &redirects);
    if (redirects && is_link_local(&address->addr)) {
        client->led_astray = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static void set_up_metadata(CURL *curl)
{
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
}

/* Certificates as OpenSSL's tools take them: by the variables, or those of the system, of which
 * only the one that is needed is read where they are a folder by hash. */
static void set_up_web(CURL *curl)
{
    const char *file = getenv("SSL_CERT_FILE"), *folder = getenv("SSL_CERT_DIR");

    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)HTTP_REDIRECTS_MAX);
    curl_easy_setopt(curl, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    if (file && *file)
        curl_easy_setopt(curl, CURLOPT_CAINFO, file);
    if (folder && *folder)
        curl_easy_setopt(curl, CURLOPT_CAPATH, folder);
    if (!(file && *file) && !(folder && *folder) && access(bundle_of_folder, R_OK) == 0) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
        curl_easy_setopt(curl, CURLOPT_CAPATH, certificate_folder);
    }
}

static void set_up(struct client *client)
{
    CURL *curl = client->curl;

    if (client->use == HTTP_WEB)
        set_up_web(curl);
    else
        set_up_metadata(curl);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(curl, CURLOPT_MAXCONNECTS, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "bootlace/" BOOTLACE_VERSION);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->text);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, client);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, client);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, client);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_nothing);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)0);
}

static void *fetch_open(enum http_use use)
{
    struct client *client;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return NULL;
    client = memory_zeroed(1, sizeof *client);
    client->curl = memory_need(curl_easy_init());
    client->use = use;
    set_up(client);
    return client;
}

static void fetch_close(void *handle)
{
    struct client *client = handle;

    if (!client)
        return;
    curl_easy_cleanup(client->curl);
    free(client);
}

/* What stopped a connection, by the system's own word. */
static enum http_failure failure_of_errno(long number)
{
    switch (number) {
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EADDRNOTAVAIL: /* no address of ours to come from */
        return HTTP_NO_ROUTE;
    case EACCES:
    case EPERM:
        return HTTP_PROHIBITED;
    case ECONNREFUSED:
        return HTTP_REFUSED;
    case ETIMEDOUT:
        return HTTP_NO_CONNECT;
    default:
        return HTTP_FAILED;
    }
}

static enum http_failure failure_of(const struct client *client, CURLcode code)
{
    long number = 0, sent = 0;

    switch (code) {
    case CURLE_OK:
        return HTTP_OK;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return HTTP_NO_NAME;
    case CURLE_COULDNT_CONNECT:
        if (client->led_astray)
            return HTTP_FAILED;
        curl_easy_getinfo(client->curl, CURLINFO_OS_ERRNO, &number);
        return failure_of_errno(number);
    case CURLE_OPERATION_TIMEDOUT:
        curl_easy_getinfo(client->curl, CURLINFO_REQUEST_SIZE, &sent);
        return sent > 0 ? HTTP_SILENT : HTTP_NO_CONNECT;
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_FAIL_REWIND:
        return HTTP_CUT;
    case CURLE_UNSUPPORTED_PROTOCOL: /* "HTTP/0.9": no status line came */
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_OUT_OF_MEMORY: /* libcurl's word for a header line beyond its limit */
        return HTTP_GARBLED;
    case CURLE_WRITE_ERROR:
        return client->too_large ? HTTP_TOO_LARGE : HTTP_GARBLED;
    default:
        return HTTP_FAILED;
    }
}

static struct curl_slist *header_list(const struct http_request *request)
{
    struct curl_slist *list = NULL;

    for (size_t i = 0; i < HTTP_HEADERS_MAX && request->headers[i]; i++)
        list = memory_need(curl_slist_append(list, request->headers[i]));
    /* An empty PUT needs no leave to send its body. */
    return memory_need(curl_slist_append(list, "Expect:"));
}

/* Whether something lies unread in the kept connection, where nothing should be. */
static bool has_leftover(curl_socket_t fd)
{
    char byte;

    return fd != CURL_SOCKET_BAD && recv(fd, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) > 0;
}

static curl_socket_t kept_socket(const struct client *client)
{
    curl_socket_t fd = CURL_SOCKET_BAD;

    curl_easy_getinfo(client->curl, CURLINFO_ACTIVESOCKET, &fd);
    return fd;
}

/*
 * Whether more came than Content-Length said, so that the body in hand may be a part of the true
 * one. libcurl ends such a connection without a word, if it has read that far; else the rest still
 * waits in the socket.
 */
static bool is_excessive(const struct client *client)
{
    curl_off_t length = -1;
    long version = 0;
    curl_socket_t fd;

    curl_easy_getinfo(client->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    curl_easy_getinfo(client->curl, CURLINFO_HTTP_VERSION, &version);
    if (length < 0 || version != CURL_HTTP_VERSION_1_1 || client->closing)
        return false;
    fd = kept_socket(client);
    return fd == CURL_SOCKET_BAD || has_leftover(fd);
}

/* One that was to be followed: what became of that is what counts. */
static bool is_redirect(const struct client *client, long status)
{
    return client->use == HTTP_WEB && status >= STATUS_REDIRECT && status < STATUS_REFUSED;
}

static void note_answer(struct client *client, CURLcode code, struct http_answer *answer)
{
    curl_off_t seconds = 0;
    long status = status_of(client);

    answer->failure = failure_of(client, code);
    if (code == CURLE_OK && status == STATUS_OK && is_excessive(client)) {
        answer->failure = HTTP_GARBLED;
        snprintf(client->text, sizeof client->text, "more came than its Content-Length says");
    }
    /* Of an error only the status counts, so that its body may be cut off, slow or endless. */
    if (client->headers_whole && status >= STATUS_FINAL && status != STATUS_OK &&
        !is_redirect(client, status))
        answer->failure = HTTP_OK;
    if (client->led_astray)
        snprintf(client->text, sizeof client->text, "it redirects to a link-local address");
    if (answer->failure != HTTP_OK) {
        snprintf(answer->detail, sizeof answer->detail, "%.*s", HTTP_DETAIL_MAX - 1,
                 *client->text ? client->text : curl_easy_strerror(code));
        return;
    }
    answer->status = (int)status;
    /* Seconds or a date (RFC 9110, 10.2.3): libcurl turns both into seconds from now. */
    curl_easy_getinfo(client->curl, CURLINFO_RETRY_AFTER, &seconds);
    if (seconds > 0)
        answer->retry_after_ms = (seconds < INT_MAX ? seconds : INT_MAX) * MS_PER_S;
}

static void fetch_request(void *handle, const struct http_request *request, struct buffer *out,
                          struct http_answer *answer)
{
    struct client *client = handle;
    struct curl_slist *headers = header_list(request);
    CURLcode code;

    *answer = (struct http_answer){.retry_after_ms = -1};
    buffer_clear(out);
    client->out = out;
    client->discarded = 0;
    client->headers_whole = client->closing = client->too_large = client->led_astray = false;
    *client->text = '\0';
    if (strcmp(request->method, "PUT") == 0)
        curl_easy_setopt(client->curl, CURLOPT_UPLOAD, 1L);
    else
        curl_easy_setopt(client->curl, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(client->curl, CURLOPT_TIMEOUT_MS,
                     (long)(request->timeout_ms < INT_MAX ? request->timeout_ms : INT_MAX));
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
    /* What the last answer left behind must not become the beginning of this one. */
    curl_easy_setopt(client->curl, CURLOPT_FRESH_CONNECT,
                     has_leftover(kept_socket(client)) ? 1L : 0L);
    /* From an address that is encrypted, only to others that are. */
    if (client->use == HTTP_WEB)
        curl_easy_setopt(client->curl, CURLOPT_REDIR_PROTOCOLS_STR,
                         names_header(request->url, strlen(request->url), "https:") ? "https"
                                                                                    : "http,https");
    code = curl_easy_setopt(client->curl, CURLOPT_URL, request->url);
    if (code == CURLE_OK)
        code = curl_easy_perform(client->curl);
    note_answer(client, code, answer);
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
}

__attribute__((visibility("default"))) const struct http_transport bootlace_fetch = {
    .size = sizeof(struct http_transport),
    .open = fetch_open,
    .request = fetch_request,
    .close = fetch_close,
};
