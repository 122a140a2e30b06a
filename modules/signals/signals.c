/*
 * signals: tells those who wait for the machine how its set-up ended: an Auto Scaling group's
 * lifecycle hook (CompleteLifecycleAction, API version 2011-01-01), a CloudFormation stack
 * (SignalResource, 2010-05-15), and cloud-init's phone_home.
 *
 * By its place in the order it comes behind everything that can fail.
 */
#include <bootlace/module.h>
#include <errno.h>
#include <string.h>
#include <support/aws.h>
#include <support/input.h>
#include <support/outcome.h>
#include <support/text.h>

#include "home.h"
#include "outcome_of_run.h"

#include <signals.schema.h>

enum { SIGNALS_MAX = 100 };

/* What every signal says. */
struct word {
    const struct bootlace_host *host;
    struct aws *aws;
    const char *instance;
    bool well;
};

static const char *text_of(const json_t *object, const char *member)
{
    return json_string_value(json_object_get(object, member));
}

static int send_call(const struct word *word, const struct aws_service *service, const char *action,
                     const struct aws_pair *pairs, const char **why)
{
    struct aws_answer answer = {0};
    int result;

    if (word->host->dry_run) {
        word->host->log(word->host, BOOTLACE_INFO, "would call %s", action);
        return 1;
    }
    result = aws_query_call(word->aws, service, action, pairs, &answer);
    if (result < 0)
        *why = text_format("%s", answer.why);
    aws_answer_clear(&answer);
    return result < 0 ? result : 1;
}

static int signal_group(const struct word *word, const json_t *settings, const char **why)
{
    const char *result = word->well ? "CONTINUE" : "ABANDON";
    const struct aws_pair pairs[] = {{"AutoScalingGroupName", text_of(settings, "group")},
                                     {"LifecycleHookName", text_of(settings, "hook")},
                                     {"LifecycleActionResult", result},
                                     {"InstanceId", word->instance},
                                     {NULL, NULL}};

    *why = result;
    return send_call(word, &aws_autoscaling, "CompleteLifecycleAction", pairs, why);
}

static int signal_stack(const struct word *word, const json_t *settings, const char **why)
{
    const char *status = word->well ? "SUCCESS" : "FAILURE";
    const struct aws_pair pairs[] = {{"StackName", text_of(settings, "stack")},
                                     {"LogicalResourceId", text_of(settings, "resource")},
                                     {"UniqueId", word->instance},
                                     {"Status", status},
                                     {NULL, NULL}};

    *why = status;
    return send_call(word, &aws_cloudformation, "SignalResource", pairs, why);
}

static void send_signal(const struct word *word, const json_t *item, struct outcome *outcome)
{
    const json_t *group = json_object_get(item, "autoscaling");
    const json_t *stack = json_object_get(item, "cloudformation");
    const char *why = "neither autoscaling with group and hook, nor cloudformation with stack and "
                      "resource",
               *name = "a signal";
    int result = -EINVAL;

    if (text_of(group, "group") && text_of(group, "hook")) {
        name = text_format("autoscaling %s/%s", text_of(group, "group"), text_of(group, "hook"));
        result = signal_group(word, group, &why);
    } else if (text_of(stack, "stack") && text_of(stack, "resource")) {
        name = text_format("cloudformation %s/%s", text_of(stack, "stack"),
                           text_of(stack, "resource"));
        result = signal_stack(word, stack, &why);
    }
    outcome_item(outcome, word->host, name, result, -1, why);
}

static int send_all(const struct word *word, const json_t *list, const json_t *home)
{
    const json_t *item;
    struct outcome outcome = {0};
    size_t i;

    json_array_foreach(list, i, item) send_signal(word, item, &outcome);
    if (json_is_object(home)) {
        const char *why = NULL;
        int result = home_phone(word->host, home, &why);

        outcome_item(&outcome, word->host, "phone_home", result, -1, why);
    }
    return outcome_end(&outcome, word->host, "signals");
}

static int run(const struct bootlace_host *host, const char *input)
{
    struct word word = {.host = host};
    const char *failed, *instance;
    const json_t *list;
    struct input given;
    int result = input_read(host, input, &given);

    if (result == 0)
        result = input_list(host, &given, "signals", SIGNALS_MAX, &list);
    if (result < 0)
        return result;
    instance = host->metadata(host, "instance-id");
    if (!instance)
        return host->fail(host, ENOENT, "the metadata has no instance-id");
    word.instance = text_format("%s", instance);
    word.well = run_went_well(host, &failed);
    if (failed)
        host->log(host, BOOTLACE_INFO, "%s did not go well: that is what is told", failed);
    word.aws = aws_new(host, NULL);
    result = send_all(&word, list, json_object_get(given.settings, "phone_home"));
    aws_free(word.aws);
    return result;
}

static const char *const keys[] = {"signals", "phone_home", NULL};
static const char *const metadata[] = {"instance-id", NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "signals",
    .version = BOOTLACE_VERSION,
    .summary = "tells Auto Scaling, CloudFormation or an address how the set-up ended",
    .keys = keys,
    .metadata = metadata,
    .schema = schema,
    .frequency = BOOTLACE_PER_INSTANCE,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 970,
    .flags = BOOTLACE_REPEATABLE,
    .run = run,
};
