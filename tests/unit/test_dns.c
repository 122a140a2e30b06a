/* The pure parts of the module dns: names, the kernel's table of addresses, resolv.conf, messages,
 * zones and refusals. */
#include "check.h"

#include <arpa/inet.h>
#include <dns/interface.h>
#include <dns/message.h>
#include <dns/name.h>
#include <dns/peer.h>
#include <dns/refusal.h>
#include <dns/zone.h>
#include <netinet/in.h>

static const struct record web = {
    .name = "web.example.com", .type = RECORD_A, .value = "192.0.2.80", .ttl = 60};

static void assert_name(const char *given, const char *expected)
{
    char *name = name_read(given);

    if (expected && name)
        assert_string_equal(name, expected);
    else if (expected || name)
        fail_msg("%s is read as %s", given, name ? name : "none");
    free(name);
}

static void names_are_lower_case_without_final_dot(void **state)
{
    (void)state;
    assert_name("example.com", "example.com");
    assert_name("Web.Example.COM.", "web.example.com");
    assert_name("localhost", "localhost");
    assert_name(".", ".");
    assert_name("*.example.com", "*.example.com");
    assert_name("_dmarc._tcp.example.com", "_dmarc._tcp.example.com");
    assert_name("xn--bcher-kva.example", "xn--bcher-kva.example");
    assert_name("1.2.3.4", "1.2.3.4");
}

static void what_is_no_name_is_refused(void **state)
{
    static const char *const none[] = {
        "",      "..",    "a..b",  ".a",  "a b",  "-a",   "a-",  "a.-b",
        "a.*.b", "a*.b",  "**.b",  "a/b", "a\\b", "a\nb", "a$b", "\xc3\xa4.example",
        "a.b..", "a@b.c", "\"a\"", "a;b", "a\t",  "(a)",  "%",   "{{ v1.name }}.example",
    };
    char long_label[NAME_LABEL_MAX + 8] = "", long_name[NAME_MAX_BYTES + 8] = "";

    (void)state;
    for (size_t i = 0; i < COUNT(none); i++)
        assert_name(none[i], NULL);
    memset(long_label, 'a', NAME_LABEL_MAX);
    assert_name(long_label, long_label);
    long_label[NAME_LABEL_MAX] = 'a';
    assert_name(long_label, NULL);
    for (size_t i = 0; i < NAME_MAX_BYTES; i++)
        long_name[i] = i % 2 ? '.' : 'a';
    assert_name(long_name, long_name);
    long_name[NAME_MAX_BYTES] = 'a';
    assert_name(long_name, NULL);
}

static void what_is_within_a_zone(void **state)
{
    (void)state;
    assert_true(name_is_within("example.com", "example.com"));
    assert_true(name_is_within("a.b.example.com", "example.com"));
    assert_true(name_is_within("example.com", "."));
    assert_false(name_is_within("badexample.com", "example.com"));
    assert_false(name_is_within("com", "example.com"));
    assert_false(name_is_within("example.com.org", "example.com"));
    assert_string_equal(name_parent("a.b.c"), "b.c");
    assert_string_equal(name_parent("c"), ".");
}

static void assert_reverse(const char *address, const char *expected)
{
    char *name = name_of_address(address);

    if (expected)
        assert_string_equal(name, expected);
    else
        assert_null(name);
    free(name);
}

