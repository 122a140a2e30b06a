/* A resource record as this module knows it: one name, one type, one value. */
#ifndef DNS_RECORD_H
#define DNS_RECORD_H

#include <stdbool.h>
#include <stdint.h>

enum record_type { RECORD_A, RECORD_AAAA, RECORD_CNAME, RECORD_PTR };

enum { RECORD_TYPES = RECORD_PTR + 1 };

struct record {
    const char *name; /* see name.h */
    enum record_type type;
    const char *value; /* an address as inet_ntop(3) writes it, or a name */
    uint32_t ttl;      /* seconds */
};

/* "A", "AAAA", "CNAME", "PTR". */
const char *record_type_word(enum record_type type);

/* The type of a word; false where it is none of these. */
bool record_type_read(const char *word, enum record_type *type);

/* Whether both have the same name, type and value. */
bool record_is_same(const struct record *one, const struct record *other);

/* The record under which the address of this one is found. */
struct record record_reverse(const struct record *record);

#endif
