/* Where the metadata service is, and the URLs of what it has (RFC 3986). */
#include "source/ec2_endpoint.h"

#include "base/banned.h"
#include "base/memory.h"

#include <ctype.h>

static const char scheme[] = "http://";
static const char standard_ipv4[] = "http://169.254.169.254";
static const char standard_ipv6[] = "http://[fd00:ec2::254]";

/* Visible ASCII, and nothing that would begin a query, a fragment or credentials. */
static bool is_plain_url(const char *text)
{
    for (; *text; text++) {
        if (*text <= ' ' || *text > '~' || strchr("?#@\\\"<>^`{|}", *text))
            return false;
    }
    return true;
}

static bool is_port(const char *text, size_t length)
{
    unsigned number = 0;

    if (length < 1 || length > 5)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!isdigit((unsigned char)text[i]))
            return false;
        number = number * 10 + (unsigned)(text[i] - '0');
    }
    return number >= 1 && number <= UINT16_MAX;
}

/* Splits "HOST[:PORT][/PREFIX]" or "[ADDRESS]…"; false where it is neither. */
static bool split_host(const char *rest, char host[static SETTINGS_URL_MAX])
{
    bool brackets = *rest == '[';
    size_t authority = strcspn(rest, "/");
    size_t length = brackets ? strcspn(rest, "]") : strcspn(rest, ":/");
    const char *start = brackets ? rest + 1 : rest;
    const char *end = rest + length + (brackets ? 1 : 0);

    if (length > authority || (brackets && rest[length] != ']') || rest + length <= start)
        return false;
    if (end < rest + authority && *end != ':')
        return false;
    if (*end == ':' && !is_port(end + 1, authority - (size_t)(end + 1 - rest)))
        return false;
    memcpy(host, start, (size_t)(rest + length - start));
    host[rest + length - start] = '\0';
    return true;
}

int ec2_endpoint_init(struct ec2_endpoint *endpoint, const struct settings *settings,
                      struct error *error)
{
    const char *standard = settings->ipv6 ? standard_ipv6 : standard_ipv4;
    const char *url = *settings->endpoint ? settings->endpoint : standard;
    size_t length;

    memset(endpoint, 0, sizeof *endpoint);
    snprintf(endpoint->base, sizeof endpoint->base, "%s", url);
    if (strncasecmp(url, scheme, sizeof scheme - 1) != 0 || !is_plain_url(url) ||
        !split_host(url + sizeof scheme - 1, endpoint->host)) {
        error_set(error, ERROR_INPUT, "the metadata service's endpoint is no plain http:// URL");
        return error_hint(error,
                          "an endpoint is http://ADDRESS[:PORT], with an IPv6 address in "
                          "brackets: %s, %s",
                          standard_ipv4, standard_ipv6);
    }
    for (length = strlen(endpoint->base); endpoint->base[length - 1] == '/'; length--)
        endpoint->base[length - 1] = '\0';
    endpoint->literal = route_address_parse(endpoint->host, &endpoint->address);
    return 0;
}

char *ec2_endpoint_url(const struct ec2_endpoint *endpoint, const char *path,
                       char url[static EC2_URL_MAX])
{
    snprintf(url, EC2_URL_MAX, "%s/%s", endpoint->base, path);
    return url;
}

/* Why a path is refused, or NULL. */
static const char *path_problem(const char *path)
{
    const char *component = path;

    if (strlen(path) > EC2_PATH_MAX)
        return "it is too long";
    for (const char *p = path; *p; p++) {
        if ((unsigned char)*p <= ' ' || *p == 0x7f)
            return "it has a space or control character";
        if (*p == '?' || *p == '#')
            return "it has a '?' or '#'";
    }
    while (*component) {
        size_t length = strcspn(component, "/");

        if ((length == 1 && component[0] == '.') || (length == 2 && !memcmp(component, "..", 2)))
            return "it has a \".\" or \"..\"";
        component += length + (component[length] ? 1 : 0);
    }
    return NULL;
}

/* Bytes that stand for themselves in a URL's path (RFC 3986, pchar and "/"). */
static bool is_path_byte(unsigned char byte)
{
    return isalnum(byte) || (byte && strchr("-._~!$&'()*+,;=:@/", byte));
}

int ec2_endpoint_item_url(const struct ec2_endpoint *endpoint, const char *path,
                          char url[static EC2_URL_MAX], struct error *error)
{
    static const char dynamic[] = "dynamic/";
    const char *problem;
    size_t length;

    while (*path == '/')
        path++;
    problem = path_problem(path);
    if (problem)
        return error_set(error, ERROR_USAGE, "this is no path of a metadata item: %s", problem);
    ec2_endpoint_url(
        endpoint, strncmp(path, dynamic, sizeof dynamic - 1) == 0 ? "latest/" : "latest/meta-data/",
        url);
    length = strlen(url);
    for (; *path; path++) {
        unsigned char byte = (unsigned char)*path;

        if (is_path_byte(byte))
            url[length++] = (char)byte;
        else
            length += (size_t)snprintf(url + length, EC2_URL_MAX - length, "%%%02X", byte);
    }
    url[length] = '\0';
    return 0;
}
