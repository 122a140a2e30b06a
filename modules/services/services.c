/*
 * services: what runs on the machine, now and at every boot.
 *
 * First all units and drop-ins are written and all is enabled, disabled or masked; then the service
 * manager reads its files anew, once, if any changed; then the services are brought into their
 * states one after another, in the order of the list, each waited for. What was only started, and
 * has no port or URL that answers for it, is looked at again half a second after the last start.
 */
#include <bootlace/module.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <support/input.h>
#include <support/outcome.h>
#include <support/remember.h>
#include <support/text.h>
#include <support/tree.h>
#include <time.h>

#include "answer.h"
#include "item.h"
#include "manager.h"

#include <services.schema.h>

enum { SERVICES_MAX = 1000, SETTLE_MS = 500, MS_PER_S = 1000, NS_PER_MS = 1000000 };

static const char module_name[] = "services";

struct services {
    const struct bootlace_host *host;
    const struct manager *manager;
    bool running; /* the manager, on this machine */
    struct item *items;
    size_t count;
    json_t *done; /* unit -> the digest of the item by which it was brought to run */
    const char *instance;
};

int64_t manager_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
}

void manager_sleep(unsigned milliseconds)
{
    const struct timespec pause = {.tv_sec = milliseconds / MS_PER_S,
                                   .tv_nsec = (long)(milliseconds % MS_PER_S) * NS_PER_MS};

    nanosleep(&pause, NULL);
}

static int find_manager(struct services *services)
{
    static const struct manager *const managers[] = {&manager_systemd, &manager_openrc};
    const struct bootlace_host *host = services->host;

    for (size_t i = 0; i < sizeof managers / sizeof *managers && !services->running; i++) {
        services->running = managers[i]->is_running(host);
        if (services->running || (!services->manager && managers[i]->is_there(host)))
            services->manager = managers[i];
    }
    if (!services->manager)
        return host->fail(host, EOPNOTSUPP, "neither systemd nor OpenRC is here");
    if (!services->running && tree_is_running(host))
        return host->fail(host, EOPNOTSUPP, "%s does not run here", services->manager->name);
    return 0;
}

static int read_items(struct services *services, const struct input *given)
{
    const struct bootlace_host *host = services->host;
    const json_t *list;
    int result = input_list(host, given, module_name, SERVICES_MAX, &list);

    if (result < 0)
        return result;
    services->count = json_array_size(list);
    services->items = text_need(calloc(services->count + 1, sizeof *services->items));
    for (size_t i = 0; i < services->count; i++) {
        struct item *item = &services->items[i];

        item_read(json_array_get(list, i), item);
        item->unit = services->manager->name_of(item->name);
        if (!*item->name)
            item->name = text_format("item %zu", i + 1);
    }
    return 0;
}

/* What was done for another instance is done no more. */
static void read_done(struct services *services)
{
    json_t *state = remember_read(services->host, module_name);
    const char *instance = json_string_value(json_object_get(state, "instance"));

    if (instance && services->instance && strcmp(instance, services->instance) == 0)
        services->done = json_object_get(state, "done");
    if (!json_is_object(services->done))
        services->done = text_need(json_object());
}

static bool is_done(const struct services *services, const struct item *item)
{
    const char *digest = json_string_value(json_object_get(services->done, item->unit));

    return digest && strcmp(digest, item->digest) == 0;
}

static void remember(struct services *services, const struct item *item)
{
    const struct bootlace_host *host = services->host;
    json_t *state = text_need(json_object());
    int result;

    if (!item_is_to_run(item) || is_done(services, item))
        return;
    json_object_set_new(services->done, item->unit, text_need(json_string(item->digest)));
    json_object_set_new(state, "instance",
                        text_need(json_string(services->instance ? services->instance : "")));
    json_object_set(state, "done", services->done);
    result = remember_write(host, module_name, state);
    if (result < 0)
        host->log(host, BOOTLACE_WARNING, "%s: that it was done cannot be remembered: %s",
                  item->name, strerror(-result));
}

