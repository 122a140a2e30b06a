/*
 * packages: what is to be installed, by the system's own package manager.
 *
 * Lists and packages are fetched ahead where nothing that comes before could change them. What is
 * there already is found by asking the database of what is installed, so that a second run
 * needs neither the network nor the manager. Otherwise: the lists are renewed, everything is
 * upgraded where that is asked for, and what is missing is installed; each with its own item in the
 * record.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <support/input.h>
#include <support/outcome.h>
#include <support/text.h>
#include <support/tree.h>

#include "implied.h"
#include "install.h"
#include "lists.h"
#include "manager.h"
#include "tool.h"

#include <packages.schema.h>

enum { TIME_LIMIT_S = 7200 };

#define LISTS_ITEM "package lists"
#define UPGRADE_ITEM "upgrade"

/* How far it is when each begins, of 1. */
#define PROGRESS_LISTS 0.05
#define PROGRESS_UPGRADE 0.2
#define PROGRESS_INSTALL 0.4

struct run {
    struct work work;
    struct work snap;
    struct outcome steps;             /* lists and upgrade */
    struct outcome outcome;           /* packages */
    const char *upgraded;             /* what the upgrade did, or NULL */
    struct package **system, **snaps; /* those for this manager, and for snap; NULL-ended */
    size_t system_count, snap_count;
    struct installed before, after;
    bool stopped;
};

/* Sorts the packages by who installs them; what is meant for other machines is left out. */
static void assign(struct run *run)
{
    struct wish *wish = &run->work.wish;
    const struct bootlace_host *host = run->work.host;

    run->system = text_need(calloc(wish->count + 1, sizeof *run->system));
    run->snaps = text_need(calloc(wish->count + 1, sizeof *run->snaps));
    for (size_t i = 0; i < wish->count; i++) {
        struct package *package = &wish->packages[i];

        if (!package->manager || manager_is(run->work.manager, package->manager))
            run->system[run->system_count++] = package;
        else if (manager_is(&manager_snap, package->manager))
            run->snaps[run->snap_count++] = package;
        else
            host->log(host, BOOTLACE_INFO, "%s is meant for %s, and left out here", package->label,
                      package->manager);
    }
}

static void remember(struct package *const *packages, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        packages[i]->was_there = packages[i]->there;
        packages[i]->before = packages[i]->now;
    }
}

static bool is_missing(struct package *const *packages, size_t count)
{
    while (count && packages[count - 1]->there)
        count--;
    return count > 0;
}

/* An item that is no package. */
static void report(struct run *run, const char *item, int result, const char *why,
                   const struct said *said)
{
    outcome_item_details(&run->steps, run->work.host, item, result, -1, why,
                         result < 0 && said->last.size ? said->last.bytes : NULL);
    run->stopped = run->stopped || (result < 0 && run->work.wish.stop);
}

static void update(struct run *run)
{
    const struct work *work = &run->work;
    const struct bootlace_host *host = work->host;
    struct said *said = text_need(calloc(1, sizeof *said));
    uint64_t before = lists_stamp(work);
    const char *why = NULL;
    int result;

    if (!host->dry_run && lists_are_fresh(work)) {
        report(run, LISTS_ITEM, 1, "renewed ahead", said);
        return;
    }
    said->symptoms = work->manager->symptoms;
    host->progress(host, PROGRESS_LISTS, "renewing the package lists");
    result = tool_run(work, work->manager->update, NULL, TOOL_LISTS_LIMIT_S, said, &why);
    if (result == 0)
        result = host->dry_run || lists_stamp(work) != before;
    report(run, LISTS_ITEM, result, why, said);
}

