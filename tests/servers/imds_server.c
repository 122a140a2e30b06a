/*
 * imds_server.c: the sockets of the tests' metadata service: one thread, one epoll loop.
 *
 * Benchmarks measure clients by it, so an answer takes a few system calls and no waiting. What
 * tests ask for, delays, drips and silence, is kept as states and deadlines of connections.
 */
#define _GNU_SOURCE
#include "imds.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BACKLOG = 128,
    MAX_EVENTS = 64,
    MAX_NOTE = 640,         /* a log line's method, path and token */
    HUGE_BLOCK = 64 * 1024, /* a huge body is sent in pieces of this */
    /* What epoll hands back: a connection's place below, or one of these. */
    EVENT_LISTENER = IMDS_MAX_CONNECTIONS,
    EVENT_SIGNAL,
};

static const int64_t MILLISECOND_US = 1000;
static const double SECOND_US = 1e6;

/* The start of a TLS alert, as a service of another kind on this port would send it. */
static const char GARBAGE[] =
    "\x15\x03\x01\x02\x02\x16\r\n\xff\xfe\x80 no such protocol \x15\x03\r\n";

enum state {
    READING, /* a request, or the rest of one, is to come */
    DELAYED, /* the answer begins at a later time */
    WRITING, /* the answer goes out as the socket takes it */
    PAUSED,  /* between two drips */
    DEAF,    /* what comes is read and dropped until the client closes */
};

struct connection {
    int fd;
    unsigned place; /* in struct server */
    unsigned long number;
    enum state state;
    uint32_t interest; /* the events that epoll watches for */
    bool logged;       /* the request under way is in the log */
    bool refused;      /* it could not be read: what follows it is no request */
    struct imds_answer answer;
    unsigned long long sent;     /* bytes of head and body that are out */
    unsigned long long released; /* bytes of the body that may go out by now */
    char note[MAX_NOTE];
    size_t input_size;
    char input[IMDS_MAX_REQUEST];
};

struct server {
    struct imds_service *service;
    int epoll, listener, signals, log;
    unsigned long connections;
    struct connection *places[IMDS_MAX_CONNECTIONS];
    /* When a connection is to be looked at again; 0 = when its socket says so. */
    int64_t wake_us[IMDS_MAX_CONNECTIONS];
    unsigned sleeping;    /* connections with such a time */
    int64_t listen_at_us; /* when to begin to listen; 0 = it does */
};

int64_t imds_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- the log ---- */

/* Appends text with every byte that would break a line's fields written %XX. */
static void append_escaped(char note[MAX_NOTE], const char *text, size_t limit)
{
    size_t used = strlen(note);

    for (; *text != '\0' && limit > 0 && used + 4 < MAX_NOTE; text++, limit--) {
        unsigned char c = (unsigned char)*text;

        if (c > ' ' && c < 0x7f)
            note[used++] = (char)c;
        else
            used += (size_t)snprintf(note + used, MAX_NOTE - used, "%%%02X", c);
        note[used] = '\0';
    }
}

/* Keeps what the log will say of a request: its bytes are gone when a slow answer begins. */
static void take_note(struct connection *connection, const struct imds_request *request)
{
    enum { METHOD_LIMIT = 16, TARGET_LIMIT = 512 };
    size_t used;

    connection->note[0] = '\0';
    append_escaped(connection->note, request->method, METHOD_LIMIT);
    used = strlen(connection->note);
    connection->note[used++] = ' ';
    connection->note[used] = '\0';
    append_escaped(connection->note, request->target, TARGET_LIMIT);
    used = strlen(connection->note);
    snprintf(connection->note + used, MAX_NOTE - used, " %s",
             imds_token_word(connection->answer.standing));
    connection->logged = false;
}

/* The line is written before the answer's first byte: who has the answer finds it in the log. */
static void log_request(const struct server *server, struct connection *connection,
                        const char *outcome)
{
    const char *faults = connection->answer.effects.names;
    char line[MAX_NOTE + 256];
    int64_t now = imds_now_us();
    int size;

    if (server->log < 0 || connection->logged)
        return;
    connection->logged = true;
    size = snprintf(line, sizeof(line), "%lld.%03lld %lu %s %s%s%s\n",
                    (long long)(now / MILLISECOND_US), (long long)(now % MILLISECOND_US),
                    connection->number, connection->note, outcome, faults[0] == '\0' ? "" : " ",
                    faults);
    imds_write_all(server->log, line, (size_t)size);
}