/* Files and what is enabled; then the manager reads them. */
static int prepare_all(struct services *services)
{
    const struct bootlace_host *host = services->host;
    const struct manager *manager = services->manager;
    const char *why = "";
    bool changed = false;
    int result;

    for (size_t i = 0; i < services->count; i++) {
        struct item *item = &services->items[i];

        if (item->result == 0)
            item->changed = manager->write(host, item) > 0;
        changed = changed || item->changed;
    }
    /* A new unit is enabled by what its file says; is-enabled and enable read it themselves. */
    for (size_t i = 0; i < services->count; i++) {
        struct item *item = &services->items[i];
        int set = item->result < 0 ? 0 : manager->set_boot(host, item);

        item->changed = item->changed || set > 0;
        changed = changed || set > 0;
    }
    result = services->running
                 ? manager->reload(host, services->items, services->count, changed, &why)
                 : 0;
    return result < 0
               ? host->fail(host, -result, "%s did not read its units anew: %s", manager->name, why)
               : 0;
}

static void bring(struct services *services, struct item *item)
{
    const struct bootlace_host *host = services->host;
    int64_t end = manager_now() + (int64_t)item->limit_s * MS_PER_S;
    int result = services->manager->set_state(host, item, is_done(services, item));

    if (result < 0)
        return;
    item->changed = item->changed || result > 0;
    if ((item->port || item->url) && item->waits && !host->dry_run &&
        answer_await(host, item, services->manager, end) < 0)
        return;
    remember(services, item);
}

static void bring_all(struct services *services)
{
    const struct bootlace_host *host = services->host;

    for (size_t i = 0; i < services->count; i++) {
        struct item *item = &services->items[i];

        if (item->result < 0 || (item->state == ITEM_LEFT && !item->port && !item->url))
            continue;
        if (!services->running) {
            item->note = "its state is left for when the machine runs";
            if (BOOTLACE_HAS(host, leave))
                host->leave(host, "the state of services, where they run");
            continue;
        }
        host->progress(host, (double)i / (double)services->count, item->name);
        bring(services, item);
    }
}

/* One that was forked counts as active, whatever becomes of it in the next moment. */
static void look_again(struct services *services)
{
    bool any = false;

    for (size_t i = 0; i < services->count; i++)
        any = any || (services->items[i].started && services->items[i].result == 0 &&
                      !services->items[i].port && !services->items[i].url);
    if (!any)
        return;
    manager_sleep(SETTLE_MS);
    for (size_t i = 0; i < services->count; i++) {
        struct item *item = &services->items[i];

        if (item->started && item->result == 0)
            services->manager->check(services->host, item);
    }
}

static int report(const struct services *services)
{
    struct outcome outcome = {0};

    for (size_t i = 0; i < services->count; i++) {
        const struct item *item = &services->items[i];

        if (item->result < 0)
            outcome_item_details(&outcome, services->host, item->name, item->result,
                                 item->exit_code, item->why, item->log.bytes);
        else
            outcome_item(&outcome, services->host, item->name, item->changed, -1, item->note);
    }
    return outcome_end(&outcome, services->host, "services");
}

static int run(const struct bootlace_host *host, const char *input)
{
    struct services services = {.host = host};
    struct input given;
    int result = input_read(host, input, &given);

    if (result == 0)
        result = find_manager(&services);
    if (result == 0)
        result = read_items(&services, &given);
    if (result < 0)
        return result;
    services.instance = input_metadata(&given, "instance-id");
    read_done(&services);
    result = prepare_all(&services);
    if (result < 0)
        return result;
    bring_all(&services);
    look_again(&services);
    return report(&services);
}

static const char *const keys[] = {"services", NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = module_name,
    .version = BOOTLACE_VERSION,
    .summary = "enables, starts, stops and waits for services",
    .keys = keys,
    .schema = schema,
    .frequency = BOOTLACE_PER_INSTANCE,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 850,
    .flags = BOOTLACE_REPEATABLE | BOOTLACE_BAKEABLE,
    .run = run,
};
