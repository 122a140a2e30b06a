/*
 * Names in zones whose server takes updates (RFC 2136), signed with TSIG where there is a key.
 *
 * A server takes an update that adds a record beside an alias, or an alias beside a record, and
 * leaves it out without a word (RFC 2136, 3.4.2.2). So what was put is asked for afterwards.
 */
#include "backend.h"

#include "message.h"
#include "moment.h"
#include "name.h"
#include "refusal.h"
#include "zone.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONFIRMATIONS = 3, /* a server that passes updates on takes a moment to have them itself */
    CONFIRM_PAUSE_MS = 500
};

static struct peer *new_peer(struct dns *dns)
{
    struct peer *peer = text_need(calloc(1, sizeof *peer));

    *peer = (struct peer){.host = dns->host,
                          .attempts = dns->hurried ? PEER_HURRIED_ATTEMPTS : PEER_ATTEMPTS,
                          .exchange_ms = dns->hurried ? PEER_HURRIED_MS : PEER_EXCHANGE_MS,
                          .fudge_s = PEER_FUDGE_S};
    dns->peers = text_need(realloc(dns->peers, (dns->peer_count + 1) * sizeof(struct peer *)));
    dns->peers[dns->peer_count++] = peer;
    return peer;
}

static struct peer *resolver(struct dns *dns)
{
    struct peer *peer;

    for (size_t i = 0; i < dns->peer_count; i++) {
        if (dns->peers[i]->is_resolver)
            return dns->peers[i];
    }
    peer = new_peer(dns);
    peer_resolvers(peer);
    return peer;
}

static bool is_same_key(const struct key *one, const struct key *other)
{
    if (!one->name || !other->name)
        return one->name == other->name;
    return strcmp(one->name, other->name) == 0 && strcmp(one->secret, other->secret) == 0 &&
           strcmp(one->algorithm, other->algorithm) == 0;
}

/* The server of a place: one that was asked before, so that what is known of it holds. */
static struct peer *find_peer(struct dns *dns, const struct wish *wish, const struct place *place,
                              const char **why)
{
    struct peer *peer;

    for (size_t i = 0; i < dns->peer_count; i++) {
        peer = dns->peers[i];
        if (!peer->is_resolver && peer->port == place->port &&
            strcmp(peer->address, place->address) == 0 &&
            is_same_key(&peer->key, &wish->server.key))
            return peer;
    }
    peer = new_peer(dns);
    peer->key = wish->server.key;
    return peer_find(peer, place->address, place->port, why) < 0 ? NULL : peer;
}

static int server_locate(struct dns *dns, const struct wish *wish, const struct record *record,
                         struct place *place, const char **why)
{
    const struct server *server = &wish->server;
    struct zone zone = {0};
    struct peer *peer;
    int result;

    *place = (struct place){.address = server->address, .port = server->port};
    /* The zone that is given is the name's; that of its address is another. */
    if (server->zone && name_is_within(record->name, server->zone))
        place->zone = server->zone;
    if (place->zone && place->address)
        return 0;
    peer = place->address ? find_peer(dns, wish, place, why) : resolver(dns);
    if (!peer)
        return -EHOSTUNREACH;
    result = zone_find(peer, place->zone ? place->zone : record->name, &zone, why);
    if (result < 0)
        return result;
    if (!place->zone)
        place->zone = zone.name;
    if (!place->address)
        place->address = zone.primary;
    if (place->address)
        return 0;
    *why = text_format("the zone %s names no server that takes updates: give server.address",
                       zone.name);
    return -ENOENT;
}

static int look(struct peer *peer, const struct record *record, enum message_found *found,
                const char **why)
{
    ldns_pkt *answer;
    int result = peer_ask(peer, message_check(record), &answer, why);

    if (result == 0)
        *found = message_read(answer, record);
    return result;
}

static int alias_failure(const struct record *record, const char **why)
{
    *why = text_format("%s is an alias (CNAME) of another name: remove that, or register another "
                       "name; nothing else can be beside an alias",
                       record->name);
    return -EPERM;
}

static int server_check(struct dns *dns, const struct wish *wish, const struct record *record,
                        const struct place *place, const char **why)
{
    struct peer *peer = find_peer(dns, wish, place, why);
    enum message_found found = MESSAGE_UNKNOWN;
    int result;

    if (!peer)
        return -EHOSTUNREACH;
    result = look(peer, record, &found, why);
    if (result < 0)
        return result;
    if (found == MESSAGE_ALIAS)
        return alias_failure(record, why);
    return found == MESSAGE_SAME;
}

/* Whether what was put is there; a server that doesn't answer questions is believed. */
static int confirm(struct peer *peer, const struct record *record, const char **why)
{
    enum message_found found = MESSAGE_UNKNOWN;

    for (unsigned i = 0; i < CONFIRMATIONS; i++) {
        int result = look(peer, record, &found, why);

        if (result < 0)
            return result;
        if (found == MESSAGE_ALIAS)
            return alias_failure(record, why);
        if (found != MESSAGE_OTHER)
            return 0;
        moment_wait(CONFIRM_PAUSE_MS);
    }
    *why = text_format("%s took the update, but does not have the record now: %s", peer->name,
                       record->type == RECORD_CNAME
                           ? "an alias (CNAME) cannot be where another record is; remove that"
                           : "something else changes it, or the server passes updates on; its log "
                             "may say more");
    return -EIO;
}

static int server_put(struct dns *dns, const struct wish *wish, const struct record *record,
                      struct place *place, const char **why)
{
    struct peer *peer = find_peer(dns, wish, place, why);
    ldns_pkt *answer;
    int result;

    if (!peer)
        return -EHOSTUNREACH;
    result = peer_ask(peer, message_replace(place->zone, record), &answer, why);
    if (result < 0)
        return result == -EACCES ? -EPERM : result;
    if (ldns_pkt_get_rcode(answer) != LDNS_RCODE_NOERROR) {
        *why = text_format("%s, zone %s: %s", peer->name, place->zone,
                           refusal_words((unsigned)ldns_pkt_get_rcode(answer)));
        return -EPERM;
    }
    return confirm(peer, record, why);
}

static int server_withdraw(struct dns *dns, const struct wish *wish, const struct record *record,
                           const struct place *place, const char **why)
{
    struct peer *peer = place->address ? find_peer(dns, wish, place, why) : NULL;
    ldns_pkt *answer;
    int result;

    if (!peer)
        return -EHOSTUNREACH;
    result = peer_ask(peer, message_withdraw(place->zone, record), &answer, why);
    if (result < 0)
        return result;
    switch (ldns_pkt_get_rcode(answer)) {
    case LDNS_RCODE_NOERROR:
        return 1;
    case LDNS_RCODE_NXRRSET: /* of a name that is gone, too (RFC 2136, 3.2.3) */
    case LDNS_RCODE_NXDOMAIN:
        return 0;
    default:
        *why = text_format("%s, zone %s: %s", peer->name, place->zone,
                           refusal_words((unsigned)ldns_pkt_get_rcode(answer)));
        return -EPERM;
    }
}

static const char *server_words(const struct place *place)
{
    return text_format("%s, zone %s", place->address, place->zone);
}

const struct backend backend_server = {
    .locate = server_locate,
    .check = server_check,
    .put = server_put,
    .withdraw = server_withdraw,
    .words = server_words,
};