static void upgrade(struct run *run)
{
    const struct work *work = &run->work;
    const struct bootlace_host *host = work->host;
    struct said *said = text_need(calloc(1, sizeof *said));
    struct installed_change change = {0};
    struct installed now = {0};
    const char *why = NULL;
    int result;

    said->symptoms = work->manager->symptoms;
    host->progress(host, PROGRESS_UPGRADE, "upgrading what is installed");
    result = tool_run(work, work->manager->upgrade, NULL, TOOL_PACKAGES_LIMIT_S, said, &why);
    if (result < 0 && said->count)
        why = text_format("%s: %s", said->blames[0].package, said->blames[0].why);
    if (result == 0 && !host->dry_run)
        result = work->manager->list(work, &now);
    if (result >= 0 && !host->dry_run) {
        change = installed_compare(&run->before, &now);
        result = change.added || change.changed || change.removed;
        why = run->upgraded = text_format("%u upgraded, %u added, %u removed", change.changed,
                                          change.added, change.removed);
    }
    report(run, UPGRADE_ITEM, result < 0 ? result : host->dry_run || result, why, said);
}

static void install(struct run *run)
{
    const struct bootlace_host *host = run->work.host;

    host->progress(host, PROGRESS_INSTALL, "installing packages");
    install_packages(&run->work, run->system, run->system_count);
}

/* snap is a manager of its own, beside the system's. */
static void install_snaps(struct run *run)
{
    const char *why = "snap is not installed: install its package (snapd) first";
    struct installed installed;

    run->snap = run->work;
    run->snap.manager = &manager_snap;
    if (run->snap_count && BOOTLACE_HAS(run->work.host, bake) && run->work.host->bake) {
        run->work.host->leave(run->work.host, "snaps can be installed on a running machine only");
        run->snap_count = 0;
    }
    if (!run->snap_count)
        return;
    if (!tree_is_running(run->work.host))
        why = "snaps can be installed on a running machine only";
    else if (manager_has_program(&run->snap, manager_snap.program) &&
             install_look(&run->snap, run->snaps, run->snap_count, &installed, &why) == 0) {
        remember(run->snaps, run->snap_count);
        install_packages(&run->snap, run->snaps, run->snap_count);
        if (!run->work.host->dry_run)
            install_look(&run->snap, run->snaps, run->snap_count, &installed, &why);
        return;
    }
    for (size_t i = 0; i < run->snap_count; i++)
        run->snaps[i]->why = why;
}

/* What became of a package, in words. */
static const char *describe(const struct package *package, bool dry_run)
{
    const char *text;

    if (package->was_there && package->there && package->now && package->before &&
        strcmp(package->now, package->before) == 0)
        return text_format("%s was installed already", package->now);
    if (dry_run)
        return "would be installed";
    if (!package->now)
        return package->remark;
    text = package->before ? text_format("%s, before %s", package->now, package->before)
                           : package->now;
    return package->remark ? text_format("%s, but %s", text, package->remark) : text;
}

static void conclude(struct run *run, struct package *const *packages, size_t count, bool changed)
{
    const struct bootlace_host *host = run->work.host;

    for (size_t i = 0; i < count; i++) {
        struct package *package = packages[i];
        bool same =
            package->was_there && package->there &&
            (!package->now || !package->before || strcmp(package->now, package->before) == 0);
        int result = same                              ? 0
                     : package->there || host->dry_run ? 1
                     : package->done                   ? changed
                                                       : -EIO;

        if (result == -EIO && !package->why)
            package->why = "not installed";
        if (package->remark)
            host->log(host, BOOTLACE_WARNING, "%s: %s", package->label, package->remark);
        outcome_item_details(&run->outcome, host, package->label, result, -1,
                             result < 0 ? package->why : describe(package, host->dry_run),
                             result < 0 ? package->details : NULL);
    }
}

/* Why a restart is wanted, after something was changed; a run that changed nothing asks for none,
 * so that no machine restarts for ever. */
static void restart(struct run *run)
{
    const struct work *work = &run->work;
    const struct bootlace_host *host = work->host;
    const char *why;

    if (!work->wish.reboot || !(run->outcome.changed || run->steps.changed) || host->dry_run ||
        !tree_is_running(host) || !work->manager->restart)
        return;
    why = work->manager->restart(work);
    if (!why)
        return;
    host->log(host, BOOTLACE_INFO, "a restart is wanted: %s", why);
    if (BOOTLACE_HAS(host, reboot))
        host->reboot(host, why);
}

