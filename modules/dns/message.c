/* Messages; see message.h. */
#include "message.h"

#include "name.h"

#include <stdlib.h>
#include <string.h>
#include <support/text.h>

static ldns_rr_type type_of(const struct record *record)
{
    static const ldns_rr_type types[RECORD_TYPES] = {
        [RECORD_A] = LDNS_RR_TYPE_A,
        [RECORD_AAAA] = LDNS_RR_TYPE_AAAA,
        [RECORD_CNAME] = LDNS_RR_TYPE_CNAME,
        [RECORD_PTR] = LDNS_RR_TYPE_PTR,
    };

    return types[record->type];
}

static ldns_rdf *value_of(const struct record *record)
{
    ldns_rdf_type type = record->type == RECORD_A      ? LDNS_RDF_TYPE_A
                         : record->type == RECORD_AAAA ? LDNS_RDF_TYPE_AAAA
                                                       : LDNS_RDF_TYPE_DNAME;

    return text_need(ldns_rdf_new_frm_str(type, record->value));
}

/* The record as a section has it; the class tells what is meant, and a value is not always there
 * (RFC 2136, 2.4 and 2.5). */
static ldns_rr *make_rr(const struct record *record, ldns_rr_class class, uint32_t ttl,
                        bool has_value)
{
    ldns_rr *rr = text_need(ldns_rr_new());

    ldns_rr_set_owner(rr, text_need(ldns_dname_new_frm_str(record->name)));
    ldns_rr_set_type(rr, type_of(record));
    ldns_rr_set_class(rr, class);
    ldns_rr_set_ttl(rr, ttl);
    if (has_value)
        ldns_rr_push_rdf(rr, value_of(record));
    return rr;
}

ldns_pkt *message_query(const char *name, ldns_rr_type type, bool recursion)
{
    return text_need(ldns_pkt_query_new(text_need(ldns_dname_new_frm_str(name)), type,
                                        LDNS_RR_CLASS_IN, recursion ? LDNS_RD : 0));
}

ldns_pkt *message_check(const struct record *record)
{
    return message_query(record->name, type_of(record), false);
}

/* A section of one or two records, which it takes over. */
static ldns_rr_list *make_section(ldns_rr *first, ldns_rr *second)
{
    ldns_rr_list *section = text_need(ldns_rr_list_new());

    if (first)
        ldns_rr_list_push_rr(section, first);
    if (second)
        ldns_rr_list_push_rr(section, second);
    return section;
}

/* An update with these sections, which it takes over. */
static ldns_pkt *make_update(const char *zone, ldns_rr_list *wanted, ldns_rr_list *changes)
{
    ldns_pkt *update = text_need(ldns_update_pkt_new(text_need(ldns_dname_new_frm_str(zone)),
                                                     LDNS_RR_CLASS_IN, wanted, changes, NULL));

    ldns_pkt_set_rd(update, false);
    ldns_rr_list_deep_free(wanted);
    ldns_rr_list_deep_free(changes);
    return update;
}

ldns_pkt *message_replace(const char *zone, const struct record *record)
{
    return make_update(zone, make_section(NULL, NULL),
                       make_section(make_rr(record, LDNS_RR_CLASS_ANY, 0, false),
                                    make_rr(record, LDNS_RR_CLASS_IN, record->ttl, true)));
}

ldns_pkt *message_withdraw(const char *zone, const struct record *record)
{
    return make_update(zone, make_section(make_rr(record, LDNS_RR_CLASS_IN, 0, true), NULL),
                       make_section(make_rr(record, LDNS_RR_CLASS_NONE, 0, true), NULL));
}

char *message_name(const ldns_rdf *name)
{
    char *text = ldns_rdf2str(name), *read = text ? name_read(text) : NULL;

    free(text);
    return read;
}

/* Whether a record of that type has the value; names are compared without regard to case. */
static bool has_value(const ldns_rr *rr, const struct record *record)
{
    ldns_rdf *value = value_of(record);
    bool same = ldns_rr_rdf(rr, 0) && (record->type == RECORD_A || record->type == RECORD_AAAA
                                           ? ldns_rdf_compare(ldns_rr_rdf(rr, 0), value) == 0
                                           : ldns_dname_compare(ldns_rr_rdf(rr, 0), value) == 0);

    ldns_rdf_deep_free(value);
    return same;
}

/* Counts the records of the name and type: those with the value, and others. False where the name
 * is an alias instead. */
static bool count_records(const ldns_rr_list *section, const struct record *record,
                          const ldns_rdf *owner, unsigned *same, unsigned *other, bool *has_ttl)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(section); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(section, i);

        if (ldns_dname_compare(ldns_rr_owner(rr), owner) != 0)
            continue;
        if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_CNAME && record->type != RECORD_CNAME)
            return false;
        if (ldns_rr_get_type(rr) != type_of(record))
            continue;
        *has_ttl = *has_ttl && ldns_rr_ttl(rr) == record->ttl;
        ++*(has_value(rr, record) ? same : other);
    }
    return true;
}

enum message_found message_read(const ldns_pkt *answer, const struct record *record)
{
    ldns_pkt_rcode code = ldns_pkt_get_rcode(answer);
    ldns_rdf *owner = text_need(ldns_dname_new_frm_str(record->name));
    unsigned same = 0, other = 0;
    bool has_ttl = true, is_free;

    is_free = count_records(ldns_pkt_answer(answer), record, owner, &same, &other, &has_ttl);
    ldns_rdf_deep_free(owner);
    if (code != LDNS_RCODE_NOERROR && code != LDNS_RCODE_NXDOMAIN)
        return MESSAGE_UNKNOWN;
    if (!is_free)
        return MESSAGE_ALIAS;
    if (same != 1 || other)
        return MESSAGE_OTHER;
    return has_ttl ? MESSAGE_SAME : MESSAGE_TTL;
}
