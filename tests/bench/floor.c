/*
 * floor: the least that a first boot can cost: `floor [--wait] ADDRESS PORT FILE`.
 *
 * Over one connection it asks the metadata service for a token (IMDSv2) and the user-data, writes
 * them to FILE (0700), and becomes that script. It checks nothing that it could leave unchecked,
 * keeps no record, and is no example of how to do it: benchmarks measure the agent against it.
 *
 * With --wait it goes on connecting until the service takes it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    ANSWER_SIZE = 64 * 1024, /* an answer whole: user-data are at most 16 KiB */
    REQUEST_SIZE = 1024,
    RETRY_NS = 1000 * 1000, /* between two tries to connect */
};

static const char LENGTH[] = "\r\nContent-Length:";

struct answer {
    char bytes[ANSWER_SIZE];
    const char *body;
    size_t body_size;
};

__attribute__((noreturn)) static void fail(const char *what)
{
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static int connect_to(const char *address, const char *port, bool wait)
{
    const struct timespec pause = {.tv_nsec = RETRY_NS};
    const int on = 1;
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};

    if (inet_pton(AF_INET, address, &to.sin_addr) != 1)
        fail(address);
    for (;;) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
            return fd;
        if (!wait)
            fail("connect");
        close(fd);
        nanosleep(&pause, NULL);
    }
}

/* Whether the `used` bytes are a whole answer; finds its body. */
static bool is_whole(struct answer *answer, size_t used)
{
    const char *end;
    const char *length;

    answer->bytes[used] = '\0';
    end = strstr(answer->bytes, "\r\n\r\n");
    length = end == NULL ? NULL : strcasestr(answer->bytes, LENGTH);
    if (length == NULL)
        return false;
    answer->body = end + strlen("\r\n\r\n");
    answer->body_size = strtoul(length + strlen(LENGTH), NULL, 10);
    return used >= (size_t)(answer->body - answer->bytes) + answer->body_size;
}

static void ask(int fd, const char *request, struct answer *answer)
{
    size_t used = 0;

    if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0)
        fail("send");
    do {
        ssize_t got = recv(fd, answer->bytes + used, sizeof(answer->bytes) - 1 - used, 0);

        if (got <= 0)
            fail("recv");
        used += (size_t)got;
    } while (!is_whole(answer, used));
    if (strncmp(answer->bytes, "HTTP/1.1 200 ", strlen("HTTP/1.1 200 ")) != 0) {
        errno = EPROTO;
        fail("status");
    }
}

int main(int argc, char **argv)
{
    static struct answer answer;
    char request[REQUEST_SIZE];
    bool wait = argc > 1 && strcmp(argv[1], "--wait") == 0;
    char **words = argv + (wait ? 2 : 1);
    int fd;

    if (argv + argc - words != 3) {
        fputs("usage: floor [--wait] ADDRESS PORT FILE\n", stderr);
        return 2;
    }
    fd = connect_to(words[0], words[1], wait);
    snprintf(request, sizeof(request),
             "PUT /latest/api/token HTTP/1.1\r\nHost: %s\r\n"
             "X-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n",
             words[0]);
    ask(fd, request, &answer);
    snprintf(request, sizeof(request),
             "GET /latest/user-data HTTP/1.1\r\nHost: %s\r\nX-aws-ec2-metadata-token: %.*s\r\n\r\n",
             words[0], (int)answer.body_size, answer.body);
    ask(fd, request, &answer);

    fd = open(words[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    if (fd < 0 || write(fd, answer.body, answer.body_size) != (ssize_t)answer.body_size)
        fail(words[2]);
    close(fd); /* a file that is open for writing cannot be run */
    execl(words[2], words[2], (char *)NULL);
    fail(words[2]);
}
