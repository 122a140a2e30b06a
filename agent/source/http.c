/*
 * The transport by a process of its own: see http.h.
 *
 * Both ends are of one program, so structs cross the socket as they are: a request's sizes and then
 * its words, each with its '\0'; an answer and then its body. The process ends when the socket
 * does.
 */
#include "source/http.h"

#include "base/banned.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"
#include "os/process.h"
#include "source/http_plugin.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum {
    SERVER_FD = 3,
    WORDS_MAX = 16384,     /* method, URL and headers of a request */
    LOAD_LIMIT_MS = 30000, /* for libcurl, on a machine that is busy booting */
    MARGIN_MS = 2000       /* beyond a request's own limit: then the process hangs */
};

struct frame {
    int64_t timeout_ms;
    size_t maximum; /* of the body */
    size_t words;   /* bytes of words that follow */
};

struct reply {
    struct http_answer answer;
    size_t size; /* bytes of body that follow */
};

struct remote {
    pid_t pid;
    int pidfd;
    int fd;
    bool loaded; /* it has answered once */
};

/* Exactly so many bytes; false at the end of the socket. */
static bool read_exactly(int fd, void *bytes, size_t size)
{
    char *next = bytes;

    while (size) {
        ssize_t count = read(fd, next, size);

        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        next += count;
        size -= (size_t)count;
    }
    return true;
}

/* The process' side: one request, answered. */
static bool serve_one(const struct http_transport *plugin, void *handle, const char *why)
{
    char words[WORDS_MAX + 1];
    struct frame frame;
    struct reply reply = {.answer = {.failure = HTTP_UNUSABLE, .retry_after_ms = -1}};
    struct http_request request = {0};
    AUTO_BUFFER struct buffer body = BUFFER_INIT(0);
    const char *word = words;

    if (!read_exactly(SERVER_FD, &frame, sizeof frame) || frame.words > WORDS_MAX ||
        !read_exactly(SERVER_FD, words, frame.words))
        return false;
    words[frame.words] = '\0';
    request.timeout_ms = frame.timeout_ms;
    request.method = word;
    request.url = word += strlen(word) + 1;
    for (size_t i = 0; i + 1 < HTTP_HEADERS_MAX; i++) {
        word += strlen(word) + 1;
        if (word >= words + frame.words)
            break;
        request.headers[i] = word;
    }
    body.maximum = frame.maximum;
    if (handle)
        plugin->request(handle, &request, &body, &reply.answer);
    else
        snprintf(reply.answer.detail, sizeof reply.answer.detail, "%s", why);
    reply.size = body.size;
    return file_write_all(SERVER_FD, &reply, sizeof reply) == 0 &&
           file_write_all(SERVER_FD, buffer_text(&body), body.size) == 0;
}

static int serve(void *context)
{
    const enum http_use *use = context;
    struct error error = ERROR_INIT;
    const struct http_transport *plugin;
    char why[ERROR_TEXT_MAX] = "the HTTP client cannot be set up";
    void *handle;

    plugin = http_plugin_load(&error);
    handle = plugin ? plugin->open(*use) : NULL;
    if (!plugin)
        error_text(&error, why, sizeof why);
    while (serve_one(plugin, handle, why))
        continue;
    return 0;
}

static void *remote_open(enum http_use use)
{
    struct error error = ERROR_INIT;
    struct remote *remote = memory_zeroed(1, sizeof *remote);
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0) {
        AUTO_CLOSE int server = ends[1];
        const struct process_start start = {.function = serve,
                                            .context = &use,
                                            .group = PROCESS_SAME_GROUP,
                                            .dies_with_us = true,
                                            .fds = {-1, -1, STDERR_FILENO, server, -1}};

        remote->fd = ends[0];
        remote->pid = process_start(&start, &remote->pidfd, &error);
        if (remote->pid > 0)
            return remote;
        close(remote->fd);
    }
    free(remote);
    return NULL;
}

static bool send_request(const struct remote *remote, const struct http_request *request,
                         size_t maximum)
{
    AUTO_BUFFER struct buffer message = BUFFER_INIT(sizeof(struct frame) + WORDS_MAX);
    struct frame frame = {.timeout_ms = request->timeout_ms, .maximum = maximum};
    bool fits = buffer_append(&message, &frame, sizeof frame) &&
                buffer_append(&message, request->method, strlen(request->method) + 1) &&
                buffer_append(&message, request->url, strlen(request->url) + 1);

    for (size_t i = 0; fits && i < HTTP_HEADERS_MAX && request->headers[i]; i++)
        fits = buffer_append(&message, request->headers[i], strlen(request->headers[i]) + 1);
    if (!fits)
        return false;
    frame.words = message.size - sizeof frame;
    memcpy(message.bytes, &frame, sizeof frame);
    return send(remote->fd, message.bytes, message.size, MSG_NOSIGNAL) == (ssize_t)message.size;
}

/* Whether the answer begins before the limit. */
static bool answer_comes(const struct remote *remote, int64_t limit_ms)
{
    struct pollfd fd = {.fd = remote->fd, .events = POLLIN};
    int64_t end = clock_milliseconds() + limit_ms, left;

    while ((left = end - clock_milliseconds()) > 0) {
        int ready = poll(&fd, 1, (int)left);

        if (ready >= 0 || errno != EINTR)
            return ready > 0;
    }
    return false;
}

static void remote_request(void *handle, const struct http_request *request, struct buffer *out,
                           struct http_answer *answer)
{
    struct remote *remote = handle;
    int64_t limit_ms = request->timeout_ms + MARGIN_MS + (remote->loaded ? 0 : LOAD_LIMIT_MS);
    struct reply reply;
    char *room;

    buffer_clear(out);
    *answer = (struct http_answer){.failure = HTTP_UNUSABLE, .retry_after_ms = -1};
    snprintf(answer->detail, sizeof answer->detail, "the process of the HTTP client ended");
    if (!send_request(remote, request, out->maximum) || !answer_comes(remote, limit_ms) ||
        !read_exactly(remote->fd, &reply, sizeof reply) || reply.size > out->maximum)
        return;
    room = buffer_room(out, reply.size);
    if (!read_exactly(remote->fd, room, reply.size))
        return;
    buffer_grown(out, reply.size);
    remote->loaded = true;
    *answer = reply.answer;
}

/* Taking the memory of thirty libraries apart takes the kernel a while: it can begin with that. */
static void remote_finish(void *handle)
{
    const struct remote *remote = handle;

    shutdown(remote->fd, SHUT_WR);
}

static void remote_close(void *handle)
{
    struct remote *remote = handle;

    if (!remote)
        return;
    close(remote->fd);
    kill(remote->pid, SIGKILL);
    waitpid(remote->pid, NULL, 0);
    close(remote->pidfd);
    free(remote);
}

static const struct http_transport remote_transport = {.size = sizeof remote_transport,
                                                       .open = remote_open,
                                                       .request = remote_request,
                                                       .finish = remote_finish,
                                                       .close = remote_close};

const struct http_transport *http_load(struct error *error)
{
    AUTO_FREE char *path = memory_format("%s/%s", paths_library(), HTTP_PLUGIN);

    if (access(path, R_OK) == 0)
        return &remote_transport;
    error_errno(error, ERROR_INTERNAL, errno, "the HTTP client %s cannot be loaded", path);
    error_hint(error, "is the package complete?");
    return NULL;
}
