/* What a name is to stand for; see value.h. */
#include "value.h"

#include "interface.h"
#include "moment.h"
#include "name.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <support/text.h>

#define INTERFACE_PREFIX "interface:"

enum { POLL_MS = 200 };

/* The text as an address in the one form that the kernel would write; NULL where it is none. */
static const char *read_address(const char *text, enum record_type *type)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    char written[INET6_ADDRSTRLEN];
    int family = strchr(text, ':') ? AF_INET6 : AF_INET;

    if (inet_pton(family, text, bytes) != 1 || !inet_ntop(family, bytes, written, sizeof written))
        return NULL;
    *type = family == AF_INET6 ? RECORD_AAAA : RECORD_A;
    return text_format("%s", written);
}

static const char *interface_address(const char *name, const char *type)
{
    const char *found = NULL;

    if (!type || strcmp(type, "A") == 0)
        found = interface_ipv4(name);
    if (!found && (!type || strcmp(type, "AAAA") == 0))
        found = interface_ipv6(name);
    return found;
}

/* Waits for the interface's address: an IPv6 one comes a moment after the link. */
static int find_interface(const char *name, const char *type, const char **value, const char **why)
{
    for (int waited_ms = 0;; waited_ms += POLL_MS) {
        *value = interface_address(name, type);
        if (*value)
            return 0;
        if (waited_ms >= VALUE_WAIT_S * MOMENT_MS_PER_S)
            break;
        moment_wait(POLL_MS);
    }
    *why = text_format("the interface %s has no global address%s%s, and got none in %d s", name,
                       type ? " for " : "", type ? type : "", VALUE_WAIT_S);
    return -EADDRNOTAVAIL;
}

/* The first word of a metadata item. */
static int find_metadata(const struct bootlace_host *host, const char *item, const char **value,
                         const char **why)
{
    const char *found = host->metadata(host, item);

    if (found)
        found += strspn(found, " \t\r\n");
    if (found && *found) {
        *value = text_format("%.*s", (int)strcspn(found, " \t\r\n"), found);
        return 0;
    }
    *why = text_format("the instance has no metadata item %s; `bootlace query --all` shows "
                       "those that it has",
                       item);
    return -ENOENT;
}

/* What the setting stands for: an address or a name. */
static int find(const struct bootlace_host *host, const struct wish *wish, const char **value,
                const char **why)
{
    bool alias = wish->type && strcmp(wish->type, "CNAME") == 0;
    const char *given = wish->value;
    enum record_type type;

    if (!given && alias) {
        *why = "a CNAME wants a value: the name that it leads to";
        return -EINVAL;
    }
    if (!given)
        given = wish->type && strcmp(wish->type, "AAAA") == 0 ? "ipv6" : "local-ipv4";
    if (!alias && strncmp(given, INTERFACE_PREFIX, strlen(INTERFACE_PREFIX)) == 0)
        return find_interface(given + strlen(INTERFACE_PREFIX), wish->type, value, why);
    /* Of the names of metadata items none has a dot, of those of hosts all that can be meant. */
    if (read_address(given, &type) || (strchr(given, '.') && !strchr(given, '/'))) {
        *value = given;
        return 0;
    }
    return find_metadata(host, given, value, why);
}

int value_find(const struct bootlace_host *host, const struct wish *wish, struct record *record,
               const char **why)
{
    enum record_type type;
    const char *found, *address;
    int result = find(host, wish, &found, why);

    if (result < 0)
        return result;
    *record = (struct record){.name = wish->name, .ttl = wish->ttl};
    address = read_address(found, &record->type);
    record->value = address ? address : name_read(found);
    if (!address)
        record->type = RECORD_CNAME;
    if (!record->value)
        *why = text_format("its value, %s, is neither an address nor a domain name", found);
    else if (record_type_read(wish->type, &type) && type != record->type)
        *why = text_format("its type is %s, but its value, %s, makes it %s", wish->type,
                           record->value, record_type_word(record->type));
    else if (!address && wish->reverse)
        *why = text_format("reverse goes with an address, and %s is a name", record->value);
    else if (!address && strcmp(record->name, record->value) == 0)
        *why = "a CNAME cannot lead to itself";
    else
        return 0;
    return -EINVAL;
}
