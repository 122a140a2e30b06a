/* What libcurl is told about a request; see http_engine.h. */
#include <support/http_engine.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum { UPLOAD_BUFFER_BYTES = 512 << 10, EXPECT_FROM_BYTES = 1 << 20 };

#define SYSTEM_CERTIFICATES "/etc/ssl/certs"

/* 169.254.0.0/16 (RFC 3927), also as IPv6 writes it (RFC 4291, 2.5.5.2), fe80::/10, and
 * fd00:ec2::/32, EC2's services. */
static bool is_link_local_address(const struct sockaddr *address)
{
    static const unsigned char ipv4_prefix[] = {169, 254}, ec2_prefix[] = {0xfd, 0x00, 0x0e, 0xc2};
    const struct sockaddr_in *ipv4 = (const void *)address;
    const struct in6_addr *ipv6 = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;

    if (address->sa_family == AF_INET)
        return memcmp(&ipv4->sin_addr, ipv4_prefix, sizeof ipv4_prefix) == 0;
    if (address->sa_family != AF_INET6)
        return false;
    return IN6_IS_ADDR_LINKLOCAL(ipv6) || memcmp(ipv6, ec2_prefix, sizeof ec2_prefix) == 0 ||
           (IN6_IS_ADDR_V4MAPPED(ipv6) &&
            memcmp(&ipv6->s6_addr[12], ipv4_prefix, sizeof ipv4_prefix) == 0);
}

/* As libcurl's own, but not inherited by the programs that this process starts; and no server
 * sends us on to the metadata service. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct http_transfer *transfer = context;
    long redirects = 0;

    (void)purpose;
    curl_easy_getinfo(transfer->easy, CURLINFO_REDIRECT_COUNT, &redirects);
    if (redirects > 0 && is_link_local_address(&address->addr)) {
        transfer->led_astray = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Whether certificates are in a folder under the hashes of their subjects, as c_rehash makes it. */
static bool is_hashed(const char *folder)
{
    DIR *stream = opendir(folder);
    const struct dirent *entry;
    bool found = false;

    if (!stream)
        return false;
    while (!found && (entry = readdir(stream)))
        found = strlen(entry->d_name) == strlen("01234567.0") &&
                strspn(entry->d_name, "0123456789abcdef") == strlen("01234567") &&
                strcmp(entry->d_name + strlen("01234567"), ".0") == 0;
    closedir(stream);
    return found;
}

/*
 * Which authorities count. The environment's word comes first. Else, with OpenSSL and a hashed
 * folder, that folder alone: the one certificate that is needed is read, and not all of them, which
 * costs 30 ms.
 */
static void set_authorities(CURL *easy)
{
    static const char *const files[] = {"AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"};
    static int hashed = -1;
    const char *folder = getenv("SSL_CERT_DIR");

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const char *file = getenv(files[i]);

        if (file && *file) {
            curl_easy_setopt(easy, CURLOPT_CAINFO, file);
            return;
        }
    }
    if (folder && *folder) {
        curl_easy_setopt(easy, CURLOPT_CAPATH, folder);
        return;
    }
    if (hashed < 0) {
        const char *tls = curl_version_info(CURLVERSION_NOW)->ssl_version;

        hashed = tls && strncmp(tls, "OpenSSL", strlen("OpenSSL")) == 0 &&
                 is_hashed(SYSTEM_CERTIFICATES);
    }
    if (hashed) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
        curl_easy_setopt(easy, CURLOPT_CAPATH, SYSTEM_CERTIFICATES);
    }
}

/* 169.254.0.0/16, fe80::/10 and fd00:ec2::/32, the metadata service's: nothing that a proxy could
 * reach, nor should see. */
static bool is_link_local(const char *host)
{
    return strncmp(host, "169.254.", strlen("169.254.")) == 0 ||
           strncasecmp(host, "[fe80:", strlen("[fe80:")) == 0 ||
           strncasecmp(host, "[fd00:ec2:", strlen("[fd00:ec2:")) == 0;
}

static int refuse(struct http_transfer *transfer, const char *what)
{
    snprintf(transfer->answer->why, HTTP_WHY_MAX, "this request cannot be made: %s", what);
    return -EINVAL;
}

