/*
 * Finding zones; see zone.h.
 *
 * A name's SOA record is in the zone's top alone. The answer for any other name within has it in
 * its authority section (RFC 2308, 3), which not every resolver passes on: so where it is not
 * there, the next name above is asked for.
 */
#include "zone.h"

#include "message.h"
#include "name.h"
#include "refusal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The SOA record of a section, if it is one of a zone that the name is in; the root is none. */
static bool read_section(const ldns_rr_list *section, const char *name, struct zone *zone)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(section); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(section, i);
        char *owner;

        if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_SOA || !ldns_rr_rdf(rr, 0))
            continue;
        owner = message_name(ldns_rr_owner(rr));
        if (owner && name_is_within(name, owner) && strcmp(owner, ".") != 0) {
            *zone = (struct zone){.name = owner, .primary = message_name(ldns_rr_rdf(rr, 0))};
            return true;
        }
        free(owner);
    }
    return false;
}

bool zone_read(const ldns_pkt *answer, const char *name, struct zone *zone)
{
    return read_section(ldns_pkt_answer(answer), name, zone) ||
           read_section(ldns_pkt_authority(answer), name, zone);
}

int zone_find(struct peer *peer, const char *name, struct zone *zone, const char **why)
{
    unsigned refused = 0;

    for (const char *at = name; strcmp(at, ".") != 0; at = name_parent(at)) {
        ldns_pkt *answer;
        int result =
            peer_ask(peer, message_query(at, LDNS_RR_TYPE_SOA, peer->is_resolver), &answer, why);

        if (result < 0)
            return result;
        if (zone_read(answer, name, zone))
            return 0;
        if (!refused && ldns_pkt_get_rcode(answer) != LDNS_RCODE_NXDOMAIN)
            refused = (unsigned)ldns_pkt_get_rcode(answer);
        if (refused == LDNS_RCODE_SERVFAIL) /* it was asked several times already */
            break;
    }
    *why = text_format("%s knows no zone that %s is in%s%s%s: give %s", peer->name, name,
                       refused ? " (it said " : "", refused ? refusal_name(refused) : "",
                       refused ? ")" : "",
                       peer->is_resolver ? "server.address and server.zone"
                                         : "the zone's own server in server.address");
    return -ENOENT;
}
