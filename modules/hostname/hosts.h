/* /etc/hosts: written whole from a template, or with one line for the machine's own names. */
#ifndef BOOTLACE_HOSTNAME_HOSTS_H
#define BOOTLACE_HOSTNAME_HOSTS_H

#include <bootlace/module.h>

#include "names.h"

/* Both: 1 changed, 0 it was so already, or a negative errno. Both names are given. */
int hosts_write(const struct bootlace_host *host, const struct names *names);
int hosts_add(const struct bootlace_host *host, const struct names *names);

#endif
