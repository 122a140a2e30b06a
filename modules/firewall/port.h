/* A port that is to be open: "80/tcp", "8000-8100/udp", "https", 443. */
#ifndef BOOTLACE_FIREWALL_PORT_H
#define BOOTLACE_FIREWALL_PORT_H

#include <bootlace/module.h>
#include <jansson.h>

enum { PORT_TEXT_MAX = 32 };

struct port {
    unsigned first, last; /* the same for a single one */
    const char *protocol; /* "tcp", "udp" or "sctp" */
};

/* Reads an item of the list: 0, or a negative errno and *why. Names are those of services(5). */
int port_read(const json_t *item, struct port *port, const char **why);

/* "80/tcp", "8000-8100/udp", with the separator in the place of '-'. Returns text. */
char *port_text(const struct port *port, char separator, char text[PORT_TEXT_MAX]);

#endif
