/*
 * OpenRC, by rc-service(8) and rc-update(8). What is started at a boot is a link in a runlevel's
 * folder, which rc-update makes; in a tree that does not run, it is made here.
 */
#include <errno.h>
#include <string.h>
#include <support/program.h>
#include <support/tree.h>

#include "manager.h"

#define RUNLEVEL_FOLDER "/etc/runlevels"

/* What `rc-service NAME status` ends with; rc-service(8) calls anything but 0 not started. */
enum { STATUS_STARTED = 0, STATUS_STARTING = 8 };

static const char *const runlevels[] = {"sysinit", "boot", "nonetwork", "default"};

static bool is_there(const struct bootlace_host *host)
{
    return tree_has(host, "/sbin/openrc-run") || tree_has(host, "/usr/sbin/openrc-run");
}

static bool is_running(const struct bootlace_host *host)
{
    return tree_is_running(host) && tree_has(host, "/run/openrc/softlevel");
}

static const char *name_of(const char *name)
{
    static const char suffix[] = ".service";
    size_t size = strlen(name), end = strlen(suffix);

    if (size > end && strcmp(name + size - end, suffix) == 0)
        return text_format("%.*s", (int)(size - end), name);
    return name;
}

static int write_files(const struct bootlace_host *host, struct item *item)
{
    (void)host;
    if (!item->text && !item->dropins)
        return 0;
    return item_fail(item, EOPNOTSUPP,
                     "units and drop-ins are systemd's, and this is OpenRC; write its script to "
                     "/etc/init.d by write_files");
}

static int change(const struct bootlace_host *host, struct item *item, const char *const *argv,
                  unsigned limit_s)
{
    const char *why;
    int result = program_change(host, argv, NULL, limit_s, &why);

    return result < 0 ? item_fail(item, -result, "%s: %s", argv[2], why) : 1;
}

static bool has_script(const struct bootlace_host *host, const struct item *item)
{
    return tree_has(host, text_format("/etc/init.d/%s", item->unit));
}

static char *link_path(const struct item *item, const char *runlevel)
{
    return text_format(RUNLEVEL_FOLDER "/%s/%s", runlevel, item->unit);
}

static int miss(const struct bootlace_host *host, struct item *item)
{
    if (!host->dry_run)
        return item_fail(item, ENOENT, "there is no /etc/init.d/%s; is its package installed?",
                         item->unit);
    host->log(host, BOOTLACE_INFO, "there is no /etc/init.d/%s yet", item->unit);
    return 1;
}

static int enable(const struct bootlace_host *host, struct item *item)
{
    const char *const argv[] = {"rc-update", "add", item->unit, "default", NULL};
    int result;

    for (size_t i = 0; i < sizeof runlevels / sizeof *runlevels; i++) {
        if (tree_has(host, link_path(item, runlevels[i])))
            return 0;
    }
    if (!has_script(host, item))
        return miss(host, item);
    if (tree_is_running(host))
        return change(host, item, argv, PROGRAM_LIMIT_S);
    result = tree_link(host, link_path(item, "default"), text_format("/etc/init.d/%s", item->unit));
    return result < 0 ? item_fail(item, -result, "it cannot be enabled: %s: %s",
                                  RUNLEVEL_FOLDER "/default", strerror(-result))
                      : result;
}

static int disable(const struct bootlace_host *host, struct item *item)
{
    int changed = 0;

    for (size_t i = 0; i < sizeof runlevels / sizeof *runlevels; i++) {
        const char *const argv[] = {"rc-update", "del", item->unit, runlevels[i], NULL};
        char *path = link_path(item, runlevels[i]);
        int result;

        if (!tree_has(host, path))
            continue;
        result = tree_is_running(host) ? change(host, item, argv, PROGRAM_LIMIT_S)
                                       : tree_remove(host, path);
        if (result < 0)
            return item->result ? item->result
                                : item_fail(item, -result, "%s cannot be removed: %s", path,
                                            strerror(-result));
        changed = changed || result;
    }
    return changed;
}

static int set_boot(const struct bootlace_host *host, struct item *item)
{
    if (item->state == ITEM_MASKED)
        return item_fail(item, EOPNOTSUPP,
                         "masked is systemd's, and this is OpenRC; write state: stopped and "
                         "enabled: false");
    if (item->enabled == ITEM_ENABLED)
        return enable(host, item);
    return item->enabled == ITEM_DISABLED ? disable(host, item) : 0;
}

static int reload(const struct bootlace_host *host, const struct item *items, size_t count,
                  bool force, const char **why)
{
    (void)host, (void)items, (void)count, (void)force, (void)why;
    return 0;
}

static bool is_started(const struct bootlace_host *host, const struct item *item)
{
    const char *const argv[] = {"rc-service", item->unit, "status", NULL};
    struct text ignored = {0};
    int status = program_ask(host, argv, PROGRAM_LIMIT_S, &ignored);

    return status == STATUS_STARTED || status == STATUS_STARTING;
}

static int set_state(const struct bootlace_host *host, struct item *item, bool done)
{
    const char *argv[] = {"rc-service", item->unit, NULL, NULL};
    bool started;
    int result;

    if (item->state == ITEM_LEFT)
        return 0;
    if (!has_script(host, item))
        return item->state == ITEM_STOPPED ? 0 : miss(host, item);
    started = is_started(host, item);
    if (item->state == ITEM_STOPPED)
        argv[2] = started ? "stop" : NULL;
    else if (!started)
        argv[2] = "start";
    else if (item->state != ITEM_STARTED && !done)
        argv[2] = item->state == ITEM_RESTARTED ? "restart" : "reload";
    if (!argv[2])
        return 0;
    result = change(host, item, argv, item->limit_s);
    item->started = result > 0 && item_is_to_run(item) && !host->dry_run;
    return result;
}

static int check(const struct bootlace_host *host, struct item *item)
{
    return is_started(host, item) ? 0 : item_fail(item, EIO, "it was started, and ended at once");
}

static void show_log(const struct bootlace_host *host, struct item *item)
{
    host->log(host, BOOTLACE_INFO, "%s: OpenRC keeps no output of services; see the system's log",
              item->unit);
}

const struct manager manager_openrc = {
    .name = "OpenRC",
    .is_there = is_there,
    .is_running = is_running,
    .name_of = name_of,
    .write = write_files,
    .set_boot = set_boot,
    .reload = reload,
    .set_state = set_state,
    .check = check,
    .has_failed = check,
    .show_log = show_log,
};
