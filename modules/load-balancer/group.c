/* A target group, and this target in it; see group.h. */
#include "group.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/input.h>
#include <support/text.h>
#include <support/xml.h>
#include <time.h>

enum { PORT_MAX = 65535, NUMBER_MAX = 16 };

/* What the service says of the target. */
struct health {
    char state[GROUP_TEXT_MAX]; /* "" where it is not registered */
    char reason[GROUP_TEXT_MAX];
    char description[GROUP_TEXT_MAX];
};

static int refuse(const char **why, const char *words)
{
    *why = words;
    return -EINVAL;
}

/* arn:PARTITION:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/ID */
static int read_arn(struct group *group, const char **why)
{
    char *text = text_format("%s", group->arn), *rest = text, *fields[6];

    for (size_t i = 0; i < 6; i++)
        fields[i] = strsep(&rest, i < 5 ? ":" : "/");
    if (!fields[5] || !rest || strcmp(fields[0], "arn") != 0 || !*fields[3] ||
        strcmp(fields[2], "elasticloadbalancing") != 0 || strcmp(fields[5], "targetgroup") != 0)
        return refuse(why, "target_group is no ARN of a target group: "
                           "arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/ID");
    group->region = fields[3];
    group->name = strsep(&rest, "/");
    return 0;
}

/* The metadata item by which the group knows its targets. */
static int find_id(struct group *group, const char *kind, const char **why)
{
    const char *item = "instance-id";

    if (kind && strcmp(kind, "ip") == 0)
        item = "local-ipv4";
    else if (kind && strcmp(kind, "instance") != 0)
        return refuse(why, "target is neither instance nor ip");
    group->id = group->host->metadata(group->host, item);
    if (!group->id)
        return refuse(why, text_format("the metadata has no %s", item));
    group->id = text_format("%s", group->id);
    return 0;
}

int group_read(const struct bootlace_host *host, const json_t *item, struct group *group,
               const char **why)
{
    const json_t *port = json_object_get(item, "port"), *wait = json_object_get(item, "wait");
    const char *kind = NULL;

    *group = (struct group){.host = host};
    *why = "its settings are none";
    if (input_text(host, item, "target_group", &group->arn) < 0 ||
        input_text(host, item, "target", &kind) < 0 ||
        input_flag(host, item, "deregister_on_shutdown", &group->deregister) < 0)
        return -EINVAL;
    if (!group->arn)
        return refuse(why, "target_group is missing");
    if (port && (!json_is_integer(port) || json_integer_value(port) < 1 ||
                 json_integer_value(port) > PORT_MAX))
        return refuse(why, "port is no number from 1 to 65535");
    if (wait && (!json_is_integer(wait) || json_integer_value(wait) < 0 ||
                 json_integer_value(wait) > GROUP_WAIT_MAX_S))
        return refuse(why, "wait is no number of seconds up to 3600");
    group->port = (unsigned)json_integer_value(port);
    group->wait_s = (unsigned)json_integer_value(wait);
    return read_arn(group, why) < 0 ? -EINVAL : find_id(group, kind, why);
}

static int call(struct group *group, const char *action, struct xml **root, const char **why)
{
    char port[NUMBER_MAX];
    const struct aws_pair parameters[] = {{"TargetGroupArn", group->arn},
                                          {"Targets.member.1.Id", group->id},
                                          {group->port ? "Targets.member.1.Port" : NULL, port},
                                          {NULL, NULL}};
    struct aws_answer answer = {0};
    int result;

    snprintf(port, sizeof port, "%u", group->port);
    if (!group->aws)
        group->aws = aws_new(group->host, NULL);
    result = aws_query_call_in(group->aws, &aws_elbv2, group->region, action, parameters, &answer);
    if (result < 0)
        *why = text_format("%s", answer.why);
    else if (root) {
        *root = xml_parse(text_string(&answer.http.body), answer.http.body.size, why);
        result = *root ? 0 : -EPROTO;
    }
    aws_answer_clear(&answer);
    return result;
}

static void take_text(char *out, const struct xml *element, const char *path)
{
    const char *text = xml_find_text(element, path);

    snprintf(out, GROUP_TEXT_MAX, "%s", text ? text : "");
}

