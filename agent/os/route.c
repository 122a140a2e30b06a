/* Whether this machine has a way to an address: rtnetlink(7). */
#include "os/route.h"

#include "base/banned.h"
#include "base/clock.h"
#include "base/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

enum {
    ANSWER_SIZE = 4096,  /* one route's attributes take some hundred bytes */
    ANSWER_WAIT_S = 1,   /* the kernel answers at once; this guards against a lost answer */
    BLIND_WAIT_MS = 250, /* without netlink */
    RECHECK_MS = 5000,   /* should a change ever go untold */
    BITS_IPV4 = 32,
    BITS_IPV6 = 128,
    SIZE_IPV4 = 4,
    SIZE_IPV6 = 16
};

struct route_watch {
    int events; /* subscribed to the groups */
    int ask;    /* questions and their answers only */
    unsigned sequence;
};

bool route_address_parse(const char *text, struct route_address *address)
{
    if (inet_pton(AF_INET, text, address->bytes) == 1)
        address->family = AF_INET;
    else if (inet_pton(AF_INET6, text, address->bytes) == 1)
        address->family = AF_INET6;
    else
        return false;
    return true;
}

static int open_socket(unsigned groups, int flags)
{
    struct sockaddr_nl own = {.nl_family = AF_NETLINK, .nl_groups = groups};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, NETLINK_ROUTE);

    if (fd >= 0 && bind(fd, (struct sockaddr *)&own, sizeof own) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

struct route_watch *route_watch_open(void)
{
    static const unsigned groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE |
                                   RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE;
    AUTO_CLOSE int events = open_socket(groups, SOCK_NONBLOCK);
    AUTO_CLOSE int ask = open_socket(0, 0);
    struct timeval limit = {.tv_sec = ANSWER_WAIT_S};
    struct route_watch *watch;

    if (events < 0 || ask < 0 || setsockopt(ask, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0)
        return NULL;
    watch = memory_zeroed(1, sizeof *watch);
    watch->events = memory_take_fd(&events);
    watch->ask = memory_take_fd(&ask);
    return watch;
}

void route_watch_close(struct route_watch *watch)
{
    if (!watch)
        return;
    close(watch->events);
    close(watch->ask);
    free(watch);
}

static int send_question(struct route_watch *watch, const struct route_address *address)
{
    bool ipv4 = address->family == AF_INET;
    struct {
        struct nlmsghdr header;
        struct rtmsg route;
        struct rtattr attribute;
        unsigned char destination[SIZE_IPV6];
    } question = {
        .header = {.nlmsg_type = RTM_GETROUTE,
                   .nlmsg_flags = NLM_F_REQUEST,
                   .nlmsg_seq = ++watch->sequence},
        .route = {.rtm_family = (unsigned char)address->family,
                  .rtm_dst_len = ipv4 ? BITS_IPV4 : BITS_IPV6},
        .attribute = {.rta_type = RTA_DST},
    };
    unsigned size = ipv4 ? SIZE_IPV4 : SIZE_IPV6;

    question.attribute.rta_len = (unsigned short)RTA_LENGTH(size);
    question.header.nlmsg_len = NLMSG_LENGTH(sizeof question.route) + (unsigned)RTA_LENGTH(size);
    memcpy(question.destination, address->bytes, size);
    return send(watch->ask, &question, question.header.nlmsg_len, 0) < 0 ? -1 : 0;
}

static enum route_state state_of_error(int number)
{
    switch (number) {
    case EACCES:
    case EPERM:
        return ROUTE_PROHIBITED;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EAFNOSUPPORT:
    case EOPNOTSUPP: /* no IPv6 in this kernel */
    case EINVAL:     /* a "blackhole" route */
        return ROUTE_NONE;
    default:
        return ROUTE_PRESENT;
    }
}

enum route_state route_state(struct route_watch *watch, const struct route_address *address)
{
    if (!watch || send_question(watch, address) < 0)
        return ROUTE_PRESENT;
    for (;;) {
        /* Aligned as the kernel's header wants it; a union keeps that from being a cast's guess. */
        union {
            struct nlmsghdr header;
            char bytes[ANSWER_SIZE];
        } answer;
        ssize_t size = recv(watch->ask, &answer, sizeof answer, 0);

        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return ROUTE_PRESENT;
        if (!NLMSG_OK(&answer.header, (size_t)size) || answer.header.nlmsg_seq != watch->sequence)
            continue;
        if (answer.header.nlmsg_type == NLMSG_ERROR) {
            const struct nlmsgerr *refusal = NLMSG_DATA(&answer.header);

            return state_of_error(-refusal->error);
        }
        if (answer.header.nlmsg_type == RTM_NEWROUTE)
            return ROUTE_PRESENT; /* one that forbids or leads nowhere comes as an error */
    }
}

void route_wait(struct route_watch *watch, int64_t deadline)
{
    int64_t left = deadline - clock_milliseconds();
    struct pollfd poll_for = {.fd = watch ? watch->events : -1, .events = POLLIN};
    char told[ANSWER_SIZE];

    if (left <= 0)
        return;
    if (!watch) {
        clock_sleep(left < BLIND_WAIT_MS ? left : BLIND_WAIT_MS);
        return;
    }
    poll(&poll_for, 1, left < RECHECK_MS ? (int)left : RECHECK_MS);
    /* What changed does not matter: route_state asks. Also ENOBUFS (too many) only means "ask". */
    while (recv(watch->events, told, sizeof told, MSG_TRUNC) > 0)
        continue;
}
