/*
 * The parts of the HTTP engine, for each other; modules see http.h. http.c moves transfers,
 * http_setup.c tells libcurl what one is like, http_take.c receives its answer, and http_why.c
 * finds words for its failures.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BOOTLACE_SUPPORT_HTTP_ENGINE_H
#define BOOTLACE_SUPPORT_HTTP_ENGINE_H

#include <support/curl_late.h>
#include <support/http.h>

enum {
    HTTP_STATUS_FINAL = 200,
    HTTP_STATUS_REDIRECT = 300,
    HTTP_STATUS_REFUSED = 400,
    HTTP_MS_PER_S = 1000
};

struct http_transfer {
    struct http_transfer *next;
    struct http *http;
    const struct http_request *request;
    struct http_answer *answer;
    http_done *done;
    void *done_context;

    CURL *easy; /* NULL while it waits */
    int64_t began_ms, due_ms;

    /* Of the attempt under way: */
    struct curl_slist *headers;
    uint64_t sent;
    bool headers_whole;
    bool led_astray;             /* redirected to a link-local address */
    int refused;                 /* what a sink, a source or a limit said: a negative errno */
    char words[CURL_ERROR_SIZE]; /* libcurl's own */
};

/* Gives a handle everything that the request says; 0, or -EINVAL with words in the answer. */
int http_set_up(struct http_transfer *transfer);

/* What libcurl calls with an answer, and with the request's body. */
size_t http_take_header(char *bytes, size_t unit, size_t count, void *context);
size_t http_take_body(char *bytes, size_t unit, size_t count, void *context);
size_t http_give_body(char *bytes, size_t unit, size_t count, void *context);
int http_rewind_body(void *context, curl_off_t offset, int origin);

/* Sets answer->result, status and why from how libcurl ended the attempt. */
void http_conclude(struct http_transfer *transfer, CURLcode code);

#endif
