/*
 * Names in hosted zones of Amazon Route 53 (API version 2013-04-01): ListHostedZonesByName,
 * ListResourceRecordSets, ChangeResourceRecordSets and GetChange.
 */
#include "backend.h"

#include "moment.h"
#include "name.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/text.h>

#define API "/2013-04-01"
#define NAMESPACE "https://route53.amazonaws.com/doc/2013-04-01/"

enum {
    ZONES_ASKED = 100,    /* of one name, public and private */
    CHANGE_ATTEMPTS = 12, /* one to two minutes */
    HURRIED_ATTEMPTS = 3, /* of one call while the machine is going down, */
    HURRIED_S = 6,        /* and seconds for each */
    POLL_FIRST_MS = 1000,
    POLL_MAX_MS = 10000,
    NUMBER_MAX = 16
};

/* One call; *root is the answer's document, the caller's. The code of a refusal is left in code. */
static int ask(struct dns *dns, struct aws_request *request, struct xml **root,
               char code[AWS_CODE_MAX], const char **why)
{
    struct aws_answer answer = {0};
    int result;

    if (!dns->aws)
        dns->aws = aws_new(dns->host, NULL);
    request->service = &aws_route53;
    if (dns->hurried) {
        request->attempts = HURRIED_ATTEMPTS;
        request->overall_s = HURRIED_S;
    }
    result = aws_call(dns->aws, request, &answer);
    snprintf(code, AWS_CODE_MAX, "%s", answer.code);
    if (result < 0)
        *why = text_format("%s", answer.why);
    else {
        *root = xml_parse(text_string(&answer.http.body), answer.http.body.size, why);
        if (!*root) {
            *why =
                text_format("Route 53's answer to %s cannot be read: %s", request->operation, *why);
            result = -EPROTO;
        }
    }
    aws_answer_clear(&answer);
    return result;
}

/* A name of an answer as name.h has it; NULL where it is none. Route 53 writes what is no letter,
 * digit, - or _ as \ and three octal digits. */
static char *read_name(const char *text)
{
    static const char star[] = "\\052";
    char *name, *given;

    if (!text)
        return NULL;
    given = strncmp(text, star, strlen(star)) == 0 ? text_format("*%s", text + strlen(star))
                                                   : text_format("%s", text);
    name = name_read(given);
    free(given);
    return name;
}

static bool is_text(const char *text, const char *expected)
{
    return text && strcmp(text, expected) == 0;
}

/* Adds the IDs of those zones of the answer that have just this name and are of the kind wanted. */
static unsigned read_zones(const struct xml *root, const char *name, const struct wish *wish,
                           struct text *ids)
{
    const struct xml *list = xml_find(root, "HostedZones");
    unsigned count = 0;

    for (const struct xml *zone = list ? xml_child(list, "HostedZone") : NULL; zone;
         zone = xml_next(zone, "HostedZone")) {
        const char *id = xml_find_text(zone, "Id");
        char *found = read_name(xml_find_text(zone, "Name"));
        bool private = is_text(xml_find_text(zone, "Config/PrivateZone"), "true");
        bool same = found && id && strcmp(found, name) == 0;

        free(found);
        if (!same || (wish->route53.private && json_is_true(wish->route53.private) != private))
            continue;
        id = strrchr(id, '/') ? strrchr(id, '/') + 1 : id;
        text_add_format(ids, "%s%s", count++ ? ", " : "", id);
    }
    return count;
}

/* The zone that the name is in: that of its own name, or else of the nearest name above. */
static int route53_locate(struct dns *dns, const struct wish *wish, const struct record *record,
                          struct place *place, const char **why)
{
    char code[AWS_CODE_MAX];

    *place = (struct place){.zone = record->type == RECORD_PTR ? NULL : wish->route53.zone_id};
    for (const char *at = record->name; !place->zone && strcmp(at, ".") != 0;
         at = name_parent(at)) {
        const struct aws_pair query[] = {
            {"dnsname", at}, {"maxitems", text_format("%d", ZONES_ASKED)}, {NULL, NULL}};
        struct aws_request request = {
            .operation = "ListHostedZonesByName", .path = API "/hostedzonesbyname", .query = query};
        struct text ids = {0};
        struct xml *root = NULL;
        int result = ask(dns, &request, &root, code, why);
        unsigned count = result == 0 ? read_zones(root, at, wish, &ids) : 0;

        xml_free(root);
        if (result < 0)
            return result;
        if (count > 1) {
            *why = text_format("%u hosted zones are called %s (%s): give the one in "
                               "route53.zone_id, or say route53.private",
                               count, at, ids.bytes);
            return -EINVAL;
        }
        place->zone = ids.bytes;
    }
    if (place->zone)
        return 0;
    *why = text_format("Route 53 has no hosted zone for %s that these credentials see: make one, "
                       "or give route53.zone_id",
                       record->name);
    return -ENOENT;
}

static bool is_record(const struct xml *set, const struct record *record)
{
    const struct xml *values = xml_find(set, "ResourceRecords");
    const struct xml *value = values ? xml_child(values, "ResourceRecord") : NULL;
    char *name = read_name(xml_find_text(set, "Name"));
    const char *found = value ? xml_find_text(value, "Value") : NULL;
    char *target =
        record->type == RECORD_CNAME || record->type == RECORD_PTR ? read_name(found) : NULL;
    char ttl[NUMBER_MAX];
    bool same;

    snprintf(ttl, sizeof ttl, "%u", record->ttl);
    same = name && strcmp(name, record->name) == 0 &&
           is_text(xml_find_text(set, "Type"), record_type_word(record->type)) &&
           !xml_find(set, "SetIdentifier") && is_text(xml_find_text(set, "TTL"), ttl) && value &&
           !xml_next(value, "ResourceRecord") && is_text(target ? target : found, record->value);
    free(name);
    free(target);
    return same;
}