static int set_url(struct http_transfer *transfer)
{
    const char *url = transfer->request->url;
    bool is_https;
    char *host = NULL;
    CURLU *parts;
    int result = 0;

    if (!url || !*url)
        return refuse(transfer, "it has no URL");
    if (strlen(url) > HTTP_URL_MAX)
        return refuse(transfer, "its URL is too long");
    for (const char *at = url; *at; at++) {
        if (*at <= ' ' || *at == 0x7f)
            return refuse(transfer, "its URL holds what must be percent-encoded");
    }
    is_https = strncasecmp(url, "https://", strlen("https://")) == 0;
    if (!is_https && strncasecmp(url, "http://", strlen("http://")) != 0)
        return refuse(transfer, "its URL begins with neither http:// nor https://");
    parts = text_need(curl_url());
    if (curl_url_set(parts, CURLUPART_URL, url, CURLU_PATH_AS_IS) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK)
        result = refuse(transfer, "its URL is none");
    else if (is_link_local(host))
        curl_easy_setopt(transfer->easy, CURLOPT_NOPROXY, "*");
    curl_free(host);
    curl_url_cleanup(parts);
    curl_easy_setopt(transfer->easy, CURLOPT_URL, url);
    curl_easy_setopt(transfer->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(transfer->easy, CURLOPT_REDIR_PROTOCOLS_STR,
                     is_https ? "https" : "http,https");
    return result;
}

static uint64_t body_size(const struct http_request *request)
{
    return request->source ? request->source_size : request->body_size;
}

static int set_headers(struct http_transfer *transfer)
{
    const char *const *header = transfer->request->headers;
    bool may_ask = body_size(transfer->request) >= EXPECT_FROM_BYTES;

    for (; header && *header; header++) {
        /* libcurl takes "Name:" for an order to leave it out, and "Name;" for one without value. */
        size_t name = strcspn(*header, ":");
        const char *value = *header + name + ((*header)[name] == ':');
        char *line;

        if (name == 0 || strpbrk(*header, "\r\n") || (*header)[name] == '\0')
            return refuse(transfer, "a header is none");
        value += strspn(value, " \t");
        line = *value ? text_format("%.*s: %s", (int)name, *header, value)
                      : text_format("%.*s;", (int)name, *header);
        transfer->headers = text_need(curl_slist_append(transfer->headers, line));
        free(line);
    }
    /* A small body is sent without asking for leave. */
    if (!may_ask)
        transfer->headers = text_need(curl_slist_append(transfer->headers, "Expect:"));
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
    return 0;
}

static void set_method(struct http_transfer *transfer)
{
    const struct http_request *request = transfer->request;
    const char *method = request->method ? request->method : "GET";
    CURL *easy = transfer->easy;
    bool has_body = body_size(request) > 0 || strcmp(method, "PUT") == 0 ||
                    strcmp(method, "POST") == 0 || strcmp(method, "PATCH") == 0;

    if (strcmp(method, "HEAD") == 0)
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    if (!has_body)
        return;
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)body_size(request));
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, http_give_body);
    curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, http_rewind_body);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, transfer);
    if (body_size(request) > UPLOAD_BUFFER_BYTES)
        curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BUFFER_BYTES);
}

static void set_limits(struct http_transfer *transfer)
{
    const struct http_request *request = transfer->request;
    CURL *easy = transfer->easy;
    unsigned overall = request->overall_s;
    size_t buffer = request->buffer_bytes ? request->buffer_bytes : HTTP_BUFFER_BYTES;

    if (!overall && !request->sink && !request->source)
        overall = HTTP_CALL_S;
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT,
                     (long)(request->connect_s ? request->connect_s : HTTP_CONNECT_S));
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
                     (long)(request->stall_s ? request->stall_s : HTTP_STALL_S));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)overall);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)buffer);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, request->redirects ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)request->redirects);
}

int http_set_up(struct http_transfer *transfer)
{
    CURL *easy = transfer->easy;
    int result;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->words);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "bootlace/" BOOTLACE_VERSION);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, http_take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, http_take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    set_authorities(easy);
    set_method(transfer);
    set_limits(transfer);
    result = set_url(transfer);
    return result < 0 ? result : set_headers(transfer);
}
