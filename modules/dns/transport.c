/* A message and its answer over TCP; see transport.h. Each message is preceded by its length, in
 * two bytes (RFC 1035, 4.2.2). */
#include "transport.h"

#include "moment.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { PREFIX = 2, MESSAGE_MAX = UINT16_MAX };

/* Waits until the socket is ready; -ETIMEDOUT at the end. */
static int wait_for(int fd, short events, int64_t end_ms)
{
    struct pollfd one = {.fd = fd, .events = events};

    for (;;) {
        int64_t left = end_ms - moment_ms();
        int ready = left > 0 ? poll(&one, 1, (int)left) : 0;

        if (ready > 0)
            return 0;
        if (ready == 0)
            return -ETIMEDOUT;
        if (errno != EINTR)
            return -errno;
    }
}

static int open_connection(const struct address *address, int64_t end_ms)
{
    int fd = socket(address->bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int result = 0, failure = 0;
    socklen_t size = sizeof failure;

    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)&address->bytes, address->size) < 0) {
        result = errno == EINPROGRESS ? wait_for(fd, POLLOUT, end_ms) : -errno;
        if (result == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) == 0)
            result = -failure;
    }
    if (result == 0)
        return fd;
    close(fd);
    return result;
}

/* Whether a call on the socket is to be tried again; else its errno is in *result. */
static bool is_again(int fd, short events, int64_t end_ms, int *result)
{
    *result = errno == EAGAIN ? wait_for(fd, events, end_ms) : errno == EINTR ? 0 : -errno;
    return *result == 0;
}

static int send_all(int fd, const char *bytes, size_t size, int64_t end_ms)
{
    int result = 0;

    while (size) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);

        if (sent < 0 && !is_again(fd, POLLOUT, end_ms, &result))
            return result == -EPIPE ? -ECONNRESET : result;
        if (sent > 0) {
            bytes += sent;
            size -= (size_t)sent;
        }
    }
    return 0;
}

static int receive_all(int fd, char *bytes, size_t size, int64_t end_ms)
{
    int result = 0;

    while (size) {
        ssize_t got = recv(fd, bytes, size, 0);

        if (got == 0)
            return -ECONNRESET;
        if (got < 0 && !is_again(fd, POLLIN, end_ms, &result))
            return result;
        if (got > 0) {
            bytes += got;
            size -= (size_t)got;
        }
    }
    return 0;
}

static int receive_answer(int fd, int64_t end_ms, struct text *answer)
{
    unsigned char prefix[PREFIX];
    int result = receive_all(fd, (char *)prefix, sizeof prefix, end_ms);
    size_t size = (size_t)prefix[0] << 8 | prefix[1];

    if (result < 0)
        return result;
    if (size < TRANSPORT_HEADER)
        return -EPROTO;
    if (size > TRANSPORT_ANSWER_MAX)
        return -EMSGSIZE;
    result = receive_all(fd, text_room(answer, size), size, end_ms);
    if (result == 0)
        answer->size += size;
    return result;
}

int transport_exchange(const struct address *address, const void *message, size_t size,
                       int limit_ms, struct text *answer)
{
    int64_t end_ms = moment_ms() + limit_ms;
    const char prefix[PREFIX] = {(char)(size >> 8), (char)(size & 0xff)};
    struct text whole = {0};
    int fd, result;

    if (size > MESSAGE_MAX)
        return -EMSGSIZE;
    fd = open_connection(address, end_ms);
    if (fd < 0)
        return fd;
    text_add(&whole, prefix, sizeof prefix);
    text_add(&whole, message, size);
    result = send_all(fd, whole.bytes, whole.size, end_ms);
    if (result == 0)
        result = receive_answer(fd, end_ms, answer);
    close(fd);
    return result;
}
