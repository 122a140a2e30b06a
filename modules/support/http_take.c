/* An answer as it comes, and a request's body as it goes; see http_engine.h. */
#include <support/http_engine.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static long status_of(const struct http_transfer *transfer)
{
    long status = 0;

    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

/* Keeps a header as its name, zero, its value, zero. */
static void keep_header(struct text *headers, const char *line, size_t size)
{
    const char *colon = memchr(line, ':', size), *value;

    if (!colon || memchr(line, '\0', size))
        return;
    value = colon + 1;
    while (value < line + size && strchr(" \t", *value))
        value++;
    text_add(headers, line, (size_t)(colon - line));
    text_add(headers, "", 1);
    text_add(headers, value, (size_t)(line + size - value));
    text_add(headers, "", 1);
}

size_t http_take_header(char *bytes, size_t unit, size_t count, void *context)
{
    struct http_transfer *transfer = context;
    struct http_answer *answer = transfer->answer;
    size_t size = unit * count, length = size;

    if (size > HTTP_HEADERS_MAX - answer->headers.size) {
        transfer->refused = -EPROTO;
        return 0;
    }
    while (length > 0 && strchr("\r\n \t", bytes[length - 1]))
        length--;
    /* Each status line begins anew: after an interim answer, or one that led elsewhere. */
    if (length >= strlen("HTTP/") && strncmp(bytes, "HTTP/", strlen("HTTP/")) == 0) {
        answer->headers.size = 0;
        transfer->headers_whole = false;
    } else if (length > 0)
        keep_header(&answer->headers, bytes, length);
    else
        transfer->headers_whole = status_of(transfer) >= HTTP_STATUS_FINAL;
    return size;
}

/* The body of a refusal: as much of it as is worth keeping; what follows is not waited for. */
static size_t take_refusal(struct http_answer *answer, const char *bytes, size_t size)
{
    size_t room = HTTP_REFUSAL_MAX - answer->body.size;

    text_add(&answer->body, bytes, size < room ? size : room);
    return size <= room ? size : 0;
}

size_t http_take_body(char *bytes, size_t unit, size_t count, void *context)
{
    struct http_transfer *transfer = context;
    const struct http_request *request = transfer->request;
    struct http_answer *answer = transfer->answer;
    uint64_t most = request->body_max ? request->body_max
                    : request->sink   ? UINT64_MAX
                                      : HTTP_BODY_MAX;
    size_t size = unit * count;

    answer->status = (int)status_of(transfer);
    if (answer->status >= HTTP_STATUS_REDIRECT)
        return take_refusal(answer, bytes, size);
    if (size > most - answer->received)
        transfer->refused = -EFBIG;
    else if (request->sink)
        transfer->refused = request->sink(request->context, answer->received, bytes, size);
    else
        text_add(&answer->body, bytes, size);
    if (transfer->refused < 0)
        return 0;
    answer->received += size;
    return size;
}

size_t http_give_body(char *bytes, size_t unit, size_t count, void *context)
{
    struct http_transfer *transfer = context;
    const struct http_request *request = transfer->request;
    uint64_t whole = request->source ? request->source_size : request->body_size;
    size_t room = unit * count;
    ssize_t given;

    if (room > whole - transfer->sent)
        room = (size_t)(whole - transfer->sent);
    if (room == 0)
        return 0;
    if (request->source) {
        given = request->source(request->context, transfer->sent, bytes, room);
        if (given <= 0) {
            transfer->refused = given < 0 ? (int)given : -ENODATA;
            return CURL_READFUNC_ABORT;
        }
        room = (size_t)given < room ? (size_t)given : room;
    } else
        memcpy(bytes, (const char *)request->body + transfer->sent, room);
    transfer->sent += room;
    return room;
}

int http_rewind_body(void *context, curl_off_t offset, int origin)
{
    struct http_transfer *transfer = context;

    if (origin != SEEK_SET || offset < 0)
        return CURL_SEEKFUNC_FAIL;
    transfer->sent = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

const char *http_header(const struct http_answer *answer, const char *name)
{
    const char *at = text_string(&answer->headers), *end = at + answer->headers.size;

    while (at < end) {
        const char *value = at + strlen(at) + 1;

        if (strcasecmp(at, name) == 0)
            return value;
        at = value + strlen(value) + 1;
    }
    return NULL;
}

void http_answer_clear(struct http_answer *answer)
{
    free(answer->headers.bytes);
    free(answer->body.bytes);
    *answer = (struct http_answer){0};
}
