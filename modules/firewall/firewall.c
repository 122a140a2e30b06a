/*
 * firewall: ports that are to be open, now and at later boots, by the firewall that the system
 * runs: firewalld, ufw, or nftables' rules. Where none is, nothing keeps packets out.
 */
#include <bootlace/module.h>
#include <errno.h>
#include <support/input.h>
#include <support/outcome.h>
#include <support/text.h>

#include "port.h"
#include "wall.h"

#include <firewall.schema.h>

enum { PORTS_MAX = 1000 };

/* A manager is asked before the rules that it manages. */
static const struct wall *const walls[] = {&wall_firewalld, &wall_ufw, &wall_nft, NULL};

/* The firewall that is used here; NULL and *result 0 where there is none. */
static const struct wall *find_wall(const struct bootlace_host *host, int *result)
{
    const char *why = NULL;

    *result = 0;
    for (size_t i = 0; walls[i]; i++) {
        int used = walls[i]->is_used(host, &why);

        if (used < 0) {
            *result = host->fail(host, -used, "%s: %s", walls[i]->name, why);
            return NULL;
        }
        if (used)
            return walls[i];
    }
    return NULL;
}

static void open_item(const struct bootlace_host *host, const struct wall *wall, const json_t *item,
                      struct outcome *outcome)
{
    const char *why = NULL;
    char text[PORT_TEXT_MAX];
    struct port port;
    int result = port_read(item, &port, &why);

    if (result < 0) {
        outcome_item(outcome, host,
                     json_is_string(item)
                         ? json_string_value(item)
                         : text_format("%lld", (long long)json_integer_value(item)),
                     result, -1, why);
        return;
    }
    result = wall->open(host, &port, &why);
    outcome_item(outcome, host, port_text(&port, '-', text), result, -1, result < 0 ? why : NULL);
}

static int run(const struct bootlace_host *host, const char *input)
{
    struct outcome outcome = {0};
    const struct wall *wall;
    const json_t *ports, *item;
    struct input given;
    size_t i;
    int result = input_read(host, input, &given);

    if (result < 0)
        return result;
    ports = json_object_get(json_object_get(given.settings, "firewall"), "open");
    if (json_array_size(ports) > PORTS_MAX)
        return host->fail(host, E2BIG, "firewall.open has more than %d items", PORTS_MAX);
    wall = find_wall(host, &result);
    if (!wall && result == 0)
        host->note(host, "no firewall is used here: every port is open");
    if (!wall)
        return result;
    host->log(host, BOOTLACE_INFO, "the firewall here is %s", wall->name);
    json_array_foreach(ports, i, item) open_item(host, wall, item, &outcome);
    return outcome_end(&outcome, host, "ports");
}

static const char *const keys[] = {"firewall", NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "firewall",
    .version = BOOTLACE_VERSION,
    .summary = "opens ports",
    .keys = keys,
    .schema = schema,
    .frequency = BOOTLACE_PER_INSTANCE,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 860,
    .flags = BOOTLACE_REPEATABLE | BOOTLACE_BAKEABLE,
    .run = run,
};
