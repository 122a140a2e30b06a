/* Asking a name server; see peer.h. */
#include "peer.h"

#include "moment.h"
#include "signature.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/retry.h>
#include <support/tree.h>

#define RESOLV_CONF "/etc/resolv.conf"

enum { RESOLVERS_MAX = 3 }; /* MAXNS of resolv.h */

/* An address or, where that is asked for, a name. 0, or what getaddrinfo(3) returns. */
static int add_addresses(struct peer *peer, const char *address, unsigned port, int flags)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char number[16];
    int result;

    snprintf(number, sizeof number, "%u", port);
    result = getaddrinfo(address, number, &hints, &found);
    if (result != 0)
        return result;
    for (const struct addrinfo *one = found; one && peer->count < PEER_ADDRESSES_MAX;
         one = one->ai_next) {
        struct address *place = &peer->addresses[peer->count++];

        memcpy(&place->bytes, one->ai_addr, one->ai_addrlen);
        place->size = one->ai_addrlen;
    }
    freeaddrinfo(found);
    return 0;
}

int peer_find(struct peer *peer, const char *address, unsigned port, const char **why)
{
    int result = add_addresses(peer, address, port, 0);

    /* After a boot, the resolver is given time to come up. */
    for (unsigned attempt = 1; result == EAI_AGAIN && attempt < peer->attempts; attempt++) {
        moment_wait(retry_wait_ms(attempt));
        result = add_addresses(peer, address, port, 0);
    }
    peer->address = address;
    peer->port = port;
    snprintf(peer->name, sizeof peer->name, "%s port %u", address, port);
    if (result == 0)
        return 0;
    peer->silenced = text_format("the name server %s has no address: %s", address,
                                 result == EAI_SYSTEM ? strerror(errno) : gai_strerror(result));
    *why = peer->silenced;
    return -EHOSTUNREACH;
}

void peer_add_resolvers(struct peer *peer, const char *text)
{
    static const char word[] = "nameserver";

    while (*text && peer->count < RESOLVERS_MAX) {
        size_t size = strcspn(text, "\n");
        char *line = text_format("%.*s", (int)size, text), *rest = line + strlen(word);

        if (strncmp(line, word, strlen(word)) == 0 && strchr(" \t", *rest) && *rest) {
            rest += strspn(rest, " \t");
            rest[strcspn(rest, " \t\r#;")] = '\0';
            add_addresses(peer, rest, SETTINGS_PORT, AI_NUMERICHOST);
        }
        free(line);
        text += size + (text[size] == '\n');
    }
}

void peer_resolvers(struct peer *peer)
{
    struct text text = {0};

    snprintf(peer->name, sizeof peer->name, "the resolver of " RESOLV_CONF);
    peer->is_resolver = true;
    if (tree_read(peer->host, RESOLV_CONF, &text, NULL) == 0)
        peer_add_resolvers(peer, text_string(&text));
    free(text.bytes);
    if (!peer->count) /* as resolv.conf(5) has it */
        add_addresses(peer, "127.0.0.1", SETTINGS_PORT, AI_NUMERICHOST);
}

/* Whether it is a message that answers this one, and all of it. */
static bool is_answer(const ldns_pkt *message, const ldns_pkt *answer)
{
    return ldns_pkt_qr(answer) && !ldns_pkt_tc(answer) &&
           ldns_pkt_id(answer) == ldns_pkt_id(message) &&
           ldns_pkt_get_opcode(answer) == ldns_pkt_get_opcode(message);
}

static int ask_address(struct peer *peer, const struct address *address, ldns_pkt *message,
                       ldns_pkt **answer, const char **why)
{
    struct text wire = {0};
    ldns_rdf *mac;
    uint8_t *bytes = NULL;
    size_t size = 0;
    int result;

    ldns_pkt_set_random_id(message);
    result = signature_make(peer, message, &mac, why);
    if (result < 0)
        return result;
    if (ldns_pkt2wire(&bytes, message, &size) != LDNS_STATUS_OK)
        return -EINVAL;
    result = transport_exchange(address, bytes, size, peer->exchange_ms, &wire);
    free(bytes);
    if (result == 0 &&
        (ldns_wire2pkt(answer, (const uint8_t *)wire.bytes, wire.size) != LDNS_STATUS_OK ||
         !is_answer(message, *answer)))
        result = -EPROTO;
    if (result == 0)
        result = signature_check(peer, *answer, &wire, mac, why);
    free(wire.bytes);
    return result;
}

/* Why nothing came that could be used. */
static char *silence_words(const struct peer *peer, int result)
{
    switch (result) {
    case -ETIMEDOUT:
        return text_format("%s: no answer over TCP within %g s, %u times: is it up, and may TCP "
                           "reach it?",
                           peer->name, peer->exchange_ms / (double)MOMENT_MS_PER_S, peer->attempts);
    case -ECONNREFUSED:
        return text_format("%s: nothing listens there for TCP", peer->name);
    case -ECONNRESET:
        return text_format("%s: it hung up without an answer", peer->name);
    case -EPROTO:
        return text_format("%s: what it answers is no answer of a name server's", peer->name);
    case -EMSGSIZE:
        return text_format("%s: its answer is longer than %d bytes", peer->name,
                           TRANSPORT_ANSWER_MAX);
    default:
        return text_format("%s: %s", peer->name, strerror(-result));
    }
}

/* Asks each address until one answers. */
static int ask_once(struct peer *peer, ldns_pkt *message, ldns_pkt **answer, const char **why)
{
    int result = -EHOSTUNREACH;

    for (size_t i = 0; i < peer->count; i++) {
        *why = NULL;
        result = ask_address(peer, &peer->addresses[i], message, answer, why);
        if (result == -EAGAIN) /* the server's clock is known now */
            result = ask_address(peer, &peer->addresses[i], message, answer, why);
        if (result == 0 || *why)
            return result;
    }
    return result;
}

int peer_ask(struct peer *peer, ldns_pkt *message, ldns_pkt **answer, const char **why)
{
    int result;

    if (peer->silenced) {
        *why = peer->silenced;
        return -EHOSTDOWN;
    }
    for (unsigned attempt = 1;; attempt++) {
        *answer = NULL;
        result = ask_once(peer, message, answer, why);
        /* What was refused of the signature will be refused again. */
        if (result < 0 && *why) {
            *why = text_format("%s: %s", peer->name, *why);
            return result;
        }
        if (result == 0 && ldns_pkt_get_rcode(*answer) != LDNS_RCODE_SERVFAIL)
            return 0;
        if (attempt >= peer->attempts || result == -EPROTO || result == -EMSGSIZE)
            break;
        moment_wait(retry_wait_ms(attempt));
    }
    if (result < 0) {
        peer->silenced = silence_words(peer, result);
        *why = peer->silenced;
    }
    return result;
}
