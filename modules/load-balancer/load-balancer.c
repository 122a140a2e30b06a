/*
 * load-balancer: this instance as a target of load balancers' target groups (ELBv2): registered at
 * every boot, waited for until it is healthy, and taken out at shutdown where asked.
 */
#include <bootlace/module.h>
#include <errno.h>
#include <support/input.h>
#include <support/outcome.h>
#include <support/text.h>

#include "group.h"

#include <load-balancer.schema.h>

enum { GROUPS_MAX = 100 };

static int each(const struct bootlace_host *host, const char *input, bool stop)
{
    struct outcome outcome = {0};
    const json_t *list, *item;
    struct input given;
    size_t i;
    int result = input_read(host, input, &given);

    if (result == 0)
        result = input_list(host, &given, "load_balancer", GROUPS_MAX, &list);
    if (result < 0)
        return result;
    json_array_foreach(list, i, item)
    {
        const char *why = NULL;
        struct group group;

        result = group_read(host, item, &group, &why);
        if (result == 0 && stop && !group.deregister)
            continue;
        if (result == 0)
            result = stop ? group_deregister(&group, &why) : group_register(&group, &why);
        outcome_item(&outcome, host, group.name ? group.name : text_format("item %zu", i + 1),
                     result, -1, why);
        aws_free(group.aws);
    }
    return outcome_end(&outcome, host, "target groups");
}

static int run(const struct bootlace_host *host, const char *input)
{
    return each(host, input, false);
}

static int stop(const struct bootlace_host *host, const char *input)
{
    return each(host, input, true);
}

static const char *const keys[] = {"load_balancer", NULL};

static const char *const metadata[] = {"instance-id", NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "load-balancer",
    .version = BOOTLACE_VERSION,
    .summary = "registers the instance with load balancers' target groups",
    .keys = keys,
    .metadata = metadata,
    .schema = schema,
    .frequency = BOOTLACE_PER_BOOT,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 960,
    .flags = BOOTLACE_REPEATABLE,
    .time_limit = 2 * GROUP_WAIT_MAX_S,
    .run = run,
    .stop = stop,
};
