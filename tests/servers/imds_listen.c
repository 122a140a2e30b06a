/*
 * imds_listen.c: the address that the tests' metadata service listens on, and the small files by
 * which it tells a test where and since when.
 */
#define _GNU_SOURCE
#include "imds.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void imds_write_all(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t done = write(fd, text, size);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return; /* a full disk must not stop the service */
        text += done;
        size -= (size_t)done;
    }
}

void imds_file_put(const char *path, const char *text)
{
    char temporary[4096];
    int fd;

    if (path == NULL ||
        snprintf(temporary, sizeof(temporary), "%s.new", path) >= (int)sizeof(temporary))
        return;
    fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) {
        perror(temporary);
        return;
    }
    imds_write_all(fd, text, strlen(text));
    close(fd);
    if (rename(temporary, path) != 0) /* whole at once: readers wait for it to appear */
        perror(path);
}

/* Cuts ADDR:PORT or [ADDR]:PORT into a socket address; its size, or 0. */
static socklen_t read_address(const struct imds_server_options *options,
                              struct sockaddr_storage *address)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
    const char *colon = strrchr(options->listen, ':');
    char host[INET6_ADDRSTRLEN + 2];
    size_t size = colon == NULL ? 0 : (size_t)(colon - options->listen);
    char *end;
    unsigned long port = colon == NULL ? 0 : strtoul(colon + 1, &end, 10);

    if (size == 0 || size >= sizeof(host) || colon[1] < '0' || colon[1] > '9' || *end != '\0' ||
        port > UINT16_MAX)
        return 0;
    memcpy(host, options->listen, size);
    host[size] = '\0';
    memset(address, 0, sizeof(*address));
    if (!options->ipv6) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        return inet_pton(AF_INET, host, &v4->sin_addr) == 1 ? sizeof(*v4) : 0;
    }
    if (host[0] != '[' || host[size - 1] != ']')
        return 0;
    host[size - 1] = '\0';
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((uint16_t)port);
    return inet_pton(AF_INET6, host + 1, &v6->sin6_addr) == 1 ? sizeof(*v6) : 0;
}

int imds_listener_bind(const struct imds_server_options *options)
{
    const int on = 1;
    struct sockaddr_storage address;
    socklen_t size = read_address(options, &address);
    char text[16];
    int fd;

    if (size == 0) {
        fprintf(stderr, "imds: no such address: %s\n", options->listen);
        return -1;
    }
    fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
    /* On Linux accepted connections inherit TCP_NODELAY: a system call less for each. */
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
        bind(fd, (struct sockaddr *)&address, size) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        fprintf(stderr, "imds: %s: %s\n", options->listen, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    snprintf(text, sizeof(text), "%u\n",
             ntohs(options->ipv6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                 : ((struct sockaddr_in *)&address)->sin_port));
    imds_file_put(options->port_file, text);
    return fd;
}
