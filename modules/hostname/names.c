/*
 * Which names the machine is to have; see names.h.
 *
 * fqdn gives both; a hostname with a dot does, too. A hostname without one gets the domain of the
 * metadata's local-hostname. Without either, local-hostname gives both. Metadata is asked for only
 * where it is needed.
 */
#include "names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <support/input.h>
#include <support/text.h>

/* RFC 1123, section 2.1, and `_`, which Linux allows and some people have. */
static const char label_characters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

static bool is_name(const char *name)
{
    size_t length = strlen(name);

    if (!length || length > NAMES_FQDN_MAX)
        return false;
    while (*name) {
        size_t size = strspn(name, label_characters);

        if (!size || size > NAMES_LABEL_MAX || name[0] == '-' || name[size - 1] == '-')
            return false;
        name += size;
        if (*name && (*name != '.' || !name[1]))
            return false;
        name += *name == '.';
    }
    return true;
}

static const char *first_label(const char *name)
{
    return text_format("%.*s", (int)strcspn(name, "."), name);
}

/* An address is no name: 10.1.2.3 becomes ip-10-1-2-3, as EC2 would call it. */
static const char *without_address(const char *name)
{
    char *made;

    if (!strchr(name, '.') || name[strspn(name, "0123456789.")])
        return name;
    made = text_format("ip-%s", name);
    for (char *dot = made; (dot = strchr(dot, '.'));)
        *dot = '-';
    return made;
}

/* The two are the same with EC2: that one which is known already saves a question. */
static const char *from_metadata(const struct bootlace_host *host, const struct input *input)
{
    static const char *const paths[] = {"local-hostname", "hostname", "local-hostname", "hostname"};

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const char *name = i < 2 ? input_metadata(input, paths[i]) : host->metadata(host, paths[i]);

        if (!name || !*name)
            continue;
        name = without_address(text_format("%.*s", (int)strcspn(name, " \t\r\n"), name));
        if (is_name(name))
            return name;
        host->log(host, BOOTLACE_WARNING, "the metadata's %s is no host name", paths[i]);
    }
    return NULL;
}

/* Names that were not given. */
static void complete(const struct bootlace_host *host, const struct input *input,
                     struct names *names)
{
    const char *known, *domain;

    if (names->fqdn) {
        if (!names->hostname)
            names->hostname = first_label(names->fqdn);
        return;
    }
    if (names->hostname && strchr(names->hostname, '.')) {
        names->fqdn = names->hostname;
        names->hostname = first_label(names->fqdn);
        return;
    }
    known = names->known ? names->known : from_metadata(host, input);
    names->known = known;
    if (!known)
        return;
    domain = strchr(known, '.');
    if (!names->hostname) {
        names->hostname = first_label(known);
        names->fqdn = domain ? known : NULL;
    } else if (domain)
        names->fqdn = text_format("%s%s", names->hostname, domain);
}

/* An empty text is none. */
static int read_name(const struct bootlace_host *host, const json_t *settings, const char *key,
                     const char **name)
{
    int result = input_text(host, settings, key, name);

    if (result < 0)
        return result;
    if (*name && !**name)
        *name = NULL;
    if (*name && !is_name(*name))
        return host->fail(host, EINVAL,
                          "%s is no host name: letters, digits and -, at most %d between dots", key,
                          NAMES_LABEL_MAX);
    return 0;
}

int names_find(const struct bootlace_host *host, const struct input *input, struct names *names)
{
    const json_t *settings = input->settings;
    int result;

    result = read_name(host, settings, "hostname", &names->hostname);
    if (result == 0)
        result = read_name(host, settings, "fqdn", &names->fqdn);
    if (result == 0)
        complete(host, input, names);
    return result;
}
