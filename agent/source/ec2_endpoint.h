/*
 * Where the metadata service is, and the URLs of what it has.
 *
 * An endpoint is "http://HOST[:PORT][/PREFIX]" with a literal address (IPv6 in brackets) or a
 * name. Only plain http: the service speaks nothing else, and credentials go to no other place.
 */
#ifndef BOOTLACE_SOURCE_EC2_ENDPOINT_H
#define BOOTLACE_SOURCE_EC2_ENDPOINT_H

#include "base/error.h"
#include "model/settings.h"
#include "os/route.h"

enum {
    EC2_PATH_MAX = 512, /* an item's path as it was asked for */
    /* A path of which every byte is percent-encoded, below the longest endpoint. */
    EC2_URL_MAX = SETTINGS_URL_MAX + 64 + 3 * EC2_PATH_MAX
};

struct ec2_endpoint {
    char base[SETTINGS_URL_MAX]; /* without a trailing slash */
    char host[SETTINGS_URL_MAX]; /* as messages name it, without brackets */
    bool literal;                /* the host is an address: a route to it can be asked for */
    struct route_address address;
};

/* The settings' endpoint, or the standard one of its mode. ERROR_INPUT where it is none. */
int ec2_endpoint_init(struct ec2_endpoint *endpoint, const struct settings *settings,
                      struct error *error);

/* The URL of a path of our own below the endpoint: "latest/api/token". Returns url. */
char *ec2_endpoint_url(const struct ec2_endpoint *endpoint, const char *path,
                       char url[static EC2_URL_MAX]);

/*
 * The URL of an item: "dynamic/…" below /latest/dynamic, all else below /latest/meta-data.
 * ERROR_USAGE where the path could leave that place: "..", control characters, spaces, '?', '#'.
 */
int ec2_endpoint_item_url(const struct ec2_endpoint *endpoint, const char *path,
                          char url[static EC2_URL_MAX], struct error *error);

#endif
