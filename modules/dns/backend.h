/* What can hold a name: a name server that takes updates, or Route 53. */
#ifndef DNS_BACKEND_H
#define DNS_BACKEND_H

#include "settings.h"

#include <support/aws.h>

struct peer;

/* One call of the module. */
struct dns {
    const struct bootlace_host *host;
    bool hurried; /* the machine is going down */
    json_t *state;
    struct peer **peers; /* those asked so far */
    size_t peer_count;
    struct aws *aws; /* NULL until it is needed */
};

/* Where a record is. */
struct place {
    const char *zone;    /* of a server, by its name; or that of Route 53, by its ID */
    const char *address; /* of a server: as settings name it, or its zone's SOA record; or NULL */
    unsigned port;
    const char *change; /* of Route 53: the ID of what is under way; or NULL */
};

struct backend {
    /* Finds the place for a name. 0, or a negative errno and *why. */
    int (*locate)(struct dns *dns, const struct wish *wish, const struct record *record,
                  struct place *place, const char **why);

    /* Whether just this record is there, and no other of its name and type: 1, 0, or a negative
     * errno and *why. */
    int (*check)(struct dns *dns, const struct wish *wish, const struct record *record,
                 const struct place *place, const char **why);

    /* Makes the record the only one of its name and type. 0; or a negative errno and *why:
     * -EPERM where it is sure that nothing was changed. */
    int (*put)(struct dns *dns, const struct wish *wish, const struct record *record,
               struct place *place, const char **why);

    /* Takes the record out, if it is the only one of its name and type. 1, 0 where it is not, or a
     * negative errno and *why. */
    int (*withdraw)(struct dns *dns, const struct wish *wish, const struct record *record,
                    const struct place *place, const char **why);

    /* Waits until all that was put at the place is seen by everybody, or until the wish's limit
     * is over. 0, or a negative errno and *why. NULL where there is nothing to wait for. */
    int (*settle)(struct dns *dns, const struct wish *wish, const struct place *place,
                  const char **why);

    /* The place in a few words, for people. */
    const char *(*words)(const struct place *place);
};

extern const struct backend backend_server, backend_route53;

#endif
