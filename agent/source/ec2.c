/*
 * The EC2 source: identity, user-data and items of the instance metadata service.
 *
 * The identity comes from the instance identity document, which has in one answer what would
 * take six requests; where a service has no such document, from meta-data/instance-id.
 */
#include "source/ec2.h"

#include "base/banned.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "source/evidence.h"
#include "source/source.h"

static const char document_path[] = "latest/dynamic/instance-identity/document";
static const char id_path[] = "latest/meta-data/instance-id";
static const char user_data_path[] = "latest/user-data";

/* Members of the document, and the items that say the same. */
static const struct {
    const char *member, *item;
} members[] = {
    {"instanceId", "instance-id"},
    {"region", "placement/region"},
    {"availabilityZone", "placement/availability-zone"},
    {"privateIp", "local-ipv4"},
    {"imageId", "ami-id"},
    {"instanceType", "instance-type"},
};

enum { VALUE_MAX = 256 };

struct ec2 {
    struct ec2_session session;
    char known[ARRAY_SIZE(members)][VALUE_MAX]; /* "" = not known */
};

static int ec2_detect(const struct settings *settings, bool explicitly, char *why, size_t size)
{
    /* As in the AWS SDKs, this is a prohibition, and no other setting lifts it. */
    if (settings->metadata_disabled) {
        snprintf(why, size, "AWS_EC2_METADATA_DISABLED is set");
        return 0;
    }
    if (*settings->endpoint || explicitly) {
        snprintf(why, size, "%s",
                 *settings->endpoint ? "the endpoint is set" : "the source was asked for by name");
        return 1;
    }
    return evidence_of_ec2(why, size);
}

int ec2_open_with(const struct settings *settings, const struct http_transport *transport,
                  const struct ec2_clock *clock, void **state, struct error *error)
{
    struct ec2 *ec2 = memory_zeroed(1, sizeof *ec2);

    if (ec2_session_init(&ec2->session, settings, transport, clock, error) < 0) {
        free(ec2);
        return -1;
    }
    *state = ec2;
    return 0;
}

static int ec2_open(const struct settings *settings, void **state, struct error *error)
{
    const struct http_transport *transport = http_load(error);

    if (!transport)
        return -1;
    return ec2_open_with(settings, transport, &ec2_clock_real, state, error);
}

/* A value that may stand in an environment variable and on a line: no control characters. */
static bool is_line(const char *value)
{
    size_t length = strlen(value);

    if (!length || length >= VALUE_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)value[i] < ' ' || value[i] == 0x7f)
            return false;
    }
    return true;
}

/* Takes over what the document says; false where it has no usable id. */
static bool take_document(struct ec2 *ec2, const struct buffer *text)
{
    struct error ignored = ERROR_INIT; /* meta-data/instance-id is asked then */
    AUTO_JSON json_t *document = json_parse(buffer_text(text), text->size, NULL, &ignored);
    const char *id = json_text_of(document, members[0].member, "");

    if (!file_name_is_plain(id, SOURCE_ID_MAX))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        const char *value = json_text_of(document, members[i].member, "");

        if (is_line(value))
            snprintf(ec2->known[i], VALUE_MAX, "%s", value);
    }
    return true;
}

/* Asks for the id alone. */
static int get_id(struct ec2 *ec2, struct error *error)
{
    char url[EC2_URL_MAX];
    AUTO_BUFFER struct buffer text = BUFFER_INIT(SOURCE_ITEM_MAX);
    int got = ec2_session_get(&ec2->session, ec2_endpoint_url(&ec2->session.endpoint, id_path, url),
                              "the instance's id", SOURCE_ITEM_MAX, &text, error);

    if (got < 0)
        return -1;
    if (got == 0)
        return error_set(error, ERROR_SOURCE, "%s knows no id of this instance (404)",
                         ec2->session.endpoint.host);
    if (strlen(buffer_text(&text)) != text.size ||
        !file_name_is_plain(buffer_text(&text), SOURCE_ID_MAX))
        return error_set(error, ERROR_SOURCE,
                         "what %s gives as the instance's id cannot be one: an id has 1 to %d "
                         "letters, digits, '.', '_' and '-'",
                         ec2->session.endpoint.host, SOURCE_ID_MAX);
    snprintf(ec2->known[0], VALUE_MAX, "%s", text.bytes);
    return 0;
}

static int ec2_identify(void *state, char id[SOURCE_ID_MAX + 1], struct error *error)
{
    struct ec2 *ec2 = state;
    char url[EC2_URL_MAX];
    AUTO_BUFFER struct buffer text = BUFFER_INIT(SOURCE_ITEM_MAX);
    int got =
        ec2_session_get(&ec2->session, ec2_endpoint_url(&ec2->session.endpoint, document_path, url),
                        "the instance's identity", SOURCE_ITEM_MAX, &text, error);

    if (got < 0 || ((got == 0 || !take_document(ec2, &text)) && get_id(ec2, error) < 0))
        return -1;
    ec2->session.identified = true;
    memcpy(id, ec2->known[0], strlen(ec2->known[0]) + 1); /* checked to be plain and short */
    return 0;
}

static int ec2_user_data(void *state, struct buffer *out, struct error *error)
{
    struct ec2 *ec2 = state;
    char url[EC2_URL_MAX];
    int got = ec2_session_get(&ec2->session,
                              ec2_endpoint_url(&ec2->session.endpoint, user_data_path, url),
                              "user-data", EC2_USER_DATA_MAX, out, error);

    /* Given, but empty, is the same as not given. */
    return got > 0 && !out->size ? 0 : got;
}

static int ec2_item(void *state, const char *path, struct buffer *out, struct error *error)
{
    struct ec2 *ec2 = state;
    char url[EC2_URL_MAX];

    if (ec2_endpoint_item_url(&ec2->session.endpoint, path, url, error) < 0)
        return -1;
    return ec2_session_get(&ec2->session, url, path, SOURCE_ITEM_MAX, out, error);
}

static void ec2_known(void *state, void (*tell)(const char *path, const char *value, void *context),
                      void *context)
{
    const struct ec2 *ec2 = state;

    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        if (*ec2->known[i])
            tell(members[i].item, ec2->known[i], context);
    }
}

static void ec2_hurry(void *state)
{
    struct ec2 *ec2 = state;

    ec2->session.hurried = true;
}

static void ec2_finish(void *state)
{
    const struct ec2 *ec2 = state;

    if (ec2->session.transport->finish)
        ec2->session.transport->finish(ec2->session.handle);
}

static void ec2_close(void *state)
{
    struct ec2 *ec2 = state;

    if (!ec2)
        return;
    ec2_session_release(&ec2->session);
    free(ec2);
}

const struct source_type source_ec2 = {
    .name = "ec2",
    .needs_network = true,
    .detect = ec2_detect,
    .open = ec2_open,
    .identify = ec2_identify,
    .user_data = ec2_user_data,
    .item = ec2_item,
    .known = ec2_known,
    .hurry = ec2_hurry,
    .finish = ec2_finish,
    .close = ec2_close,
};
