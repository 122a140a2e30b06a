/*
 * Whether this machine has a way to an address, and waiting until it may have got one.
 *
 * Asked of the kernel by rtnetlink(7): RTM_GETROUTE tells what would be done with a packet, and
 * the link, address and route groups tell of every change. At boot a waiting agent thus goes on in
 * the moment in which DHCP installs the route, with no poll between.
 */
#ifndef BOOTLACE_OS_ROUTE_H
#define BOOTLACE_OS_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

struct route_address {
    int family; /* AF_INET or AF_INET6 */
    unsigned char bytes[16];
};

enum route_state {
    ROUTE_PRESENT,   /* there is a way, or the kernel cannot be asked */
    ROUTE_NONE,      /* there is none, or it says "unreachable" */
    ROUTE_PROHIBITED /* there is one that forbids */
};

struct route_watch;

/* Reads a literal address, without brackets and scope; false where the text is none. */
bool route_address_parse(const char *text, struct route_address *address);

/*
 * Starts listening for changes, so that none is missed after a route_state that found no way.
 * NULL where this process cannot speak netlink: the other functions accept that.
 */
struct route_watch *route_watch_open(void);
void route_watch_close(struct route_watch *watch);

enum route_state route_state(struct route_watch *watch, const struct route_address *address);

/*
 * Returns when links, addresses or routes changed, or when clock_milliseconds passes the deadline.
 * Without a watch it waits a short while: the caller asks again.
 */
void route_wait(struct route_watch *watch, int64_t deadline);

#endif
