/* The items of the key `dns`, read. */
#ifndef DNS_SETTINGS_H
#define DNS_SETTINGS_H

#include "record.h"

#include <bootlace/module.h>
#include <jansson.h>

enum {
    SETTINGS_TTL = 300,
    SETTINGS_PORT = 53,
    SETTINGS_ROUTE53_WAIT_S = 300,
    SETTINGS_ITEMS_MAX = 1000
};

/* A TSIG key; all NULL where messages are not signed. */
struct key {
    const char *name;      /* see name.h */
    const char *algorithm; /* as RFC 8945 names it, with its final dot */
    const char *secret;    /* base64 */
};

struct server {
    const char *address; /* or name; NULL: find it */
    unsigned port;
    const char *zone; /* see name.h; NULL: find it */
    struct key key;
};

struct route53 {
    const char *zone_id;   /* NULL: find it */
    const json_t *private; /* true, false, or NULL where both will do */
    bool wait;
    unsigned timeout_s;
};

/* What is wanted. */
struct wish {
    const char *label; /* how messages call it: its name */
    const char *id;    /* what tells it from others, and begins with its name and a blank */
    const char *name;  /* see name.h */
    const char *type;  /* its word, or NULL */
    const char *value; /* as it is given, or NULL */
    uint32_t ttl;
    bool reverse, deregister, is_route53;
    bool failed; /* it could not be fulfilled, or not wholly */
    struct server server;
    struct route53 route53;
};

/* Reads one item. 0, or -EINVAL and *why says what is wrong with it; the label is there anyway. */
int settings_read(const json_t *item, struct wish *wish, const char **why);

#endif
