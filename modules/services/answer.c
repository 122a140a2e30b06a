/* Waiting until a service answers; see answer.h. */
#include "answer.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <support/http.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PAUSE_FIRST_MS = 5,
    PAUSE_MAX_MS = 250,
    ATTEMPT_MS = 2000,
    LOOK_MS = 1000, /* between two looks at the service itself */
    PORT_TEXT_MAX = 8,
    URL_CONNECT_S = 5,
    URL_S = 10,
    URL_BODY_MAX = 1 << 20
};

/* Whether a connection comes about; 0, or a negative errno. */
static int connect_to(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                    address->ai_protocol);
    struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
    socklen_t size = sizeof(int);
    int error = 0;

    if (fd < 0)
        return -errno;
    if (connect(fd, address->ai_addr, address->ai_addrlen) < 0)
        error = errno;
    if (error == EINPROGRESS) {
        error = ETIMEDOUT;
        if (poll(&poll_fd, 1, ATTEMPT_MS) > 0)
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    close(fd);
    return -error;
}

/* The port at the item's address, or else at one of the loopback addresses. */
static int try_port(struct item *item)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char port[PORT_TEXT_MAX];
    int result = -EADDRNOTAVAIL, failed;

    snprintf(port, sizeof port, "%u", item->port);
    failed = getaddrinfo(item->address, port, &hints, &found);
    if (failed) {
        item_fail(item, EHOSTUNREACH, "port %u does not answer: its address cannot be resolved: %s",
                  item->port, gai_strerror(failed));
        return -EHOSTUNREACH;
    }
    for (const struct addrinfo *one = found; one && result < 0; one = one->ai_next) {
        int other = connect_to(one);

        /* That there is no IPv6 says less than that a connection was refused. */
        result = other == 0 || one == found ? other : result;
    }
    freeaddrinfo(found);
    if (result < 0)
        item_fail(item, -result, "port %u does not answer: %s", item->port, strerror(-result));
    return result;
}

static int try_url(struct item *item)
{
    static struct http *http;
    const struct http_request request = {
        .url = item->url, .connect_s = URL_CONNECT_S, .overall_s = URL_S, .body_max = URL_BODY_MAX};
    struct http_answer answer = {0};
    int result;

    http = http ? http : http_new();
    result = http_call(http, &request, &answer);
    /* How much more it would say is of no interest. */
    if (result == -EFBIG && answer.status)
        result = 0;
    if (result < 0)
        item_fail(item, -result, "the URL does not answer: %s", answer.why);
    else if (answer.status != item->status)
        result = item_fail(item, EPROTO, "the URL answers %d %s, not %d", answer.status,
                           http_status_words(answer.status), item->status);
    http_answer_clear(&answer);
    return result;
}

/* Tries until it is well, the time is over, or the service has failed. */
static int await(const struct bootlace_host *host, struct item *item, const struct manager *manager,
                 int64_t end, int (*try)(struct item *item))
{
    int64_t look = manager_now() + LOOK_MS;
    unsigned pause = PAUSE_FIRST_MS;

    while (try(item) < 0) {
        int64_t now = manager_now();

        if (now >= end) {
            manager->show_log(host, item);
            snprintf(item->why + strlen(item->why), sizeof item->why - strlen(item->why),
                     "; waited for it %u s", item->limit_s);
            return item->result;
        }
        if (now >= look) {
            int failed = manager->has_failed(host, item);

            if (failed < 0)
                return failed;
            look = now + LOOK_MS;
        }
        manager_sleep(pause);
        pause = pause * 2 < PAUSE_MAX_MS ? pause * 2 : PAUSE_MAX_MS;
    }
    item->result = 0;
    *item->why = '\0';
    return 0;
}

int answer_await(const struct bootlace_host *host, struct item *item, const struct manager *manager,
                 int64_t end)
{
    int result = item->port ? await(host, item, manager, end, try_port) : 0;

    return result == 0 && item->url ? await(host, item, manager, end, try_url) : result;
}