/* What the module returns, in a sentence about the packages with what came before them. */
static int end(const struct run *run)
{
    const struct bootlace_host *host = run->work.host;
    const struct outcome *steps = &run->steps, *outcome = &run->outcome;
    unsigned all = outcome->changed + outcome->unchanged + outcome->failed;
    const char *what = outcome->failed ? "failed: " : "changed";
    struct text text = {0};

    if (steps->failed)
        text_add_string(&text, text_string(&steps->failures));
    else if (run->upgraded)
        text_add_string(&text, run->upgraded);
    if (all)
        text_add_format(&text, "%s%u of %u packages %s%s", text.size ? "; " : "",
                        outcome->failed ? outcome->failed : outcome->changed, all, what,
                        text_string(&outcome->failures));
    if (steps->failed || outcome->failed)
        return host->fail(host, EIO, "%s", text_string(&text));
    host->note(host, "%s", text.size ? text.bytes : "the package lists were renewed");
    return outcome->changed || steps->changed;
}

static int finish(struct run *run)
{
    const struct bootlace_host *host = run->work.host;
    struct installed_change change = {0};
    const char *why;
    int result = 0;

    if (!host->dry_run)
        result = install_look(&run->work, run->system, run->system_count, &run->after, &why);
    if (result < 0)
        return host->fail(host, -result, "%s", why);
    if (!host->dry_run)
        change = installed_compare(&run->before, &run->after);
    conclude(run, run->system, run->system_count, change.added || change.changed || change.removed);
    conclude(run, run->snaps, run->snap_count, true);
    restart(run);
    return end(run);
}

static int do_all(struct run *run)
{
    const struct work *work = &run->work;
    const struct bootlace_host *host = work->host;
    const struct wish *wish = &work->wish;
    bool missing, lists;
    const char *why;
    int result = install_look(work, run->system, run->system_count, &run->before, &why);

    if (result < 0)
        return host->fail(host, -result, "%s", why);
    remember(run->system, run->system_count);
    missing = is_missing(run->system, run->system_count);
    lists =
        wish->update || wish->sources || ((missing || wish->upgrade) && work->manager->lists_first);
    if (lists && work->manager->update)
        update(run);
    if (wish->upgrade && !run->stopped)
        upgrade(run);
    if (missing && !run->stopped)
        install(run);
    if (!run->stopped)
        install_snaps(run);
    return finish(run);
}

/* What was done when the image was made is not done by each of its instances once more: they only
 * get what is missing. */
static void leave_out_baked(const struct input *given, struct wish *wish)
{
    static const char *const updates[] = {"package_update", "apt_update"};
    static const char *const upgrades[] = {"package_upgrade", "apt_upgrade"};

    for (size_t i = 0; i < sizeof updates / sizeof *updates; i++) {
        wish->update = wish->update && !input_is_baked(given, updates[i]);
        wish->upgrade = wish->upgrade && !input_is_baked(given, upgrades[i]);
    }
    wish->sources =
        (json_object_get(given->settings, "apt") && !input_is_baked(given, "apt")) ||
        (json_object_get(given->settings, "yum_repos") && !input_is_baked(given, "yum_repos"));
}

static bool is_wanted(const struct wish *wish)
{
    return wish->count || wish->update || wish->upgrade || wish->sources;
}

/* What is wanted, and by which manager it comes: 1, 0 nothing, or what host->fail returned. */
static int begin(struct run *run, const struct input *given)
{
    const struct bootlace_host *host = run->work.host;
    const struct wish *wish = &run->work.wish;
    int result = wish_read(host, given->settings, &run->work.wish);

    if (result < 0)
        return result;
    leave_out_baked(given, &run->work.wish);
    if (!is_wanted(wish) && !implied_any(given->settings))
        return 0;
    result = manager_detect(&run->work);
    if (result == 0)
        result = implied_add(&run->work, given->settings);
    if (result < 0 || !is_wanted(wish))
        return result;
    assign(run);
    return 1;
}

