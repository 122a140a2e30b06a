/* Addresses of this machine's interfaces. */
#ifndef DNS_INTERFACE_H
#define DNS_INTERFACE_H

#include <stddef.h>

/* In place of an interface's name: the one that the default route goes through. */
#define INTERFACE_DEFAULT "default"

/*
 * An address that others can reach it by, as inet_ntop(3) writes it: the first of the interface's
 * own that is no link-local one, and of IPv6 none that is temporary, tentative or deprecated. NULL
 * where there is none, or no such interface. The caller's.
 */
char *interface_ipv4(const char *name);
char *interface_ipv6(const char *name);

/* The same from the text of /proc/net/if_inet6. */
char *interface_ipv6_of(const char *table, const char *name);

#endif
