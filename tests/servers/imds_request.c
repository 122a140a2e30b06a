/*
 * imds_request.c: reads one HTTP/1.1 request (RFC 9112) of the kind that metadata clients send.
 *
 * It is stricter than a public server would be (no bare LF, no folded header, no absolute target),
 * so that a client's slip shows in its tests.
 */
#define _GNU_SOURCE
#include "imds.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char HEAD_END[] = "\r\n\r\n";
static const char LINE_END[] = "\r\n";

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Decodes the path of a target into `path`; 0 or a negated status. */
static int decode_path(const char *target, char path[IMDS_MAX_PATH])
{
    size_t used = 0;

    if (target[0] != '/')
        return -400;
    for (const char *at = target; *at != '\0' && *at != '?'; at++) {
        char c = *at;

        if (c == '%') {
            int high = hex_value(at[1]);
            int low = high < 0 ? -1 : hex_value(at[2]);

            if (low < 0)
                return -400;
            c = (char)(high * 16 + low);
            at += 2;
        }
        if ((unsigned char)c < ' ' || c == 0x7f)
            return -400;
        if (used + 1 >= IMDS_MAX_PATH)
            return -414;
        path[used++] = c;
    }
    path[used] = '\0';
    return 0;
}

/* What only the reader of the request needs to know of it. */
struct framing {
    bool needs_host; /* HTTP/1.1 */
    bool host;
    bool coded; /* a Transfer-Encoding: no metadata client has a reason for one */
    const char *length;
};

/* METHOD SP TARGET SP VERSION, cut up in place. */
static int read_request_line(char *line, struct imds_request *request, struct framing *framing)
{
    char *target = strchr(line, ' ');
    char *version = target == NULL ? NULL : strchr(target + 1, ' ');

    if (version == NULL || target == line || strchr(version + 1, ' ') != NULL)
        return -400;
    *target++ = '\0';
    *version++ = '\0';
    request->method = line;
    request->target = target;
    if (strcmp(version, "HTTP/1.1") == 0)
        request->keep_alive = framing->needs_host = true;
    else if (strcmp(version, "HTTP/1.0") != 0)
        return -505;
    return decode_path(target, request->path);
}

static int read_header(char *line, struct imds_request *request, struct framing *framing)
{
    char *value = strchr(line, ':');

    if (value == NULL || value == line || line[0] == ' ' || line[0] == '\t' || value[-1] == ' ')
        return -400;
    *value++ = '\0';
    value += strspn(value, " \t");
    for (char *end = value + strlen(value); end > value && strchr(" \t", end[-1]) != NULL;)
        *--end = '\0';

    if (strcasecmp(line, "X-aws-ec2-metadata-token") == 0)
        request->token = value;
    else if (strcasecmp(line, "X-aws-ec2-metadata-token-ttl-seconds") == 0)
        request->token_ttl = value;
    else if (strcasecmp(line, "X-Forwarded-For") == 0)
        request->forwarded = true;
    else if (strcasecmp(line, "Connection") == 0 && strcasestr(value, "close") != NULL)
        request->keep_alive = false;
    else if (strcasecmp(line, "Connection") == 0 && strcasestr(value, "keep-alive") != NULL)
        request->keep_alive = true;
    else if (strcasecmp(line, "Host") == 0)
        framing->host = true;
    else if (strcasecmp(line, "Transfer-Encoding") == 0)
        framing->coded = true;
    else if (strcasecmp(line, "Content-Length") == 0)
        framing->length = value;
    return 0;
}

static int read_head(struct imds_request *request, struct framing *framing)
{
    char *line = request->head;
    int result = 0;

    for (bool first = true; *line != '\0' && result == 0; first = false) {
        char *end = strstr(line, LINE_END);

        if (end == NULL)
            return -400;
        *end = '\0';
        result =
            first ? read_request_line(line, request, framing) : read_header(line, request, framing);
        line = end + strlen(LINE_END);
    }
    return result;
}

/* Adds the body to the request's size; the body itself means nothing to this service. */
static int measure_body(const struct framing *framing, struct imds_request *request)
{
    char *end;
    unsigned long length;

    if (framing->coded)
        return -501;
    if (framing->length == NULL)
        return 0;
    if (framing->length[0] < '0' || framing->length[0] > '9')
        return -400;
    length = strtoul(framing->length, &end, 10);
    if (*end != '\0')
        return -400;
    if (length > IMDS_MAX_REQUEST - request->size)
        return -413;
    request->size += length;
    return 0;
}

int imds_request_read(const char *data, size_t size, struct imds_request *request)
{
    const char *end = memmem(data, size, HEAD_END, strlen(HEAD_END));
    struct framing framing = {0};
    int result;

    request->method = request->target = "-";
    request->token = request->token_ttl = NULL;
    request->forwarded = request->keep_alive = false;
    request->path[0] = '\0';
    if (end == NULL)
        return size < IMDS_MAX_REQUEST ? 0 : -431;

    request->size = (size_t)(end - data) + strlen(HEAD_END);
    /* Of the empty line that ends the head only the line end before it belongs to a line. */
    size_t lines = request->size - strlen(LINE_END);
    if (memchr(data, '\0', lines) != NULL)
        return -400;
    memcpy(request->head, data, lines);
    request->head[lines] = '\0';

    result = read_head(request, &framing);
    if (result == 0 && framing.needs_host && !framing.host)
        result = -400;
    if (result == 0)
        result = measure_body(&framing, request);
    if (result < 0)
        return result;
    return request->size <= size ? 1 : 0;
}
