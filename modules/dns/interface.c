/* Addresses of interfaces; see interface.h. getifaddrs(3) does not tell the flags of IPv6 addresses
 * that matter here; the kernel's table does. */
#include "interface.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/if_addr.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/text.h>
#include <sys/socket.h>
#include <unistd.h>

#define IPV6_TABLE "/proc/net/if_inet6"

enum {
    TABLE_MAX = 1 << 20, /* bytes: some 20,000 addresses */
    HEX_DIGITS = 32,     /* of an address in the table */
    SCOPE_GLOBAL = 0,
    UNFIT = IFA_F_TEMPORARY | IFA_F_DADFAILED | IFA_F_DEPRECATED | IFA_F_TENTATIVE,
    LINK_LOCAL = 0xa9fe, /* 169.254/16 */
    ANY_PORT = 53
};

/* The address that the kernel would send from to one far away; nothing is sent. */
static char *default_address(const struct sockaddr *far, socklen_t size)
{
    struct sockaddr_storage near = {0};
    socklen_t near_size = sizeof near;
    int fd = socket(far->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    char text[INET6_ADDRSTRLEN];
    const void *bytes = far->sa_family == AF_INET
                            ? (const void *)&((struct sockaddr_in *)&near)->sin_addr
                            : (const void *)&((struct sockaddr_in6 *)&near)->sin6_addr;
    bool found = fd >= 0 && connect(fd, far, size) == 0 &&
                 getsockname(fd, (struct sockaddr *)&near, &near_size) == 0 &&
                 inet_ntop(far->sa_family, bytes, text, sizeof text);

    if (fd >= 0)
        close(fd);
    return found ? text_format("%s", text) : NULL;
}

char *interface_ipv4(const char *name)
{
    /* An address of documentation (RFC 5737): routed by default, and nobody's. */
    struct sockaddr_in far = {.sin_family = AF_INET, .sin_port = htons(ANY_PORT)};
    struct ifaddrs *all = NULL;
    char text[INET_ADDRSTRLEN] = "";

    inet_pton(AF_INET, "192.0.2.1", &far.sin_addr);
    if (strcmp(name, INTERFACE_DEFAULT) == 0)
        return default_address((const struct sockaddr *)&far, sizeof far);
    if (getifaddrs(&all) < 0)
        return NULL;
    for (const struct ifaddrs *one = all; one && !*text; one = one->ifa_next) {
        const struct sockaddr_in *address = (const struct sockaddr_in *)(void *)one->ifa_addr;

        if (strcmp(one->ifa_name, name) != 0 || !address || address->sin_family != AF_INET ||
            ntohl(address->sin_addr.s_addr) >> 16 == LINK_LOCAL)
            continue;
        inet_ntop(AF_INET, &address->sin_addr, text, sizeof text);
    }
    freeifaddrs(all);
    return *text ? text_format("%s", text) : NULL;
}

static bool read_digits(const char *digits, struct in6_addr *address)
{
    for (int i = 0; i < HEX_DIGITS; i += 2) {
        unsigned byte;

        if (sscanf(digits + i, "%2x", &byte) != 1)
            return false;
        address->s6_addr[i / 2] = (unsigned char)byte;
    }
    return true;
}

/* A line of the table: address, index, prefix, scope and flags in hexadecimal, and a name. */
static bool read_line(const char *line, const char *name, struct in6_addr *address)
{
    char digits[HEX_DIGITS + 1], found[64];
    unsigned scope, flags;

    return sscanf(line, "%32[0-9a-f] %*x %*x %x %x %63s", digits, &scope, &flags, found) == 4 &&
           strlen(digits) == HEX_DIGITS && strcmp(found, name) == 0 && scope == SCOPE_GLOBAL &&
           !(flags & UNFIT) && read_digits(digits, address);
}

char *interface_ipv6_of(const char *table, const char *name)
{
    struct in6_addr address;
    char text[INET6_ADDRSTRLEN];

    while (*table) {
        size_t size = strcspn(table, "\n");
        char *line = text_format("%.*s", (int)size, table);
        bool found = read_line(line, name, &address);

        free(line);
        if (found && inet_ntop(AF_INET6, &address, text, sizeof text))
            return text_format("%s", text);
        table += size + (table[size] == '\n');
    }
    return NULL;
}

char *interface_ipv6(const char *name)
{
    struct sockaddr_in6 far = {.sin6_family = AF_INET6, .sin6_port = htons(ANY_PORT)};
    char *table, *found;
    size_t size;
    FILE *file;

    inet_pton(AF_INET6, "2001:db8::1", &far.sin6_addr); /* RFC 3849: nobody's, too */
    if (strcmp(name, INTERFACE_DEFAULT) == 0)
        return default_address((const struct sockaddr *)&far, sizeof far);
    file = fopen(IPV6_TABLE, "re");
    if (!file)
        return NULL;
    table = text_need(calloc(1, TABLE_MAX + 1));
    size = fread(table, 1, TABLE_MAX, file);
    fclose(file);
    table[size] = '\0';
    found = interface_ipv6_of(table, name);
    free(table);
    return found;
}