static int route53_check(struct dns *dns, const struct wish *wish, const struct record *record,
                         const struct place *place, const char **why)
{
    const struct aws_pair query[] = {{"maxitems", "1"},
                                     {"name", record->name},
                                     {"type", record_type_word(record->type)},
                                     {NULL, NULL}};
    struct aws_request request = {.operation = "ListResourceRecordSets",
                                  .path = text_format(API "/hostedzone/%s/rrset", place->zone),
                                  .query = query};
    const struct xml *set;
    struct xml *root = NULL;
    char code[AWS_CODE_MAX];
    int result = ask(dns, &request, &root, code, why);

    (void)wish;
    if (result < 0)
        return result;
    set = xml_find(root, "ResourceRecordSets/ResourceRecordSet");
    result = set && is_record(set, record);
    xml_free(root);
    return result;
}

static void make_change(struct text *body, const char *action, const struct record *record)
{
    char ttl[NUMBER_MAX];

    snprintf(ttl, sizeof ttl, "%u", record->ttl);
    text_add_string(body, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                          "<ChangeResourceRecordSetsRequest xmlns=\"" NAMESPACE "\">"
                          "<ChangeBatch><Changes><Change>");
    xml_add_element(body, "Action", action);
    text_add_string(body, "<ResourceRecordSet>");
    xml_add_element(body, "Name", record->name);
    xml_add_element(body, "Type", record_type_word(record->type));
    xml_add_element(body, "TTL", ttl);
    text_add_string(body, "<ResourceRecords><ResourceRecord>");
    xml_add_element(body, "Value", record->value);
    text_add_string(body, "</ResourceRecord></ResourceRecords></ResourceRecordSet></Change>"
                          "</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>");
}

/* Makes a change. Route 53 refuses it while an earlier one of the zone is not done, which the AWS
 * client waits for. *id is the change's own. */
static int change(struct dns *dns, const char *action, const struct record *record,
                  const struct place *place, const char **id, char code[AWS_CODE_MAX],
                  const char **why)
{
    const struct aws_pair headers[] = {{"Content-Type", "application/xml"}, {NULL, NULL}};
    struct text body = {0};
    struct aws_request request = {.operation = "ChangeResourceRecordSets",
                                  .method = "POST",
                                  .path = text_format(API "/hostedzone/%s/rrset/", place->zone),
                                  .headers = headers,
                                  .attempts = CHANGE_ATTEMPTS};
    struct xml *root = NULL;
    int result;

    make_change(&body, action, record);
    request.body = body.bytes;
    request.body_size = body.size;
    result = ask(dns, &request, &root, code, why);
    if (result == 0 && id && xml_find_text(root, "ChangeInfo/Id"))
        *id = text_format("%s", xml_find_text(root, "ChangeInfo/Id"));
    xml_free(root);
    return result;
}

static int route53_put(struct dns *dns, const struct wish *wish, const struct record *record,
                       struct place *place, const char **why)
{
    char code[AWS_CODE_MAX];
    int result = change(dns, "UPSERT", record, place, &place->change, code, why);

    (void)wish;
    return result < 0 && *code ? -EPERM : result;
}

static int route53_withdraw(struct dns *dns, const struct wish *wish, const struct record *record,
                            const struct place *place, const char **why)
{
    char code[AWS_CODE_MAX];
    int result = change(dns, "DELETE", record, place, NULL, code, why);

    (void)wish;
    /* What is not there just so is not deleted. */
    if (result < 0 && is_text(code, "InvalidChangeBatch"))
        return 0;
    return result < 0 ? result : 1;
}

/* Asks until the change is INSYNC. The limit counts from here, where the other changes are under
 * way, too. */
static int route53_settle(struct dns *dns, const struct wish *wish, const struct place *place,
                          const char **why)
{
    const char *slash = strrchr(place->change, '/'), *id = slash ? slash + 1 : place->change;
    int64_t end_ms = moment_ms() + (int64_t)wish->route53.timeout_s * MOMENT_MS_PER_S;
    char code[AWS_CODE_MAX];

    if (!wish->route53.wait)
        return 0;
    for (int wait_ms = POLL_FIRST_MS;;
         wait_ms = wait_ms * 2 < POLL_MAX_MS ? wait_ms * 2 : POLL_MAX_MS) {
        struct aws_request request = {.operation = "GetChange",
                                      .path = text_format(API "/change/%s", id)};
        struct xml *root = NULL;
        int result = ask(dns, &request, &root, code, why);
        bool done = result == 0 && is_text(xml_find_text(root, "ChangeInfo/Status"), "INSYNC");

        xml_free(root);
        if (done || result < 0)
            return result;
        if (moment_ms() + wait_ms > end_ms)
            break;
        moment_wait(wait_ms);
    }
    *why = text_format("Route 53 took the change, but not all of its servers know it after %u s: "
                       "give route53.timeout more seconds, or don't wait",
                       wish->route53.timeout_s);
    return -ETIMEDOUT;
}

static const char *route53_words(const struct place *place)
{
    return text_format("Route 53, zone %s", place->zone);
}

const struct backend backend_route53 = {
    .locate = route53_locate,
    .check = route53_check,
    .put = route53_put,
    .withdraw = route53_withdraw,
    .settle = route53_settle,
    .words = route53_words,
};
