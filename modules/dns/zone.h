/* Which zone a name is in, and which server takes its updates. */
#ifndef DNS_ZONE_H
#define DNS_ZONE_H

#include "peer.h"

enum { ZONE_STEPS_MAX = 128 }; /* labels of a name, and more than any has */

struct zone {
    const char *name;    /* see name.h */
    const char *primary; /* the server that its SOA record names */
};

/* Reads the zone from an answer, if it has the SOA record of one that the name is in. */
bool zone_read(const ldns_pkt *answer, const char *name, struct zone *zone);

/* Asks the peer for the SOA record of the name and, where there is none, of the names above. 0, or
 * a negative errno and *why. */
int zone_find(struct peer *peer, const char *name, struct zone *zone, const char **why);

#endif