static void addresses_have_names(void **state)
{
    (void)state;
    assert_reverse("192.0.2.80", "80.2.0.192.in-addr.arpa");
    assert_reverse("2001:db8::567:89ab",
                   "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
    assert_reverse("::ffff:192.0.2.1",
                   "1.0.2.0.0.0.0.c.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa");
    assert_reverse("web.example.com", NULL);
    assert_reverse("192.0.2", NULL);
    assert_reverse("", NULL);
}

static void assert_ipv6(const char *table, const char *expected)
{
    char *found = interface_ipv6_of(table, "eth0");

    if (expected && found)
        assert_string_equal(found, expected);
    else if (expected || found)
        fail_msg("%s", found ? found : "none");
    free(found);
}

static void the_first_lasting_global_address_is_taken(void **state)
{
    (void)state;
    assert_ipv6("", NULL);
    assert_ipv6("00000000000000000000000000000001 01 80 10 80       lo\n"
                "fe800000000000000000000000000001 02 40 20 80     eth0\n" /* link-local */
                "20010db8000000000000000000000001 03 40 00 80     eth1\n" /* another's */
                "20010db8000000000000000000000002 02 40 00 01     eth0\n" /* temporary */
                "20010db8000000000000000000000003 02 40 00 40     eth0\n" /* tentative */
                "20010db8000000000000000000000004 02 40 00 20     eth0\n" /* deprecated */
                "20010db8000000000000000000000005 02 40 00 08     eth0\n" /* a duplicate */
                "20010db8000000000000000000000006 02 40 00 80     eth0\n"
                "20010db8000000000000000000000007 02 40 00 80     eth0\n",
                "2001:db8::6");
    assert_ipv6("fd000000000000000000000000000001 02 40 00 00 eth0", "fd00::1");
    assert_ipv6("20010db8 02 40 00 80 eth0\n", NULL);
    assert_ipv6("20010db8000000000000000000000006 02 40 00\n", NULL);
    assert_ipv6("20010db8000000000000000000000006 02 40 00 80 eth00\n", NULL);
    assert_ipv6("\n\nx\n", NULL);
}

static void assert_resolvers(const char *text, size_t count, const char *first)
{
    struct peer peer = {0};
    struct sockaddr_in *address = (struct sockaddr_in *)(void *)&peer.addresses[0].bytes;
    char found[INET_ADDRSTRLEN] = "";

    peer_add_resolvers(&peer, text);
    assert_int_equal(peer.count, count);
    if (!first)
        return;
    inet_ntop(AF_INET, &address->sin_addr, found, sizeof found);
    assert_string_equal(found, first);
    assert_int_equal(ntohs(address->sin_port), 53);
}

static void resolvers_are_read(void **state)
{
    (void)state;
    assert_resolvers("", 0, NULL);
    assert_resolvers("nameserver 192.0.2.1\n", 1, "192.0.2.1");
    assert_resolvers("# x\n; y\nsearch a b\nnameserver\t 192.0.2.1 # z\nnameserver ::1", 2,
                     "192.0.2.1");
    assert_resolvers(
        "nameserver a.name\nnameservers 192.0.2.9\nnameserver\nnameserver 192.0.2.2;\n", 1,
        "192.0.2.2");
    assert_resolvers("nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n"
                     "nameserver 192.0.2.4\n",
                     3, "192.0.2.1");
}

/* The message as it would come back from the wire. */
static ldns_pkt *again(ldns_pkt *message)
{
    uint8_t *wire = NULL;
    size_t size = 0;
    ldns_pkt *read = NULL;

    assert_int_equal(ldns_pkt2wire(&wire, message, &size), LDNS_STATUS_OK);
    assert_int_equal(ldns_wire2pkt(&read, wire, size), LDNS_STATUS_OK);
    free(wire);
    ldns_pkt_free(message);
    return read;
}

/* An answer with records as a zone file has them. */
static ldns_pkt *answer_of(ldns_pkt_rcode code, const char *const *lines, bool in_authority)
{
    ldns_pkt *answer = message_query("web.example.com", LDNS_RR_TYPE_A, false);

    ldns_pkt_set_qr(answer, true);
    ldns_pkt_set_rcode(answer, (uint8_t)code);
    for (; *lines; lines++) {
        ldns_rr *rr = NULL;

        assert_int_equal(ldns_rr_new_frm_str(&rr, *lines, 0, NULL, NULL), LDNS_STATUS_OK);
        ldns_pkt_push_rr(answer, in_authority ? LDNS_SECTION_AUTHORITY : LDNS_SECTION_ANSWER, rr);
    }
    return again(answer);
}

static void assert_found(const struct record *record, enum message_found expected,
                         ldns_pkt_rcode code, const char *const *lines)
{
    ldns_pkt *answer = answer_of(code, lines, false);

    assert_int_equal(message_read(answer, record), expected);
    ldns_pkt_free(answer);
}

#define FOUND(record_, expected_, ...)                                                             \
    assert_found(record_, expected_, LDNS_RCODE_NOERROR, (const char *const[]){__VA_ARGS__, NULL})

static void answers_are_compared_with_what_is_wanted(void **state)
{
    const struct record six = {"web.example.com", RECORD_AAAA, "2001:db8::1", 60};
    const struct record alias = {"web.example.com", RECORD_CNAME, "www.example.org", 60};
    const char *const nothing[] = {NULL};

    (void)state;
    FOUND(&web, MESSAGE_SAME, "web.example.com. 60 IN A 192.0.2.80");
    FOUND(&web, MESSAGE_SAME, "WEB.Example.com. 60 IN A 192.0.2.80");
    FOUND(&web, MESSAGE_TTL, "web.example.com. 61 IN A 192.0.2.80");
    FOUND(&web, MESSAGE_OTHER, "web.example.com. 60 IN A 192.0.2.81");
    FOUND(&web, MESSAGE_OTHER, "other.example.com. 60 IN A 192.0.2.80");
    FOUND(&web, MESSAGE_OTHER, "web.example.com. 60 IN A 192.0.2.80",
          "web.example.com. 60 IN A 192.0.2.81");
    FOUND(&web, MESSAGE_SAME, "web.example.com. 60 IN A 192.0.2.80",
          "web.example.com. 60 IN AAAA 2001:db8::1");
    FOUND(&web, MESSAGE_ALIAS, "web.example.com. 60 IN CNAME www.example.org.",
          "www.example.org. 60 IN A 192.0.2.80");
    FOUND(&six, MESSAGE_SAME, "web.example.com. 60 IN AAAA 2001:db8:0::1");
    FOUND(&alias, MESSAGE_SAME, "web.example.com. 60 IN CNAME WWW.example.ORG.");
    FOUND(&alias, MESSAGE_OTHER, "web.example.com. 60 IN CNAME www.example.net.");
    assert_found(&web, MESSAGE_OTHER, LDNS_RCODE_NXDOMAIN, nothing);
    assert_found(&web, MESSAGE_UNKNOWN, LDNS_RCODE_REFUSED, nothing);
    assert_found(&web, MESSAGE_UNKNOWN, LDNS_RCODE_SERVFAIL, nothing);
}

static void assert_rr(const ldns_rr_list *section, size_t at, ldns_rr_class class, uint32_t ttl,
                      size_t values)
{
    const ldns_rr *rr = ldns_rr_list_rr(section, at);

    assert_non_null(rr);
    assert_int_equal(ldns_rr_get_type(rr), LDNS_RR_TYPE_A);
    assert_int_equal(ldns_rr_get_class(rr), class);
    assert_int_equal(ldns_rr_ttl(rr), ttl);
    assert_int_equal(ldns_rr_rd_count(rr), values);
}

static void a_replacement_deletes_and_adds(void **state)
{
    ldns_pkt *update = again(message_replace("example.com", &web));

    (void)state;
    assert_int_equal(ldns_pkt_get_opcode(update), LDNS_PACKET_UPDATE);
    assert_int_equal(ldns_update_zocount(update), 1);
    assert_int_equal(ldns_update_prcount(update), 0);
    assert_int_equal(ldns_update_upcount(update), 2);
    assert_rr(ldns_pkt_authority(update), 0, LDNS_RR_CLASS_ANY, 0, 0);
    assert_rr(ldns_pkt_authority(update), 1, LDNS_RR_CLASS_IN, 60, 1);
    ldns_pkt_free(update);
}

static void a_withdrawal_has_a_condition(void **state)
{
    ldns_pkt *update = again(message_withdraw("example.com", &web));

    (void)state;
    assert_int_equal(ldns_update_prcount(update), 1);
    assert_int_equal(ldns_update_upcount(update), 1);
    assert_rr(ldns_pkt_answer(update), 0, LDNS_RR_CLASS_IN, 0, 1);
    assert_rr(ldns_pkt_authority(update), 0, LDNS_RR_CLASS_NONE, 0, 1);
    ldns_pkt_free(update);
}

static void assert_zone(const char *line, const char *expected)
{
    const char *const lines[] = {line, NULL};

    for (int in_authority = 0; in_authority < 2; in_authority++) {
        ldns_pkt *answer = answer_of(LDNS_RCODE_NOERROR, lines, in_authority);
        struct zone zone = {0};

        assert_int_equal(zone_read(answer, "web.example.com", &zone), expected != NULL);
        if (expected) {
            assert_string_equal(zone.name, expected);
            assert_string_equal(zone.primary, "ns1.example.net");
        }
        ldns_pkt_free(answer);
        free((char *)zone.name);
        free((char *)zone.primary);
    }
}

#define SOA " 60 IN SOA ns1.example.net. admin.example.com. 1 2 3 4 5"

static void zones_are_those_that_the_name_is_in(void **state)
{
    (void)state;
    assert_zone("example.com." SOA, "example.com");
    assert_zone("EXAMPLE.com." SOA, "example.com");
    assert_zone("web.example.com." SOA, "web.example.com");
    assert_zone("com." SOA, "com");
    assert_zone("." SOA, NULL);
    assert_zone("a.web.example.com." SOA, NULL);
    assert_zone("example.org." SOA, NULL);
    assert_zone("example.com. 60 IN NS ns1.example.net.", NULL);
}

static void every_refusal_has_words(void **state)
{
    static const struct {
        unsigned code;
        const char *name;
    } known[] = {{1, "FORMERR"},  {2, "SERVFAIL"},  {3, "NXDOMAIN"}, {4, "NOTIMP"},
                 {5, "REFUSED"},  {6, "YXDOMAIN"},  {7, "YXRRSET"},  {8, "NXRRSET"},
                 {9, "NOTAUTH"},  {10, "NOTZONE"},  {16, "BADSIG"},  {17, "BADKEY"},
                 {18, "BADTIME"}, {22, "BADTRUNC"}, {13, "RCODE 13"}};

    (void)state;
    for (size_t i = 0; i < COUNT(known); i++) {
        char *name = refusal_name(known[i].code), *words = refusal_words(known[i].code);

        assert_string_equal(name, known[i].name);
        assert_int_equal(strncmp(words, name, strlen(name)), 0);
        assert_true(strlen(words) > strlen(name) + 20);
        free(name);
        free(words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_lower_case_without_final_dot),
        cmocka_unit_test(what_is_no_name_is_refused),
        cmocka_unit_test(what_is_within_a_zone),
        cmocka_unit_test(addresses_have_names),
        cmocka_unit_test(the_first_lasting_global_address_is_taken),
        cmocka_unit_test(resolvers_are_read),
        cmocka_unit_test(answers_are_compared_with_what_is_wanted),
        cmocka_unit_test(a_replacement_deletes_and_adds),
        cmocka_unit_test(a_withdrawal_has_a_condition),
        cmocka_unit_test(zones_are_those_that_the_name_is_in),
        cmocka_unit_test(every_refusal_has_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
