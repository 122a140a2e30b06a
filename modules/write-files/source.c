/* Content from elsewhere; see source.h. */
#include <write-files/source.h>

#include <support/http.h>
#include <support/tree.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DIGEST_LIMIT_S = 120 };

static const char digits[] = "0123456789abcdefABCDEF";

static int wrong(char *why, int number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int wrong(char *why, int number, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(why, SOURCE_WHY_MAX, format, arguments);
    va_end(arguments);
    return -number;
}

/* The rest of the text behind the beginning, in any case, or NULL. */
static const char *behind(const char *text, const char *beginning)
{
    size_t length = strlen(beginning);

    return strncasecmp(text, beginning, length) == 0 ? text + length : NULL;
}

static int read_checksum(struct source *source, const char *text, const char *name, char *why)
{
    if (strlen(text) != SOURCE_DIGEST_MAX - 1 || strspn(text, digits) != SOURCE_DIGEST_MAX - 1)
        return wrong(why, EINVAL, "%s is no SHA-256: write 64 hexadecimal digits", name);
    if (source->checksum && strcasecmp(source->checksum, text) != 0)
        return wrong(why, EINVAL, "source.checksum and the one behind source.uri differ");
    source->checksum = text;
    return 0;
}

/* Cuts off what stands behind '#': no part of the address, but here it may be a checksum. */
static int take_fragment(struct source *source, char *uri, char *why)
{
    char *fragment = strchr(uri, '#');
    const char *checksum;

    if (!fragment)
        return 0;
    *fragment++ = '\0';
    checksum = behind(fragment, "sha256=");
    return checksum ? read_checksum(source, checksum, "what follows #sha256= in source.uri", why)
                    : 0;
}

/* Scheme, host and path. */
static char *without_secrets(const char *address)
{
    const char *host = strstr(address, "://") + strlen("://");
    size_t authority = strcspn(host, "/?");
    const char *at = memrchr(host, '@', authority), *shown = at ? at + 1 : host;

    return text_format("%.*s%.*s", (int)(host - address), address,
                       (int)(strcspn(host, "?") - (size_t)(shown - host)), shown);
}

static int read_address(struct source *source, char *uri, char *why)
{
    int result;

    if (strlen(uri) > SOURCE_URI_MAX)
        return wrong(why, E2BIG, "source.uri has more than %d characters", SOURCE_URI_MAX);
    for (const char *c = uri; *c; c++) {
        if ((unsigned char)*c <= ' ' || *c == '\x7f')
            return wrong(why, EINVAL, "source.uri has a blank in it; %%20 stands for one");
    }
    result = take_fragment(source, uri, why);
    if (result == 0) {
        source->address = uri;
        source->shown = without_secrets(uri);
    }
    return result;
}

static int read_uri(struct source *source, const char *uri, char *why)
{
    const char *rest = behind(uri, "file://");

    if (behind(uri, "http://") || behind(uri, "https://"))
        return read_address(source, text_format("%s", uri), why);
    if (behind(uri, "s3://"))
        return wrong(why, EPROTONOSUPPORT, "source.uri is one of S3: use the key s3 for it");
    if (!rest)
        return wrong(why, EPROTONOSUPPORT,
                     "source.uri begins with none of https://, http:// and file:///");
    if (behind(rest, "localhost/"))
        rest += strlen("localhost");
    if (*rest != '/')
        return wrong(why, EINVAL, "source.uri names another machine; write file:///PATH");
    source->path = rest;
    return 0;
}

/* Whether it is a token (RFC 9110, 5.6.2), as a header's name is. */
static bool is_token(const char *name)
{
    static const char allowed[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "!#$%&'*+-.^_`|~";

    return *name && name[strspn(name, allowed)] == '\0';
}

static int read_headers(struct source *source, const json_t *headers, char *why)
{
    const char *name;
    const json_t *member;
    size_t count = 0;

    if (headers && !json_is_null(headers) && !json_is_object(headers))
        return wrong(why, EINVAL, "source.headers is no mapping of names to texts");
    json_object_foreach((json_t *)(uintptr_t)headers, name, member)
    {
        const char *value = json_string_value(member);

        if (count == SOURCE_HEADERS_MAX)
            return wrong(why, E2BIG, "source.headers has more than %d members", SOURCE_HEADERS_MAX);
        if (!is_token(name))
            return wrong(why, EINVAL, "source.headers has a name that is none of a header");
        if (!value || strpbrk(value, "\r\n"))
            return wrong(why, EINVAL, "source.headers.%s is no text of one line", name);
        source->headers[count++] = text_format("%s: %s", name, value);
    }
    return 0;
}

int source_read(const json_t *given, struct source *source, char why[static SOURCE_WHY_MAX])
{
    const json_t *checksum = json_object_get(given, "checksum");
    const char *uri = json_string_value(json_object_get(given, "uri"));
    int result = 0;

    *source = (struct source){0};
    if (!uri || !*uri)
        return wrong(why, EINVAL, "source has no uri");
    if (checksum && !json_is_null(checksum)) {
        const char *text = json_string_value(checksum);

        text = text ? behind(text, "sha256:") : NULL;
        result =
            read_checksum(source, text ? text : "", "what follows sha256: in source.checksum", why);
    }
    if (result == 0)
        result = read_uri(source, uri, why);
    return result == 0 ? read_headers(source, json_object_get(given, "headers"), why) : result;
}

/* The bytes' SHA-256, by sha256sum(1): libcrypto would take longer to load. */
static int reckon(const struct bootlace_host *host, const struct text *bytes,
                  char digest[static SOURCE_DIGEST_MAX], char *why)
{
    static const char *const argv[] = {"sha256sum", NULL};
    const struct bootlace_program program = {.size = sizeof program,
                                             .argv = argv,
                                             .input = text_string(bytes),
                                             .input_size = bytes->size,
                                             .effect = BOOTLACE_READS,
                                             .time_limit = DIGEST_LIMIT_S,
                                             .capture = digest,
                                             .capture_size = SOURCE_DIGEST_MAX,
                                             .outside = 1};
    struct bootlace_ending ending;
    int result;

    *digest = '\0';
    result = host->run_program(host, &program, &ending);
    if (result < 0)
        return wrong(why, -result, "its checksum cannot be reckoned: sha256sum: %s",
                     strerror(-result));
    if (ending.exit_code != 0 || strspn(digest, digits) != SOURCE_DIGEST_MAX - 1)
        return wrong(why, EIO, "its checksum cannot be reckoned: sha256sum failed");
    return 0;
}

/* 1 the bytes are what the checksum says, 0 they are not, or a negative errno and why. */
static int fits(const struct bootlace_host *host, const struct source *source,
                const struct text *bytes, char *why)
{
    char digest[SOURCE_DIGEST_MAX];
    int result = reckon(host, bytes, digest, why);

    return result < 0 ? result : strcasecmp(digest, source->checksum) == 0;
}

static int take_file(const struct bootlace_host *host, const struct source *source,
                     struct text *out, char *why)
{
    int result = tree_read(host, source->path, out, NULL);

    if (result < 0)
        return wrong(why, -result, "source.uri cannot be read: %s",
                     result == -EINVAL ? "it is no regular file" : strerror(-result));
    return 0;
}

static int fetch(const struct bootlace_host *host, const struct source *source, struct text *out,
                 char *why)
{
    /* One for all items: it keeps connections. */
    static struct http *http;
    const struct http_request request = {
        .url = source->address,
        .headers = source->headers,
        .body_max = SOURCE_BYTES_MAX,
        .overall_s = SOURCE_LIMIT_S,
        /* What the headers say is for this server, and nobody that it leads to. */
        .redirects = *source->headers ? 0 : SOURCE_REDIRECTS,
        .attempts = SOURCE_ATTEMPTS};
    struct http_answer answer = {0};
    int result;

    if (host->dry_run) {
        wrong(why, 0, "to be fetched from %s", source->shown);
        return 1;
    }
    host->log(host, BOOTLACE_INFO, "fetching %s", source->shown);
    http = http ? http : http_new();
    result = http_fetch(http, &request, &answer);
    if (result == -EFBIG)
        wrong(why, EFBIG, "%s has more than %d MiB: fetch it by runcmd, or the key s3",
              source->shown, SOURCE_BYTES_MAX >> 20);
    else if (result < 0)
        wrong(why, -result, "cannot be fetched: %s", answer.why);
    else
        text_add(out, text_string(&answer.body), answer.body.size);
    http_answer_clear(&answer);
    return result;
}

int source_take(const struct bootlace_host *host, const struct source *source, const char *path,
                struct text *out, char why[static SOURCE_WHY_MAX])
{
    int result;

    if (source->checksum && path && tree_read(host, path, out, NULL) == 0 &&
        fits(host, source, out, why) > 0)
        return 0;
    out->size = 0;
    result = source->path ? take_file(host, source, out, why) : fetch(host, source, out, why);
    if (result != 0 || !source->checksum)
        return result;
    result = fits(host, source, out, why);
    if (result == 0)
        return wrong(why, EBADMSG,
                     "its source is not what its checksum says (%zu bytes): it was changed, or the "
                     "checksum is another file's",
                     out->size);
    return result < 0 ? result : 0;
}
