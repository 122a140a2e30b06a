/* A port that is to be open; see port.h. */
#include "port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/text.h>

enum { HIGHEST = 65535, NAME_MAX_BYTES = 64 };

static const char *find_protocol(const char *name)
{
    static const char *const protocols[] = {"tcp", "udp", "sctp"};

    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++) {
        if (strcmp(protocols[i], name) == 0)
            return protocols[i];
    }
    return NULL;
}

static int refuse(const char **why, const char *words)
{
    *why = words;
    return -EINVAL;
}

static int check(const struct port *port, const char **why)
{
    if (port->first < 1 || port->last > HIGHEST)
        return refuse(why, "a port is a number from 1 to 65535");
    return port->first <= port->last ? 0 : refuse(why, "the first port is behind the last one");
}

/* The digits of a port at *text; 0 where there are none, more than there can be for too many. */
static unsigned take_number(const char **text)
{
    size_t digits = strspn(*text, "0123456789");
    unsigned number = digits > 5 ? HIGHEST + 1 : (unsigned)strtoul(*text, NULL, 10);

    *text += digits;
    return number;
}

static int read_name(const char *name, struct port *port, const char **why)
{
    const struct servent *service = getservbyname(name, port->protocol);

    if (!service)
        return refuse(why, "no service of that name is known; give its number");
    port->first = port->last = ntohs((uint16_t)service->s_port);
    return 0;
}

static int read_text(const char *text, struct port *port, const char **why)
{
    const char *slash = strchr(text, '/');
    char name[NAME_MAX_BYTES];
    size_t length = slash ? (size_t)(slash - text) : strlen(text);
    const char *at = name;

    if (length >= sizeof name || !length)
        return refuse(why, "neither a port, such as 80/tcp, nor a service's name");
    memcpy(name, text, length);
    name[length] = '\0';
    port->protocol = slash ? find_protocol(slash + 1) : "tcp";
    if (!port->protocol)
        return refuse(why, "the protocol is neither tcp, udp nor sctp");
    if (strspn(name, "0123456789-:") != length)
        return read_name(name, port, why);
    port->first = port->last = take_number(&at);
    if (*at == '-' || *at == ':') {
        at++;
        port->last = take_number(&at);
    }
    return *at ? refuse(why, "a range is written 8000-8100") : check(port, why);
}

int port_read(const json_t *item, struct port *port, const char **why)
{
    *port = (struct port){.protocol = "tcp"};
    if (json_is_string(item))
        return read_text(json_string_value(item), port, why);
    if (!json_is_integer(item))
        return refuse(why, "neither a port, such as 80/tcp, nor a service's name");
    if (json_integer_value(item) < 1 || json_integer_value(item) > HIGHEST)
        return refuse(why, "a port is a number from 1 to 65535");
    port->first = port->last = (unsigned)json_integer_value(item);
    return 0;
}

char *port_text(const struct port *port, char separator, char text[PORT_TEXT_MAX])
{
    if (port->first == port->last)
        snprintf(text, PORT_TEXT_MAX, "%u/%s", port->first, port->protocol);
    else
        snprintf(text, PORT_TEXT_MAX, "%u%c%u/%s", port->first, separator, port->last,
                 port->protocol);
    return text;
}
