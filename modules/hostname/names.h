/* Which names the machine is to have: from the settings, else from metadata. */
#ifndef BOOTLACE_HOSTNAME_NAMES_H
#define BOOTLACE_HOSTNAME_NAMES_H

#include <bootlace/module.h>
#include <support/input.h>

enum { NAMES_FQDN_MAX = 253, NAMES_LABEL_MAX = 63 };

struct names {
    const char *hostname; /* or NULL */
    const char *fqdn;     /* or NULL: not known */
    const char *known;    /* the metadata's name where it was needed, or NULL; given by who
                           * remembers it for this instance, it is not asked for again */
};

/* Finds both names. 0, or what host->fail returned. */
int names_find(const struct bootlace_host *host, const struct input *input, struct names *names);

#endif
