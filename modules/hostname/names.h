/* Which names the machine is to have: from the settings, else from metadata. */
#ifndef BOOTLACE_HOSTNAME_NAMES_H
#define BOOTLACE_HOSTNAME_NAMES_H

#include <bootlace/module.h>
#include <jansson.h>

enum { NAMES_FQDN_MAX = 253, NAMES_LABEL_MAX = 63 };

struct names {
    const char *hostname; /* or NULL */
    const char *fqdn;     /* or NULL: not known */
};

/* 0, or what host->fail returned. */
int names_find(const struct bootlace_host *host, const json_t *settings, struct names *names);

#endif
