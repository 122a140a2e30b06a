/* Where a service is; see aws_endpoint.h. */
#include <support/aws_endpoint.h>

#include <support/aws_profile.h>

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BUCKET_MIN = 3 };

#define CUSTOM_REGION "us-east-1" /* what counts where a service of another's has no regions */

/* AWS's partitions, by the beginning of their regions' names; the last is for all others. */
static const struct partition {
    const char *regions;
    const char *domain;
    const char *dual_stack; /* the domain of names with IPv6 addresses, too; NULL: none */
    const char *global_region;
    const char *route53; /* that has one name a partition */
} partitions[] = {
    {"cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn", "cn-northwest-1",
     "route53.amazonaws.com.cn"},
    {"us-gov-", "amazonaws.com", "api.aws", "us-gov-west-1", "route53.us-gov.amazonaws.com"},
    {"us-iso-", "c2s.ic.gov", NULL, "us-iso-east-1", "route53.c2s.ic.gov"},
    {"us-isob-", "sc2s.sgov.gov", NULL, "us-isob-east-1", "route53.sc2s.sgov.gov"},
    {"us-isof-", "csp.hci.ic.gov", NULL, "us-isof-south-1", "route53.csp.hci.ic.gov"},
    {"eu-isoe-", "cloud.adc-e.uk", NULL, "eu-isoe-west-1", "route53.cloud.adc-e.uk"},
    {"", "amazonaws.com", "api.aws", "us-east-1", "route53.amazonaws.com"},
};

static const struct partition *partition_of(const char *region)
{
    const struct partition *partition = partitions;

    while (strncmp(region, partition->regions, strlen(partition->regions)) != 0)
        partition++;
    return partition;
}

const char *aws_endpoint_domain(const char *region)
{
    return partition_of(region)->domain;
}

static bool variable_is_true(const char *name)
{
    const char *value = getenv(name);

    return value && strcasecmp(value, "true") == 0;
}

