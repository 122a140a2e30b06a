/* Domain names as text; see name.h. RFC 1035, RFC 1123 and, for _ and *, what zones really have. */
#include "name.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <support/text.h>

static bool is_label(const char *label, size_t size)
{
    if (!size || size > NAME_LABEL_MAX || label[0] == '-' || label[size - 1] == '-')
        return false;
    for (size_t i = 0; i < size; i++) {
        char c = label[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
    }
    return true;
}

/* The text in lower case: ASCII's alone, whatever the locale. */
static char *lower(const char *text, size_t size)
{
    char *copy = text_format("%.*s", (int)size, text);

    for (char *c = copy; *c; c++) {
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    }
    return copy;
}

char *name_read(const char *text)
{
    size_t size = strlen(text);
    char *name;

    if (strcmp(text, ".") == 0)
        return text_format(".");
    if (size && text[size - 1] == '.')
        size--;
    if (!size || size > NAME_MAX_BYTES)
        return NULL;
    name = lower(text, size);
    for (const char *label = name;;) {
        size_t length = strcspn(label, ".");
        bool is_wild = label == name && length == 1 && *label == '*';

        if (!is_wild && !is_label(label, length)) {
            free(name);
            return NULL;
        }
        label += length;
        if (!*label)
            return name;
        label++;
    }
}

bool name_is_within(const char *name, const char *zone)
{
    size_t length = strlen(name), zone_length = strlen(zone);

    if (strcmp(zone, ".") == 0)
        return true;
    if (length < zone_length || strcmp(name + length - zone_length, zone) != 0)
        return false;
    return length == zone_length || name[length - zone_length - 1] == '.';
}

const char *name_parent(const char *name)
{
    const char *dot = strchr(name, '.');

    return dot && dot[1] ? dot + 1 : ".";
}

static char *name_of_ipv6(const unsigned char bytes[16])
{
    struct text text = {0};

    for (int i = 15; i >= 0; i--)
        text_add_format(&text, "%x.%x.", bytes[i] & 0xf, bytes[i] >> 4);
    text_add_string(&text, "ip6.arpa");
    return text.bytes;
}

char *name_of_address(const char *address)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    if (inet_pton(AF_INET, address, bytes) == 1)
        return text_format("%u.%u.%u.%u.in-addr.arpa", bytes[3], bytes[2], bytes[1], bytes[0]);
    return inet_pton(AF_INET6, address, bytes) == 1 ? name_of_ipv6(bytes) : NULL;
}