/* ---- connections ---- */

static void set_interest(const struct server *server, struct connection *connection,
                         uint32_t interest)
{
    struct epoll_event event = {.events = interest, .data.u32 = connection->place};

    if (connection->interest == interest)
        return;
    connection->interest = interest;
    epoll_ctl(server->epoll, EPOLL_CTL_MOD, connection->fd, &event);
}

static void set_wake(struct server *server, const struct connection *connection, int64_t when_us)
{
    int64_t *wake = &server->wake_us[connection->place];

    server->sleeping += (unsigned)(when_us != 0) - (unsigned)(*wake != 0);
    *wake = when_us;
}

static void drop(struct server *server, struct connection *connection)
{
    if (connection->state == DELAYED)
        log_request(server, connection, "gone");
    set_wake(server, connection, 0);
    server->places[connection->place] = NULL;
    close(connection->fd);
    free(connection->answer.body);
    free(connection);
}

static void reset(struct server *server, struct connection *connection)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};

    setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    drop(server, connection);
}

static void accept_one(struct server *server)
{
    int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    struct connection *connection;
    unsigned place = 0;

    if (fd < 0)
        return;
    while (place < IMDS_MAX_CONNECTIONS && server->places[place] != NULL)
        place++;
    connection = place < IMDS_MAX_CONNECTIONS ? malloc(sizeof(*connection)) : NULL;
    event.data.u32 = place;
    if (connection == NULL || epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        free(connection);
        close(fd);
        return;
    }
    connection->fd = fd;
    connection->place = place;
    connection->number = ++server->connections;
    connection->state = READING;
    connection->interest = EPOLLIN;
    connection->input_size = 0;
    connection->answer.body = NULL;
    server->places[place] = connection;
}

/* ---- an answer on its way ---- */

/* The bytes that come next, as far as they may go out now. */
static size_t gather(const struct connection *connection, struct iovec pieces[2])
{
    static const char BLOCK[HUGE_BLOCK];
    const struct imds_answer *answer = &connection->answer;
    unsigned long long offset = 0;
    unsigned long long left;
    size_t count = 0;

    if (connection->sent < answer->head_size) {
        pieces[count].iov_base = (char *)answer->head + connection->sent;
        pieces[count++].iov_len = answer->head_size - (size_t)connection->sent;
    } else {
        offset = connection->sent - answer->head_size;
    }
    left = connection->released - offset;
    if (left == 0)
        return count;
    if (answer->effects.huge > 0) {
        pieces[count].iov_base = (char *)BLOCK;
        pieces[count++].iov_len = left < HUGE_BLOCK ? (size_t)left : HUGE_BLOCK;
    } else {
        pieces[count].iov_base = answer->body + offset;
        pieces[count++].iov_len = (size_t)left;
    }
    return count;
}

static void release_drip(struct connection *connection)
{
    const struct imds_answer *answer = &connection->answer;
    unsigned long long left = answer->send_size - connection->released;
    size_t drip = answer->effects.drip_bytes;

    connection->released += drip == 0 || drip > left ? left : drip;
}

/* The whole answer is out: on to the next request, or the end. False: the connection is gone. */
static bool complete(struct server *server, struct connection *connection)
{
    bool ends = connection->answer.close_after;

    free(connection->answer.body);
    connection->answer.body = NULL;
    if (ends && !connection->refused) {
        drop(server, connection);
        return false;
    }
    connection->state = READING;
    if (connection->refused) {
        /* With the rest of that request unread, closing would be a reset and eat the answer. */
        shutdown(connection->fd, SHUT_WR);
        connection->state = DEAF;
        connection->input_size = 0;
    }
    set_interest(server, connection, EPOLLIN);
    return true;
}

