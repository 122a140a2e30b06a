/*
 * dns: the instance's names, registered in the DNS at every boot where they are not registered so
 * already, and taken out at shutdown where that is wanted.
 *
 * By updates to a name server (RFC 2136), or by Route 53; see backend.h.
 */
#include "backend.h"
#include "register.h"
#include "retract.h"
#include "state.h"

#include <bootlace/module.h>
#include <support/input.h>

#include <dns.schema.h>

typedef void each_item(struct dns *dns, const json_t *items, struct outcome *outcome);

static int call(const struct bootlace_host *host, const char *text, bool hurried, each_item *work)
{
    struct dns dns = {.host = host, .hurried = hurried};
    struct outcome outcome = {0};
    struct input input;
    int result = input_read(host, text, &input);

    if (result < 0)
        return result;
    state_read(&dns, input_metadata(&input, "instance-id"));
    work(&dns, json_object_get(input.settings, "dns"), &outcome);
    aws_free(dns.aws);
    return outcome_end(&outcome, host, "records");
}

static int run(const struct bootlace_host *host, const char *input)
{
    return call(host, input, false, register_all);
}

static int stop(const struct bootlace_host *host, const char *input)
{
    return call(host, input, true, retract_all);
}

static const char *const keys[] = {"dns", NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "dns",
    .version = BOOTLACE_VERSION,
    .summary = "registers the instance's names in the DNS",
    .keys = keys,
    .schema = schema,
    .frequency = BOOTLACE_PER_BOOT,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 840,
    .flags = BOOTLACE_REPEATABLE,
    .run = run,
    .stop = stop,
};
