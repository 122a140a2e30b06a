/*
 * TSIG, by libldns; see signature.h.
 *
 * libldns makes and compares the codes. What it leaves to its caller is here: the errors that a
 * server puts into its TSIG record, whether the time is right, and what to do where it is not. It
 * signs by this machine's clock alone; so where that is wrong, and the server says so under its own
 * signature, the time that may lie between both (fudge) is widened for the rest of the step.
 */
#include "signature.h"

#include "refusal.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

/* The fields of a TSIG record (RFC 8945, 4.2). */
enum { TIME_SIGNED = 1, MAC = 3, ERROR = 5, OTHER = 6, FIELDS = 7 };

enum { TIME_BYTES = 6, SIZE_BYTES = 2, S_PER_HOUR = 3600, TIME_TEXT_MAX = 40 };

int signature_make(const struct peer *peer, ldns_pkt *message, ldns_rdf **mac, const char **why)
{
    ldns_status status;

    *mac = NULL;
    if (!peer->key.name)
        return 0;
    ldns_rr_free(ldns_pkt_tsig(message));
    ldns_pkt_set_tsig(message, NULL);
    status = ldns_pkt_tsig_sign(message, peer->key.name, peer->key.secret, peer->fudge_s,
                                peer->key.algorithm, NULL);
    if (status != LDNS_STATUS_OK || !ldns_pkt_tsig(message)) {
        *why = text_format("the update cannot be signed: %s", ldns_get_errorstr_by_id(status));
        return -EINVAL;
    }
    *mac = ldns_rr_rdf(ldns_pkt_tsig(message), MAC);
    return 0;
}

/* A time of six bytes. */
static int64_t read_time(const uint8_t *bytes)
{
    int64_t seconds = 0;

    for (int i = 0; i < TIME_BYTES; i++)
        seconds = seconds << 8 | bytes[i];
    return seconds;
}

static char *time_words(int64_t seconds)
{
    char words[TIME_TEXT_MAX] = "";
    time_t when = (time_t)seconds;
    struct tm parts;

    if (gmtime_r(&when, &parts))
        strftime(words, sizeof words, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text_format("%s", *words ? words : "a time beyond all years");
}

/* BADTIME, under the server's signature: its record has its time. */
static int allow_for_clock(struct peer *peer, const ldns_rdf *other, const char **why)
{
    int64_t theirs, apart;

    if (ldns_rdf_size(other) != SIZE_BYTES + TIME_BYTES) {
        *why = refusal_words(REFUSAL_BADTIME);
        return -ETIME;
    }
    theirs = read_time(ldns_rdf_data(other) + SIZE_BYTES);
    apart = theirs - (int64_t)time(NULL);
    if (llabs(apart) + PEER_FUDGE_S > peer->fudge_s &&
        llabs(apart) + PEER_FUDGE_S <= PEER_FUDGE_MAX_S) {
        peer->host->log(peer->host, BOOTLACE_WARNING,
                        "the clock of this machine is %lld s %s that of %s: allowed for",
                        llabs(apart), apart > 0 ? "behind" : "ahead of", peer->name);
        peer->fudge_s = (uint16_t)(llabs(apart) + PEER_FUDGE_S);
        return -EAGAIN;
    }
    *why = text_format("BADTIME: the server's clock says %s, this machine's %s: set it (NTP); "
                       "%d hours could have been allowed for",
                       time_words(theirs), time_words(time(NULL)),
                       (PEER_FUDGE_MAX_S - PEER_FUDGE_S) / S_PER_HOUR);
    return -ETIME;
}

/* Whether the answer may be taken at its word without a signature: where it refuses. */
static bool may_be_unsigned(ldns_pkt_rcode code)
{
    return code == LDNS_RCODE_FORMERR || code == LDNS_RCODE_SERVFAIL ||
           code == LDNS_RCODE_NOTIMPL || code == LDNS_RCODE_REFUSED || code == LDNS_RCODE_NOTAUTH ||
           code == LDNS_RCODE_NOTZONE;
}

int signature_check(struct peer *peer, ldns_pkt *answer, const struct text *wire,
                    const ldns_rdf *mac, const char **why)
{
    const ldns_rr *tsig = ldns_pkt_tsig(answer);
    unsigned error;
    int64_t late;

    if (!peer->key.name || (!tsig && may_be_unsigned(ldns_pkt_get_rcode(answer))))
        return 0;
    if (!tsig || ldns_rr_rd_count(tsig) != FIELDS) {
        *why = "its answer is not signed, so it is not believed";
        return -EBADMSG;
    }
    error = ldns_rdf2native_int16(ldns_rr_rdf(tsig, ERROR));
    /* These two the server cannot sign. */
    if (error == REFUSAL_BADKEY || error == REFUSAL_BADSIG) {
        *why = refusal_words(error);
        return -EACCES;
    }
    if (!ldns_pkt_tsig_verify(answer, (const uint8_t *)wire->bytes, wire->size, peer->key.name,
                              peer->key.secret, mac)) {
        *why = "the signature of its answer is wrong, so it is not believed";
        return -EBADMSG;
    }
    if (error == REFUSAL_BADTIME)
        return allow_for_clock(peer, ldns_rr_rdf(tsig, OTHER), why);
    if (error) {
        *why = refusal_words(error);
        return -EACCES;
    }
    late = (int64_t)time(NULL) - read_time(ldns_rdf_data(ldns_rr_rdf(tsig, TIME_SIGNED)));
    if (llabs(late) > peer->fudge_s) {
        *why = text_format("its answer was signed %lld s %s, so it is not believed: set the clock "
                           "of this machine, or the server's",
                           llabs(late), late > 0 ? "ago" : "from now");
        return -ETIME;
    }
    return 0;
}
