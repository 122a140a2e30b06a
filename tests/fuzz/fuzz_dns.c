/*
 * What the module dns reads: answers of name servers, resolv.conf, the kernel's table of addresses,
 * and names. The first byte says which.
 */
#include "fuzz.h"

#include <dns/interface.h>
#include <dns/message.h>
#include <dns/name.h>
#include <dns/signature.h>
#include <dns/zone.h>
#include <errno.h>

#define SECRET "c2VjcmV0IG9mIHRoZSB0ZXN0cyBvZiB0aGUgZG5zIG1vZHVsZQ=="

enum { KINDS = 4, HMAC_BYTES = 32, SIZE_BYTES = 2 };

const char *__asan_default_options(void);

/* A module's process is short, and frees little. */
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static void log_nothing(const struct bootlace_host *host, enum bootlace_level level,
                        const char *format, ...)
{
    (void)host, (void)level, (void)format;
}

static void check_answer(const char *bytes, size_t size)
{
    static const struct bootlace_host host = {.size = sizeof host, .log = log_nothing};
    const struct record record = {"web.example.com", RECORD_A, "192.0.2.80", 60};
    struct peer peer = {.host = &host,
                        .name = "the server",
                        .key = {"upd.example.com", "hmac-sha256.", SECRET},
                        .fudge_s = PEER_FUDGE_S};
    const struct text wire = {.bytes = (char *)(uintptr_t)bytes, .size = size};
    uint8_t mac[SIZE_BYTES + HMAC_BYTES] = {0, HMAC_BYTES};
    ldns_rdf *asked = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_INT16_DATA, sizeof mac, mac);
    struct zone zone = {0};
    const char *why = NULL;
    ldns_pkt *answer = NULL;
    int result;

    MUST(asked);
    if (ldns_wire2pkt(&answer, (const uint8_t *)bytes, size) == LDNS_STATUS_OK) {
        ldns_rr *signature = ldns_pkt_tsig(answer);

        result = signature_check(&peer, answer, &wire, asked, &why);
        MUST(result == 0 || result == -EAGAIN || (why && *why));
        ldns_pkt_set_tsig(answer, signature); /* libldns drops it where it cannot check it */
        if (result == -EACCES)
            free((char *)(uintptr_t)why);
        /* Nothing in the corpus is signed for this request: no such answer may be believed. */
        MUST(result != 0 || !ldns_pkt_tsig(answer));
        message_read(answer, &record);
        if (zone_read(answer, record.name, &zone))
            MUST(name_is_within(record.name, zone.name));
        free((char *)(uintptr_t)zone.name);
        free((char *)(uintptr_t)zone.primary);
        ldns_pkt_free(answer);
    }
    ldns_rdf_deep_free(asked);
}

static void check_name(const char *text)
{
    char *name = name_read(text), *again;

    if (!name)
        return;
    MUST(*name && strlen(name) <= NAME_MAX_BYTES && strlen(name) <= strlen(text));
    again = name_read(name);
    MUST(again && strcmp(name, again) == 0);
    MUST(name_is_within(name, name) && name_is_within(name, name_parent(name)));
    free(again);
    free(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct peer peer = {0};
    char *bytes, *text;

    if (!size)
        return 0;
    bytes = fuzz_copy(data + 1, size - 1);
    text = strndup(bytes, size - 1);
    MUST(text);
    switch (data[0] % KINDS) {
    case 0:
        check_answer(bytes, size - 1);
        break;
    case 1:
        peer_add_resolvers(&peer, text);
        MUST(peer.count <= PEER_ADDRESSES_MAX);
        break;
    case 2:
        free(interface_ipv6_of(text, "eth0"));
        break;
    default:
        check_name(text);
    }
    free(text);
    fuzz_copy_free(bytes, size - 1);
    return 0;
}