char *aws_endpoint_configured(const struct aws_service *service)
{
    const char *const prefixes[] = {"AWS_ENDPOINT_URL_", "AWS_ENDPOINT_URL"};
    char *lower, *found;
    size_t i;

    if (variable_is_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"))
        return NULL;
    for (i = 0; i < 2; i++) {
        char *name = text_format("%s%s", prefixes[i], i == 0 ? service->variable : "");
        const char *value = aws_variable(name);

        free(name);
        if (value)
            return text_format("%s", value);
    }
    lower = text_format("%s", service->variable);
    for (i = 0; lower[i]; i++)
        lower[i] = (char)tolower((unsigned char)lower[i]);
    found = aws_profile_endpoint(lower);
    free(lower);
    return found;
}

static bool is_of(const char *name, const char *characters, size_t least, size_t most)
{
    size_t length = strlen(name);

    return length >= least && length <= most && strspn(name, characters) == length;
}

static bool is_region(const char *name)
{
    return is_of(name, "abcdefghijklmnopqrstuvwxyz0123456789-", 1, AWS_REGION_MAX) && *name != '-';
}

/* Whether a bucket's name can be a label of a host's name: certificates cover one label. */
static bool is_label(const char *bucket)
{
    return is_of(bucket, "abcdefghijklmnopqrstuvwxyz0123456789-", BUCKET_MIN, AWS_BUCKET_MAX) &&
           *bucket != '-' && bucket[strlen(bucket) - 1] != '-';
}

static int refuse(struct text *why, const char *what, const char *value)
{
    text_add_format(why, "%s is %s", value, what);
    return -EINVAL;
}

/* The authority without the port that its scheme has anyway. */
static char *without_default_port(const char *authority, size_t size, bool is_https)
{
    const char *port = is_https ? ":443" : ":80";
    size_t length = strlen(port);

    if (size > length && strncmp(authority + size - length, port, length) == 0)
        size -= length;
    return text_format("%.*s", (int)size, authority);
}

/* An endpoint that somebody configured: its URL, and the bucket before the path. */
static int take_custom(const char *url, const struct aws_place *place,
                       struct aws_endpoint *endpoint, struct text *why)
{
    bool is_https = strncasecmp(url, "https://", strlen("https://")) == 0;
    const char *authority, *path;
    size_t path_size;

    if (!is_https && strncasecmp(url, "http://", strlen("http://")) != 0)
        return refuse(why, "no endpoint: it begins with neither http:// nor https://", url);
    if (strpbrk(url, "@?# \t\r\n\"<>\\"))
        return refuse(why, "no endpoint: it holds more than host, port and path", "the URL");
    authority = strstr(url, "://") + strlen("://");
    path = authority + strcspn(authority, "/");
    if (path == authority)
        return refuse(why, "no endpoint: it names no host", url);
    path_size = strlen(path);
    while (path_size > 0 && path[path_size - 1] == '/')
        path_size--;
    endpoint->base = text_format("%.*s", (int)(path - url), url);
    endpoint->authority = without_default_port(authority, (size_t)(path - authority), is_https);
    endpoint->prefix = text_format("%.*s%s%s", (int)path_size, path, place->bucket ? "/" : "",
                                   place->bucket ? place->bucket : "");
    endpoint->is_custom = true;
    return 0;
}

/* The host's name of a service of AWS's. */
static char *own_name(const struct aws_place *place, const struct partition *partition)
{
    const char *prefix = place->service->prefix, *region = place->region;
    const char *fips = variable_is_true("AWS_USE_FIPS_ENDPOINT") ? "-fips" : "";
    bool is_dual = variable_is_true("AWS_USE_DUALSTACK_ENDPOINT") && partition->dual_stack;
    const char *domain = place->domain ? place->domain : partition->domain;

    if (place->service->is_global && strcmp(prefix, "route53") == 0)
        return text_format("%s", partition->route53);
    if (place->service->is_global)
        return text_format("%s.%s", prefix, domain);
    if (place->service->is_s3)
        return text_format("%s%s%s.%s.%s", prefix, fips, is_dual ? ".dualstack" : "", region,
                           domain);
    return text_format("%s%s.%s.%s", prefix, fips, region,
                       is_dual ? partition->dual_stack : domain);
}

static void take_own(const struct aws_place *place, struct aws_endpoint *endpoint)
{
    const struct partition *partition = partition_of(place->region ? place->region : "");
    bool in_host = place->bucket && is_label(place->bucket);
    char *name = own_name(place, partition);

    endpoint->authority =
        text_format("%s%s%s", in_host ? place->bucket : "", in_host ? "." : "", name);
    endpoint->base = text_format("https://%s", endpoint->authority);
    endpoint->prefix =
        place->bucket && !in_host ? text_format("/%s", place->bucket) : text_format("%s", "");
    free(name);
}

/* The region that the signature names. */
static const char *signing_region(const struct aws_place *place, bool is_custom)
{
    if (place->service->is_global)
        return partition_of(place->region ? place->region : "")->global_region;
    if (place->region)
        return place->region;
    return is_custom ? CUSTOM_REGION : NULL;
}

static int check(const struct aws_place *place, struct text *why)
{
    if (place->region && !is_region(place->region))
        return refuse(why, "no name of a region", place->region);
    if (place->bucket && (!*place->bucket || strchr(place->bucket, '/')))
        return refuse(why, "no name of a bucket", place->bucket);
    return 0;
}

int aws_endpoint_find(const struct aws_place *place, struct aws_endpoint *endpoint,
                      struct text *why)
{
    char *custom = place->endpoint ? text_format("%s", place->endpoint)
                                   : aws_endpoint_configured(place->service);
    const char *region = signing_region(place, custom != NULL);
    int result = check(place, why);

    *endpoint = (struct aws_endpoint){0};
    if (result == 0 && !region) {
        text_add_string(why, "no region is known: the instance's metadata has none, and neither "
                             "AWS_REGION nor the settings name one");
        result = -ENODATA;
    }
    if (result == 0 && custom)
        result = take_custom(custom, place, endpoint, why);
    else if (result == 0)
        take_own(place, endpoint);
    if (result == 0)
        endpoint->region = text_format("%s", region);
    free(custom);
    return result;
}

void aws_endpoint_clear(struct aws_endpoint *endpoint)
{
    free(endpoint->base);
    free(endpoint->authority);
    free(endpoint->prefix);
    free(endpoint->region);
    *endpoint = (struct aws_endpoint){0};
}