static int ask_health(struct group *group, struct health *health, const char **why)
{
    struct xml *root = NULL;
    const struct xml *member;
    int result = call(group, "DescribeTargetHealth", &root, why);

    *health = (struct health){.state = ""};
    if (result < 0)
        return result;
    member = xml_find(root, "DescribeTargetHealthResult/TargetHealthDescriptions/member");
    if (member) {
        take_text(health->state, member, "TargetHealth/State");
        take_text(health->reason, member, "TargetHealth/Reason");
        take_text(health->description, member, "TargetHealth/Description");
    }
    xml_free(root);
    return 0;
}

static bool is(const struct health *health, const char *state)
{
    return strcmp(health->state, state) == 0;
}

static bool is_because(const struct health *health, const char *reason)
{
    return strcmp(health->reason, reason) == 0;
}

/* In the group, and meant to stay there. */
static bool is_registered(const struct health *health)
{
    return *health->state && !is(health, "draining") &&
           !(is(health, "unused") && (is_because(health, "Target.NotRegistered") ||
                                      is_because(health, "Target.InvalidState")));
}

/* The service's words, and what to do about the common ones. */
static const char *explain(const struct health *health)
{
    static const struct text_word hints[] = {
        {"Target.NotInUse", "no listener of a load balancer forwards to the group, or the load "
                            "balancer has no zone of this instance"},
        {"Target.FailedHealthChecks", "does the service answer the group's health check, and is "
                                      "the port open to the load balancer?"},
        {"Target.Timeout", "nothing answered: is the port open to the load balancer, in its "
                           "security group, too?"},
        {"Target.ResponseCodeMismatch", "the health check's path answers with another status"},
        {"Elb.InitialHealthChecking", "wait longer, or let the group check more often"},
        {"Elb.RegistrationInProgress", "wait longer"},
        {"Target.HealthCheckDisabled", "the group's health checks are off"},
        {NULL, NULL}};
    const struct text_word *hint = hints;

    while (hint->name && !is_because(health, hint->name))
        hint++;
    return text_format("%s%s%s%s%s%s%s", *health->state ? health->state : "not registered",
                       *health->reason ? ", " : "", health->reason,
                       *health->description ? ": " : "", health->description,
                       hint->value ? "; " : "", hint->value ? hint->value : "");
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int wait_healthy(struct group *group, const char **why)
{
    double end = now() + group->wait_s;
    unsigned pause = GROUP_POLL_FIRST_S;
    struct health health;

    for (;;) {
        struct timespec rest = {.tv_sec = pause};
        int result = ask_health(group, &health, why);

        if (result < 0)
            return result;
        if (is(&health, "healthy"))
            return 0;
        if (is(&health, "unused") && is_because(&health, "Target.NotInUse")) {
            *why = text_format("it will not become healthy: %s", explain(&health));
            return -EOPNOTSUPP;
        }
        if (now() + pause > end)
            break;
        group->host->progress(group->host, 0.5, explain(&health));
        nanosleep(&rest, NULL);
        pause = 2 * pause < GROUP_POLL_MAX_S ? 2 * pause : GROUP_POLL_MAX_S;
    }
    *why = text_format("not healthy after %u s: %s", group->wait_s, explain(&health));
    return -ETIMEDOUT;
}

int group_register(struct group *group, const char **why)
{
    struct health health;
    bool registered;
    int result = ask_health(group, &health, why);

    if (result < 0)
        return result;
    registered = is_registered(&health);
    if (group->host->dry_run) {
        group->host->log(group->host, BOOTLACE_INFO, "would register %s with %s", group->id,
                         group->name);
        return !registered;
    }
    if (!registered)
        result = call(group, "RegisterTargets", NULL, why);
    if (result == 0 && group->wait_s)
        result = wait_healthy(group, why);
    if (result < 0)
        return result;
    *why = text_format("%s%s", registered ? "registered already" : "registered",
                       group->wait_s ? " and healthy" : "");
    return !registered;
}

int group_deregister(struct group *group, const char **why)
{
    int result;

    if (group->host->dry_run) {
        group->host->log(group->host, BOOTLACE_INFO, "would take %s out of %s", group->id,
                         group->name);
        return 1;
    }
    result = call(group, "DeregisterTargets", NULL, why);
    if (result == 0)
        *why = "taken out";
    return result < 0 ? result : 1;
}