/* Sends what the socket takes. False: the connection is gone. */
static bool flush(struct server *server, struct connection *connection)
{
    const struct imds_answer *answer = &connection->answer;

    for (;;) {
        struct iovec pieces[2];
        struct msghdr message = {.msg_iov = pieces};
        ssize_t done;

        message.msg_iovlen = gather(connection, pieces);
        if (message.msg_iovlen == 0)
            break;
        done = sendmsg(connection->fd, &message, MSG_NOSIGNAL);
        if (done < 0 && errno == EAGAIN) {
            set_interest(server, connection, EPOLLOUT);
            return true;
        }
        if (done < 0 && errno != EINTR) {
            drop(server, connection);
            return false;
        }
        connection->sent += done < 0 ? 0 : (unsigned long long)done;
    }
    if (connection->released == answer->send_size)
        return complete(server, connection);
    connection->state = PAUSED;
    set_interest(server, connection, 0);
    set_wake(server, connection, imds_now_us() + answer->effects.drip_ms * MILLISECOND_US);
    return true;
}

/* Begins the answer that was judged, or what a fault put in its place. False: gone. */
static bool begin(struct server *server, struct connection *connection)
{
    static const char *const WORDS[] = {"", "silence", "reset", "close", "garbage"};
    struct imds_answer *answer = &connection->answer;
    char status[16];

    snprintf(status, sizeof(status), "%d", answer->status);
    log_request(server, connection,
                answer->effects.outcome == IMDS_ANSWER ? status : WORDS[answer->effects.outcome]);
    connection->state = WRITING;
    connection->sent = connection->released = 0;
    switch (answer->effects.outcome) {
    case IMDS_SILENCE:
        connection->state = DEAF;
        set_interest(server, connection, EPOLLIN);
        return true;
    case IMDS_RESET:
        reset(server, connection);
        return false;
    case IMDS_CLOSE:
        drop(server, connection);
        return false;
    case IMDS_GARBAGE:
        memcpy(answer->head, GARBAGE, sizeof(GARBAGE) - 1);
        answer->head_size = sizeof(GARBAGE) - 1;
        answer->send_size = 0;
        answer->close_after = true;
        break;
    case IMDS_ANSWER:
        break;
    }
    release_drip(connection);
    return flush(server, connection);
}

/* ---- requests ---- */

/* Answers one request of the input. False: the connection is gone, or waits. */
static bool handle_one(struct server *server, struct connection *connection)
{
    struct imds_request request;
    int result = imds_request_read(connection->input, connection->input_size, &request);

    if (result == 0)
        return false;
    connection->refused = result < 0;
    if (result < 0) {
        imds_service_refuse(-result, &connection->answer);
    } else {
        imds_service_judge(server->service, &request, &connection->answer);
        connection->input_size -= request.size;
        memmove(connection->input, connection->input + request.size, connection->input_size);
    }
    take_note(connection, &request);
    if (connection->answer.effects.slow_ms > 0) {
        connection->state = DELAYED;
        set_interest(server, connection, 0);
        set_wake(server, connection,
                 imds_now_us() + connection->answer.effects.slow_ms * MILLISECOND_US);
        return false;
    }
    return begin(server, connection) && connection->state == READING;
}

static void handle_input(struct server *server, struct connection *connection)
{
    while (connection->input_size > 0 && handle_one(server, connection))
        ;
}

static void on_readable(struct server *server, struct connection *connection)
{
    ssize_t got = recv(connection->fd, connection->input + connection->input_size,
                       sizeof(connection->input) - connection->input_size, 0);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        drop(server, connection);
        return;
    }
    if (connection->state == DEAF)
        return;
    connection->input_size += (size_t)got;
    handle_input(server, connection);
}

static void on_event(struct server *server, const struct epoll_event *event)
{
    struct connection *connection = server->places[event->data.u32];

    if (connection == NULL)
        return;
    if ((event->events & EPOLLIN) != 0)
        on_readable(server, connection);
    else if ((event->events & (EPOLLHUP | EPOLLERR)) != 0)
        drop(server, connection);
    else if ((event->events & EPOLLOUT) != 0 && flush(server, connection) &&
             connection->state == READING)
        handle_input(server, connection);
}

static void on_wake(struct server *server, struct connection *connection)
{
    bool there;

    set_wake(server, connection, 0);
    if (connection->state == DELAYED) {
        there = begin(server, connection);
    } else {
        connection->state = WRITING;
        release_drip(connection);
        there = flush(server, connection);
    }
    if (there && connection->state == READING)
        handle_input(server, connection);
}

