/*
 * A kind of firewall: how to see that it is the one that the system runs, and how to open a port
 * in it, now and for later boots. One const struct each, in a table in firewall.c.
 */
#ifndef BOOTLACE_FIREWALL_WALL_H
#define BOOTLACE_FIREWALL_WALL_H

#include <bootlace/module.h>

#include "port.h"

enum { WALL_LIMIT_S = 60 };

struct wall {
    const char *name;

    /* Whether it is this system's: 1, 0, or a negative errno and *why. */
    int (*is_used)(const struct bootlace_host *host, const char **why);

    /* Opens the port: 1 changed, 0 it was open already, or a negative errno and *why. */
    int (*open)(const struct bootlace_host *host, const struct port *port, const char **why);
};

extern const struct wall wall_firewalld, wall_ufw, wall_nft;

#endif
