/* Messages of DNS (RFC 1035) and of its updates (RFC 2136), made and read by libldns. */
#ifndef DNS_MESSAGE_H
#define DNS_MESSAGE_H

#include "record.h"

#include <ldns/ldns.h>

/* What an answer has under a record's name and type. */
enum message_found {
    MESSAGE_SAME,    /* just this value and time to live */
    MESSAGE_TTL,     /* just this value, and another time to live */
    MESSAGE_OTHER,   /* something else, or nothing */
    MESSAGE_ALIAS,   /* an alias, where the record is none */
    MESSAGE_UNKNOWN, /* the answer is a refusal */
};

/* A question for a name's records of a type. */
ldns_pkt *message_query(const char *name, ldns_rr_type type, bool recursion);

/* The same for the records beside one. */
ldns_pkt *message_check(const struct record *record);

/* An update that makes the record the only one of its name and type. */
ldns_pkt *message_replace(const char *zone, const struct record *record);

/* An update that takes the record out if it is the only one of its name and type. */
ldns_pkt *message_withdraw(const char *zone, const struct record *record);

/* What the answer to message_check() says. */
enum message_found message_read(const ldns_pkt *answer, const struct record *record);

/* A name of a message as name.h has it; NULL where it is none that can be written so. */
char *message_name(const ldns_rdf *name);

#endif
