/* A name server that is asked: where it is, the key that both know, and what is known of it. */
#ifndef DNS_PEER_H
#define DNS_PEER_H

#include "settings.h"
#include "transport.h"

#include <ldns/ldns.h>

enum {
    PEER_ADDRESSES_MAX = 4,
    PEER_NAME_MAX = 300,
    PEER_ATTEMPTS = 3,
    PEER_EXCHANGE_MS = 5000,   /* of one attempt at one address */
    PEER_HURRIED_ATTEMPTS = 2, /* the same while the machine is going down: with all addresses */
    PEER_HURRIED_MS = 2500,    /* within the time that a step has then */
    PEER_FUDGE_S = 300,        /* RFC 8945, 10: seconds that clocks may differ */
    PEER_FUDGE_MAX_S = UINT16_MAX
};

struct peer {
    const struct bootlace_host *host;
    char name[PEER_NAME_MAX]; /* for messages: "192.0.2.53 port 53" */
    const char *address;      /* as it was given */
    unsigned port;
    struct address addresses[PEER_ADDRESSES_MAX];
    size_t count;
    struct key key;
    unsigned attempts;
    int exchange_ms;
    uint16_t fudge_s;
    bool is_resolver;     /* asked for recursion */
    const char *silenced; /* why it is asked no more, or NULL */
};

/* Finds the addresses of a server by its address or name. 0, or a negative errno and *why. */
int peer_find(struct peer *peer, const char *address, unsigned port, const char **why);

/* The resolvers of /etc/resolv.conf, any of which may answer. */
void peer_resolvers(struct peer *peer);

/* Adds what the text of a resolv.conf(5) names. */
void peer_add_resolvers(struct peer *peer, const char *text);

/*
 * Sends the message, signed where there is a key, until an answer comes that is one: to this
 * message, whole, and signed by the same key. 0, and *answer has whatever code the server gave; or
 * a negative errno and *why says what the server refused of the signature, or why nothing came.
 * The message gets another id and signature with each attempt.
 */
int peer_ask(struct peer *peer, ldns_pkt *message, ldns_pkt **answer, const char **why);

#endif
