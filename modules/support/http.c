/* The engine that moves transfers, by libcurl's multi interface; see http.h. */
#include <support/http.h>

#include <support/http_engine.h>
#include <support/retry.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    CONNECTIONS_KEPT = 64,
    IDLE_HANDLES_MAX = 64,
    POLL_MAX_MS = 1000,
    MS_PER_S = HTTP_MS_PER_S,
    NS_PER_MS = 1000000
};

struct http {
    CURLM *multi;
    struct http_transfer *first; /* under way, or waiting to be */
    CURL *idle[IDLE_HANDLES_MAX];
    unsigned idle_count;
    bool has_ended; /* an attempt, while everything moved once */
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
}

struct http *http_new(void)
{
    struct http *http = text_need(calloc(1, sizeof *http));

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        text_need(NULL);
    http->multi = text_need(curl_multi_init());
    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
    curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    return http;
}

static CURL *take_handle(struct http *http)
{
    if (http->idle_count > 0)
        return http->idle[--http->idle_count];
    return text_need(curl_easy_init());
}

/* Ends an attempt's use of libcurl; what it learned of names and connections stays. */
static void put_handle_back(struct http_transfer *transfer)
{
    struct http *http = transfer->http;

    if (!transfer->easy)
        return;
    curl_multi_remove_handle(http->multi, transfer->easy);
    curl_easy_reset(transfer->easy);
    if (http->idle_count < IDLE_HANDLES_MAX)
        http->idle[http->idle_count++] = transfer->easy;
    else
        curl_easy_cleanup(transfer->easy);
    transfer->easy = NULL;
    curl_slist_free_all(transfer->headers);
    transfer->headers = NULL;
}

void http_free(struct http *http)
{
    if (!http)
        return;
    while (http->first) {
        struct http_transfer *transfer = http->first;

        http->first = transfer->next;
        put_handle_back(transfer);
        transfer->answer->result = -ECANCELED;
        free(transfer);
    }
    while (http->idle_count > 0)
        curl_easy_cleanup(http->idle[--http->idle_count]);
    curl_multi_cleanup(http->multi);
    free(http);
}

void http_start(struct http *http, const struct http_request *request, struct http_answer *answer,
                http_done *done, void *context)
{
    struct http_transfer *transfer = text_need(calloc(1, sizeof *transfer));
    struct http_transfer **last = &http->first;

    *transfer = (struct http_transfer){.http = http,
                                       .request = request,
                                       .answer = answer,
                                       .done = done,
                                       .done_context = context,
                                       .began_ms = now_ms()};
    while (*last)
        last = &(*last)->next;
    *last = transfer;
}

/* The end of a transfer, which may be the beginning of others. */
static void finish(struct http_transfer *transfer)
{
    struct http_transfer **link = &transfer->http->first;

    transfer->http->has_ended = true;
    while (*link != transfer)
        link = &(*link)->next;
    *link = transfer->next;
    if (transfer->done)
        transfer->done(transfer->done_context, transfer->answer);
    free(transfer);
}

/* Another attempt after a while, or the end. */
static void judge(struct http_transfer *transfer)
{
    const struct http_request *request = transfer->request;
    struct http_answer *answer = transfer->answer;
    int wait_ms;

    put_handle_back(transfer);
    transfer->http->has_ended = true;
    answer->elapsed_ms = (unsigned)(now_ms() - transfer->began_ms);
    wait_ms = request->judge ? request->judge(request->judge_context, answer)
                             : retry_next_ms(answer, request->attempts);
    if (wait_ms < 0)
        finish(transfer);
    else
        transfer->due_ms = now_ms() + wait_ms;
}

/* Begins an attempt. */
static void begin(struct http_transfer *transfer)
{
    struct http_answer *answer = transfer->answer;

    answer->result = 0;
    answer->status = 0;
    answer->attempts++;
    answer->received = 0;
    answer->headers.size = answer->body.size = 0;
    *answer->why = '\0';
    transfer->sent = 0;
    transfer->headers_whole = transfer->led_astray = false;
    transfer->refused = 0;
    *transfer->words = '\0';
    transfer->easy = take_handle(transfer->http);
    answer->result = http_set_up(transfer);
    if (answer->result < 0) {
        put_handle_back(transfer);
        finish(transfer);
        return;
    }
    if (curl_multi_add_handle(transfer->http->multi, transfer->easy) != CURLM_OK)
        text_need(NULL);
}

static void begin_due(struct http *http)
{
    struct http_transfer *transfer = http->first;

    while (transfer) {
        bool is_due = !transfer->easy && transfer->due_ms <= now_ms();

        if (is_due)
            begin(transfer);
        /* It may have ended at once, and others may have come. */
        transfer = is_due ? http->first : transfer->next;
    }
}

/* The time until the next is due, at most limit_ms. */
static int until_due(const struct http *http, int limit_ms)
{
    for (const struct http_transfer *transfer = http->first; transfer; transfer = transfer->next) {
        int64_t left = transfer->due_ms - now_ms();

        if (!transfer->easy && left < limit_ms)
            limit_ms = left > 0 ? (int)left : 0;
    }
    return limit_ms;
}

static void end_those_over(struct http *http)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(http->multi, &left))) {
        struct http_transfer *transfer = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        http_conclude(transfer, message->data.result);
        judge(transfer);
    }
}

/* Moves everything once, and, where nothing has ended, waits for something to happen. */
static void move(struct http *http, int limit_ms)
{
    int running = 0;

    http->has_ended = false;
    begin_due(http);
    curl_multi_perform(http->multi, &running);
    end_those_over(http);
    if (http->first && !http->has_ended)
        curl_multi_poll(http->multi, NULL, 0, until_due(http, limit_ms), NULL);
}

static bool is_under_way(const struct http *http, const struct http_answer *answer)
{
    const struct http_transfer *transfer = http->first;

    while (transfer && transfer->answer != answer)
        transfer = transfer->next;
    return transfer != NULL;
}

void http_wait(struct http *http, const struct http_answer *answer)
{
    while (is_under_way(http, answer))
        move(http, POLL_MAX_MS);
}

unsigned http_run(struct http *http, int limit_ms)
{
    int64_t end = now_ms() + limit_ms;
    unsigned count = 0;

    while (http->first) {
        int64_t left = limit_ms < 0 ? POLL_MAX_MS : end - now_ms();

        move(http, left > POLL_MAX_MS ? POLL_MAX_MS : left > 0 ? (int)left : 0);
        if (limit_ms >= 0 && now_ms() >= end)
            break;
    }
    for (const struct http_transfer *transfer = http->first; transfer; transfer = transfer->next)
        count++;
    return count;
}

int http_call(struct http *http, const struct http_request *request, struct http_answer *answer)
{
    http_start(http, request, answer, NULL, NULL);
    http_wait(http, answer);
    return answer->result;
}