static int run(const struct bootlace_host *host, const char *input)
{
    struct run run = {.work = {.host = host}};
    struct input given;
    int result = input_read(host, input, &given);

    if (result == 0)
        result = begin(&run, &given);
    if (result == 0)
        host->note(host, "nothing is to be installed");
    return result > 0 ? do_all(&run) : result;
}

/* ---- ahead of its turn ---- */

/*
 * Whether lists and packages are the same now as when the step has its turn: package sources are
 * not configured before that, and nothing runs beside this that could be at the manager itself. A
 * volume that is mounted meanwhile hides what was fetched, at worst.
 */
static bool may_fetch_ahead(const struct run *run, const struct input *given)
{
    static const char *const harmless[] = {"login-keys", "host-keys", "grow",     "mounts", "users",
                                           "hostname",   "locale",    "timezone", NULL};
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(given->object, "before"), i, item)
    {
        const char *const *known = harmless, *name = json_string_value(item);

        while (*known && name && strcmp(*known, name) != 0)
            known++;
        if (!*known)
            return false;
    }
    return !run->work.wish.sources && run->work.manager->fetch_only &&
           tree_is_running(run->work.host) && !run->work.host->dry_run;
}

static void fetch_ahead(struct run *run, bool missing)
{
    const struct work *work = &run->work;
    const struct wish *wish = &work->wish;
    struct said *said = text_need(calloc(1, sizeof *said));
    struct words only = {0};
    const char *ignored;

    said->symptoms = work->manager->symptoms;
    words_add(&only, work->manager->fetch_only);
    if (work->manager->update &&
        (wish->update || ((missing || wish->upgrade) && work->manager->lists_first))) {
        if (tool_run(work, work->manager->update, NULL, TOOL_LISTS_LIMIT_S, said, &ignored) < 0)
            return;
        lists_remember(work);
    }
    if (wish->upgrade)
        tool_run(work, work->manager->upgrade, &only, TOOL_PACKAGES_LIMIT_S, said, &ignored);
    if (missing)
        install_packages(work, run->system, run->system_count);
}

/* Into the manager's own caches. What fails, or finds the manager at work, is left to the step. */
static int prepare(const struct bootlace_host *host, const char *input)
{
    struct run run = {.work = {.host = host, .ahead = true}};
    const char *ignored;
    struct input given;
    int result = input_read(host, input, &given);

    if (result == 0)
        result = begin(&run, &given);
    if (result < 0)
        return result;
    if (result == 0 || !may_fetch_ahead(&run, &given))
        return 0;
    run.work.wish.lock_wait_s = run.work.wish.retries = 0;
    result = install_look(&run.work, run.system, run.system_count, &run.before, &ignored);
    if (result == 0)
        fetch_ahead(&run, is_missing(run.system, run.system_count));
    return result;
}

static const char *const keys[] = {"packages",
                                   "package_update",
                                   "package_upgrade",
                                   "package_reboot_if_required",
                                   "package_on_error",
                                   "package_lock_wait",
                                   "package_retries",
                                   "apt_update",
                                   "apt_upgrade",
                                   "apt_reboot_if_required",
                                   NULL};

/* Where package sources are configured, the lists are to be renewed; the others ask for packages.
 */
static const char *const reads[] = {"apt", "yum_repos", "puppet", "chef", "ansible", NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "packages",
    .version = BOOTLACE_VERSION,
    .summary = "installs packages",
    .keys = keys,
    .reads = reads,
    .schema = schema,
    .frequency = BOOTLACE_PER_INSTANCE,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 700,
    .flags = BOOTLACE_REPEATABLE | BOOTLACE_BAKEABLE | BOOTLACE_BY_ITEM,
    .time_limit = TIME_LIMIT_S,
    .prepare = prepare,
    .run = run,
};
