/*
 * The service managers that the module knows: systemd and OpenRC. A table of functions each, so
 * that services.c knows neither.
 */
#ifndef BOOTLACE_SERVICES_MANAGER_H
#define BOOTLACE_SERVICES_MANAGER_H

#include <bootlace/module.h>
#include <stdint.h>

#include "item.h"

/* Every function returns 1 something changed, 0 it was so already, or what item_fail() returned. */
struct manager {
    const char *name;

    /* Whether it is what this tree boots with; whether it runs, in the tree that is running. */
    bool (*is_there)(const struct bootlace_host *host);
    bool (*is_running)(const struct bootlace_host *host);

    /* Its name for what the user calls item->name; for item->unit. */
    const char *(*name_of)(const char *name);

    /* Writes unit and drop-ins; sets item->files_changed. */
    int (*write)(const struct bootlace_host *host, struct item *item);

    /* What it does at a boot: enabled, disabled, masked, or none of these any more. In a tree that
     * does not run as well. */
    int (*set_boot)(const struct bootlace_host *host, struct item *item);

    /* Reads its files anew; force: they changed. *why has words where it fails. */
    int (*reload)(const struct bootlace_host *host, const struct item *items, size_t count,
                  bool force, const char **why);

    /* Brings the service into its state, by item->limit_s from now at the latest. `done`: that it
     * was restarted, reloaded or run once is remembered already. */
    int (*set_state)(const struct bootlace_host *host, struct item *item, bool done);

    /* Whether it runs still: 0, or what item_fail() returned, and its last words are in the log. */
    int (*check)(const struct bootlace_host *host, struct item *item);

    /* Whether it has given up, while its port or URL is waited for: as check. */
    int (*has_failed)(const struct bootlace_host *host, struct item *item);

    /* What the service said last, into the step's log and item->log. */
    void (*show_log)(const struct bootlace_host *host, struct item *item);
};

extern const struct manager manager_systemd, manager_openrc;

/* CLOCK_MONOTONIC in milliseconds; and a pause. */
int64_t manager_now(void);
void manager_sleep(unsigned milliseconds);

#endif
