/* Signatures of messages: TSIG (RFC 8945), made and checked by libldns. */
#ifndef DNS_SIGNATURE_H
#define DNS_SIGNATURE_H

#include "peer.h"

/* Signs the message with the peer's key, in place of a signature that it has; *mac is what the
 * answer's covers. Without a key nothing is done. 0, or -EINVAL and *why. */
int signature_make(const struct peer *peer, ldns_pkt *message, ldns_rdf **mac, const char **why);

/*
 * Whether the answer, as it came over the wire, is the peer's. 0; -EAGAIN where the server's clock
 * is another, which is allowed for from now on; or a negative errno and *why: -EACCES where the
 * server refused the request's signature, -EBADMSG where its own is wrong, -ETIME where the clocks
 * are too far apart. A refusal may be unsigned; what would be believed otherwise may not.
 */
int signature_check(struct peer *peer, ldns_pkt *answer, const struct text *wire,
                    const ldns_rdf *mac, const char **why);

#endif