/* ---- start ---- */

static bool watch(const struct server *server, int fd, uint32_t what)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = what};

    return epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool start_listening(struct server *server, const struct imds_server_options *options)
{
    char text[64];
    int64_t now;

    if (listen(server->listener, BACKLOG) != 0 ||
        !watch(server, server->listener, EVENT_LISTENER)) {
        fprintf(stderr, "imds: %s: %s\n", options->listen, strerror(errno));
        return false;
    }
    now = imds_now_us();
    snprintf(text, sizeof(text), "%lld.%03lld\n", (long long)(now / MILLISECOND_US),
             (long long)(now % MILLISECOND_US));
    imds_file_put(options->ready_file, text);
    return true;
}

static bool open_log(struct server *server, const char *path)
{
    server->log = -1;
    if (path == NULL)
        return true;
    server->log = strcmp(path, "-") == 0
                      ? STDOUT_FILENO
                      : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (server->log < 0)
        fprintf(stderr, "imds: %s: %s\n", path, strerror(errno));
    return server->log >= 0;
}

static bool prepare(struct server *server, const struct imds_server_options *options)
{
    sigset_t ends;

    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    server->signals = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (server->signals < 0 || server->epoll < 0 || !watch(server, server->signals, EVENT_SIGNAL)) {
        fprintf(stderr, "imds: %s\n", strerror(errno));
        return false;
    }
    if (!open_log(server, options->log))
        return false;
    server->listener = imds_listener_bind(options);
    return server->listener >= 0;
}

/* ---- the loop ---- */

/* Milliseconds until something is due, rounded up; -1 = nothing is. */
static int next_timeout(const struct server *server)
{
    int64_t due = server->listen_at_us;
    int64_t left;

    for (unsigned i = 0; server->sleeping > 0 && i < IMDS_MAX_CONNECTIONS; i++)
        if (server->wake_us[i] != 0 && (due == 0 || server->wake_us[i] < due))
            due = server->wake_us[i];
    if (due == 0)
        return -1;
    left = due - imds_now_us();
    return left <= 0 ? 0 : (int)((left + MILLISECOND_US - 1) / MILLISECOND_US);
}

static void wake_due(struct server *server)
{
    int64_t now = server->sleeping > 0 ? imds_now_us() : 0;

    for (unsigned i = 0; server->sleeping > 0 && i < IMDS_MAX_CONNECTIONS; i++)
        if (server->wake_us[i] != 0 && server->wake_us[i] <= now)
            on_wake(server, server->places[i]);
}

/* One turn of the loop. False: a signal asked to stop, or something broke. */
static bool turn(struct server *server, const struct imds_server_options *options)
{
    struct epoll_event events[MAX_EVENTS];
    int count = epoll_wait(server->epoll, events, MAX_EVENTS, next_timeout(server));

    if (count < 0 && errno != EINTR)
        return false;
    for (int i = 0; i < count; i++) {
        if (events[i].data.u32 == EVENT_SIGNAL)
            return false;
        if (events[i].data.u32 == EVENT_LISTENER)
            accept_one(server);
        else
            on_event(server, &events[i]);
    }
    wake_due(server);
    if (server->listen_at_us != 0 && imds_now_us() >= server->listen_at_us) {
        server->listen_at_us = 0;
        return start_listening(server, options);
    }
    return true;
}

static void stop(struct server *server, const struct imds_server_options *options)
{
    for (unsigned i = 0; i < IMDS_MAX_CONNECTIONS; i++)
        if (server->places[i] != NULL)
            drop(server, server->places[i]);
    close(server->listener);
    if (options->port_file != NULL)
        unlink(options->port_file);
    if (options->ready_file != NULL)
        unlink(options->ready_file);
}

int imds_server_run(const struct imds_server_options *options, struct imds_service *service)
{
    static struct server server;

    server.service = service;
    server.listen_at_us = imds_now_us() + (int64_t)(options->delay_start * SECOND_US);
    if (!prepare(&server, options))
        return EXIT_FAILURE;
    while (turn(&server, options))
        ;
    stop(&server, options);
    return EXIT_SUCCESS;
}
