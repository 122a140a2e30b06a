/*
 * The items of the key `dns`; see settings.h.
 *
 * The schema has judged types and ranges. What is judged here is what only the rendered text shows.
 */
#include "settings.h"

#include "name.h"

#include <errno.h>
#include <string.h>
#include <support/encoding.h>
#include <support/text.h>

/* The algorithms that libldns signs with, and their names on the wire (RFC 8945, 6). */
static const struct text_word algorithms[] = {{"hmac-sha256", "hmac-sha256."},
                                              {"hmac-sha512", "hmac-sha512."},
                                              {"hmac-sha1", "hmac-sha1."},
                                              {"hmac-md5", "hmac-md5.sig-alg.reg.int."},
                                              {NULL, NULL}};

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static unsigned number_of(const json_t *object, const char *key, unsigned otherwise)
{
    const json_t *given = json_object_get(object, key);

    return json_is_integer(given) ? (unsigned)json_integer_value(given) : otherwise;
}

static bool flag_of(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

/* A name that may be absent; -EINVAL where it is none. */
static int read_name(const json_t *object, const char *key, const char *called, const char **name,
                     const char **why)
{
    const char *given = text_of(object, key);

    if (!given)
        return 0;
    *name = name_read(given);
    if (*name)
        return 0;
    *why = text_format("%s is no domain name: " NAME_RULE, called);
    return -EINVAL;
}

static int read_key(const json_t *tsig, struct key *key, const char **why)
{
    const char *algorithm = text_of(tsig, "algorithm");
    const struct text_word *known = algorithms;
    struct text bytes = {0};

    if (!tsig)
        return 0;
    if (read_name(tsig, "name", "server.tsig.name", &key->name, why) < 0)
        return -EINVAL;
    while (algorithm && known->name && strcmp(known->name, algorithm) != 0)
        known++;
    key->algorithm = known->value;
    key->secret = text_of(tsig, "secret");
    if (!key->name || !key->secret || !key->algorithm)
        *why = "server.tsig wants a name and a secret, and an algorithm that is known";
    else if (encoding_base64(key->secret, strlen(key->secret), &bytes) < 0 || !bytes.size)
        *why = "server.tsig.secret is no base64: take it as it is in the server's key file";
    else
        return 0;
    return -EINVAL;
}

static int read_server(const json_t *given, struct wish *wish, const char **why)
{
    struct server *server = &wish->server;

    server->port = number_of(given, "port", SETTINGS_PORT);
    server->address = text_of(given, "address");
    if (read_name(given, "zone", "server.zone", &server->zone, why) < 0)
        return -EINVAL;
    if (server->zone && !name_is_within(wish->name, server->zone)) {
        *why = text_format("it is not within server.zone, %s", server->zone);
        return -EINVAL;
    }
    return read_key(json_object_get(given, "tsig"), &server->key, why);
}

static void read_route53(const json_t *given, struct route53 *route53)
{
    static const char path[] = "/hostedzone/";
    const char *id = text_of(given, "zone_id");

    if (id && strncmp(id, path, strlen(path)) == 0)
        id += strlen(path);
    *route53 = (struct route53){.zone_id = id,
                                .private = json_object_get(given, "private"),
                                .wait = flag_of(given, "wait"),
                                .timeout_s = number_of(given, "timeout", SETTINGS_ROUTE53_WAIT_S)};
}

static const char *or_dash(const char *text)
{
    return text ? text : "-";
}

/* What is to be registered, and where, as the settings have it: by that a wish knows its records
 * again at the next boot. */
static const char *make_id(const struct wish *wish)
{
    const struct server *server = &wish->server;
    const char *what =
        text_format("%s %s %s", wish->name, or_dash(wish->type), or_dash(wish->value));
    const json_t *private = wish->route53.private;

    if (wish->is_route53)
        return text_format("%s route53 %s %s", what, or_dash(wish->route53.zone_id),
                           !private                ? "-"
                           : json_is_true(private) ? "private"
                                                   : "public");
    return text_format("%s %s %u %s", what, or_dash(server->address), server->port,
                       or_dash(server->zone));
}

int settings_read(const json_t *item, struct wish *wish, const char **why)
{
    const json_t *route53 = json_object_get(item, "route53");
    const json_t *server = json_object_get(item, "server");

    *wish = (struct wish){.label = text_of(item, "name"),
                          .type = text_of(item, "type"),
                          .value = text_of(item, "value"),
                          .ttl = number_of(item, "ttl", SETTINGS_TTL),
                          .reverse = flag_of(item, "reverse"),
                          .deregister = flag_of(item, "deregister_on_shutdown"),
                          .is_route53 = route53 != NULL};
    if (!wish->label)
        wish->label = "(no name)";
    if (read_name(item, "name", "its name", &wish->name, why) < 0)
        return -EINVAL;
    if (!wish->name) {
        *why = "it has no name";
        return -EINVAL;
    }
    wish->label = wish->name;
    if (server && route53) {
        *why = "it has both server and route53: leave one out";
        return -EINVAL;
    }
    if (wish->reverse && wish->type && strcmp(wish->type, "CNAME") == 0) {
        *why = "reverse goes with an address, and a CNAME has none: leave one out";
        return -EINVAL;
    }
    read_route53(route53, &wish->route53);
    if (read_server(server, wish, why) < 0)
        return -EINVAL;
    wish->id = make_id(wish);
    return 0;
}
