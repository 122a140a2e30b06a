/*
 * systemd, by systemctl(1) and journalctl(1).
 *
 * No start of a unit may hang the boot that it is part of. systemctl waits for a unit's job a few
 * seconds at a time; ended at that limit, it leaves the job in systemd's queue, and is called again
 * until the item's own limit. In between it is looked at what the job is ordered after: where that
 * waits for this very run to end, the job is left in the queue, and the record says so.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <support/program.h>
#include <support/tree.h>

#include "jobs.h"
#include "manager.h"
#include "systemctl.h"
#include "unit.h"

#define UNIT_FOLDER "/etc/systemd/system"

enum {
    FILE_MODE = 0644,
    FIRST_ROUND_S = 2, /* until it is first looked at what holds a job up */
    ROUND_S = 5,
    MS_PER_S = 1000
};

static const char not_there[] = "there is no such unit; is its package installed?";

static bool is_there(const struct bootlace_host *host)
{
    return tree_has(host, "/run/systemd/system") || tree_has(host, "/usr/lib/systemd/systemd") ||
           tree_has(host, "/lib/systemd/systemd");
}

static bool is_running(const struct bootlace_host *host)
{
    return tree_is_running(host) && tree_has(host, "/run/systemd/system");
}

static const char *name_of(const char *name)
{
    static const char *const suffixes[] = {".service", ".socket", ".timer", ".path",
                                           ".target",  ".mount",  ".swap",  ".automount",
                                           ".slice",   ".scope",  ".device"};
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot && i < sizeof suffixes / sizeof *suffixes; i++) {
        if (strcmp(dot, suffixes[i]) == 0)
            return name;
    }
    return text_format("%s.service", name);
}

static int write_one(const struct bootlace_host *host, struct item *item, const char *path,
                     const char *text)
{
    struct text content = {0};
    int result;

    text_add_string(&content, text);
    if (content.size && content.bytes[content.size - 1] != '\n')
        text_add_string(&content, "\n");
    result = tree_put(host, path, &content, FILE_MODE);
    if (result < 0)
        return item_fail(item, -result, "%s cannot be written: %s", path, strerror(-result));
    item->files_changed = item->files_changed || result > 0;
    return result;
}

static int write_files(const struct bootlace_host *host, struct item *item)
{
    const char *name;
    json_t *text;

    if (item->text &&
        write_one(host, item, text_format(UNIT_FOLDER "/%s", item->unit), item->text) < 0)
        return item->result;
    json_object_foreach((json_t *)item->dropins, name, text)
    {
        size_t size = strlen(name), end = strlen(".conf");
        bool whole = size > end && strcmp(name + size - end, ".conf") == 0;
        char *path = text_format(UNIT_FOLDER "/%s.d/%s%s", item->unit, name, whole ? "" : ".conf");

        if (write_one(host, item, path, json_string_value(text)) < 0)
            return item->result;
    }
    return item->files_changed;
}

static bool is_one_of(const char *word, const char *const *words)
{
    while (*words && strcmp(word, *words) != 0)
        words++;
    return *words != NULL;
}

static const char *const enabled_words[] = {"enabled", "alias", NULL};
static const char *const somehow_enabled_words[] = {"enabled", "enabled-runtime", "alias",
                                                    "linked",  "linked-runtime",  NULL};
static const char *const masked_words[] = {"masked", "masked-runtime", NULL};

/* In a dry run, what an earlier step would bring is not there yet, and that is no failure. */
static int miss(const struct bootlace_host *host, struct item *item)
{
    if (!host->dry_run)
        return item_fail(item, ENOENT, "%s", not_there);
    host->log(host, BOOTLACE_INFO, "%s: there is no such unit yet", item->unit);
    return 1;
}

static int unmask(const struct bootlace_host *host, struct item *item, const char *word)
{
    const char *const words[] = {"unmask", "--no-reload", "--", item->unit, NULL};
    const char *const runtime[] = {"unmask", "--no-reload", "--runtime", "--", item->unit, NULL};

    return systemctl_change(host, item, PROGRAM_LIMIT_S,
                            strcmp(word, "masked-runtime") == 0 ? runtime : words);
}

/* One without [Install]: well where others start it, which a tree that does not run cannot tell. */
static int enable_static(const struct bootlace_host *host, struct item *item)
{
    const char *const words[] = {
        "show", "--property=WantedBy,RequiredBy,TriggeredBy", "--value", "--", item->unit, NULL};
    const char *by =
        is_running(host) && !systemctl_is_template(item->unit) ? systemctl_ask(host, words) : "?";

    if (!by[strspn(by, " \n")])
        return item_fail(item, EINVAL,
                         "it cannot be enabled: its unit has no [Install] section, and no other "
                         "unit starts it");
    item->note = "its unit has no [Install] section: other units start it";
    return 0;
}

static int enable(const struct bootlace_host *host, struct item *item, const char *word)
{
    const char *const words[] = {"enable", "--no-reload", "--", item->unit, NULL};

    if (is_one_of(word, enabled_words))
        return 0;
    if (!*word)
        return miss(host, item);
    if (strcmp(word, "static") == 0)
        return enable_static(host, item);
    if (systemctl_change(host, item, PROGRAM_LIMIT_S, words) < 0)
        return item->result;
    return host->dry_run || strcmp(systemctl_is_enabled(host, item->unit), word) != 0;
}

static int disable(const struct bootlace_host *host, struct item *item, const char *word)
{
    const char *const words[] = {"disable", "--no-reload", "--", item->unit, NULL};

    return is_one_of(word, somehow_enabled_words)
               ? systemctl_change(host, item, PROGRAM_LIMIT_S, words)
               : 0;
}

/* The name by which systemd knows the unit: sshd.service may be another name of ssh.service, and
 * only that can be enabled. */
static void find_own_name(const struct bootlace_host *host, struct item *item)
{
    struct unit unit;

    if (!is_running(host) || systemctl_is_template(item->unit))
        return;
    systemctl_show(host, item, &unit);
    if (strcmp(unit.load, "not-found") != 0 && *unit.id)
        item->unit = text_format("%s", unit.id);
}

static int set_boot(const struct bootlace_host *host, struct item *item)
{
    const char *const mask[] = {"mask", "--no-reload", "--", item->unit, NULL};
    const char *word;
    int result = 0, unmasked = 0;

    find_own_name(host, item);
    word = systemctl_is_enabled(host, item->unit);
    if (item->state == ITEM_MASKED)
        return strcmp(word, "masked") == 0 ? 0
                                           : systemctl_change(host, item, PROGRAM_LIMIT_S, mask);
    if (is_one_of(word, masked_words) && (item->enabled == ITEM_ENABLED || item_is_to_run(item))) {
        unmasked = unmask(host, item, word);
        if (unmasked < 0)
            return unmasked;
        if (!host->dry_run)
            word = systemctl_is_enabled(host, item->unit);
    }
    if (item->enabled == ITEM_ENABLED)
        result = enable(host, item, word);
    else if (item->enabled == ITEM_DISABLED)
        result = disable(host, item, word);
    return result < 0 ? result : result || unmasked;
}

/* Whether any of the units has files that are newer than what systemd has read of them: those that
 * an earlier step wrote. */
static bool wants_reload(const struct bootlace_host *host, const struct item *items, size_t count)
{
    const char **argv = text_need(calloc(count + 5, sizeof *argv));
    size_t words = 0;
    struct text out = {0};

    argv[words++] = "systemctl";
    argv[words++] = "show";
    argv[words++] = "--property=NeedDaemonReload";
    argv[words++] = "--";
    for (size_t i = 0; i < count; i++) {
        if (items[i].result == 0 && !systemctl_is_template(items[i].unit))
            argv[words++] = items[i].unit;
    }
    if (words > 4)
        program_ask(host, argv, PROGRAM_LIMIT_S, &out);
    free(argv);
    return strstr(text_string(&out), "=yes") != NULL;
}

static int reload(const struct bootlace_host *host, const struct item *items, size_t count,
                  bool force, const char **why)
{
    const char *const argv[] = {"systemctl", "daemon-reload", NULL};

    if (!force && !wants_reload(host, items, count))
        return 0;
    return program_change(host, argv, NULL, PROGRAM_LIMIT_S, why);
}

/* What holds the unit's job up; sets *ours where it waits for this run. "" where nothing does. */
static const char *find_blocker(const struct bootlace_host *host, const struct item *item,
                                bool *ours)
{
    static const char *const list[] = {"list-jobs", "--plain", "--no-legend", "--full", NULL};
    const char *argv[JOBS_MAX + 5] = {"systemctl", "show", "--property=Id,After,ControlGroup",
                                      "--"};
    struct text out = {0}, words = {0};
    struct jobs jobs;

    *ours = false;
    jobs_parse(systemctl_ask(host, list), &jobs);
    for (size_t i = 0; i < jobs.count; i++)
        argv[4 + i] = jobs.items[i].unit;
    if (!jobs.count)
        return "";
    program_ask(host, argv, PROGRAM_LIMIT_S, &out);
    jobs_add_properties(&jobs, text_string(&out));
    if (!jobs_reach(&jobs, item->unit))
        return "";
    for (size_t i = 0; i < jobs.count; i++) {
        struct job *job = &jobs.items[i];

        job->waits_for_run = job->reached && job->running && jobs_waits_for_run(job->group);
        *ours = *ours || job->waits_for_run;
    }
    jobs_explain(&jobs, &words);
    return text_string(&words);
}

/* After the job's waiting took a round without an end: 0 go on, 1 it is left in the queue, or what
 * item_fail() returned. */
static int look_on(const struct bootlace_host *host, struct item *item, const char *verb,
                   bool is_over)
{
    struct unit unit;
    bool ours;
    const char *blocker = find_blocker(host, item, &ours);

    if (ours && (item->port || item->url))
        return item_fail(item, EDEADLK,
                         "%s is left in systemd's queue, and cannot be waited for: it is ordered "
                         "after %s",
                         verb, blocker);
    if (ours) {
        item->note = text_format("%s follows when this run has ended: it is ordered after %s", verb,
                                 blocker);
        host->log(host, BOOTLACE_WARNING, "%s: %s", item->unit, item->note);
        return 1;
    }
    if (!is_over)
        return 0;
    if (*blocker)
        return item_fail(item, ETIMEDOUT, "%s did not begin within %u s: it is ordered after %s",
                         verb, item->limit_s, blocker);
    systemctl_show(host, item, &unit);
    systemctl_show_log(host, item);
    return item_fail(item, ETIMEDOUT, "%s took longer than %u s: it is %s (%s)", verb,
                     item->limit_s, unit.active, unit.sub);
}

/* systemctl VERB, waited for up to the item's limit. 1, or what item_fail() returned. */
static int do_job(const struct bootlace_host *host, struct item *item, const char *verb)
{
    const char *const later[] = {"systemctl", "--no-ask-password", "--no-block", verb,
                                 "--",        item->unit,          NULL};
    const char *argv[] = {"systemctl", "--no-ask-password", verb, "--", item->unit, NULL}, *why;
    int64_t end = manager_now() + (int64_t)item->limit_s * MS_PER_S;
    int result;

    for (unsigned round_s = FIRST_ROUND_S;; round_s = ROUND_S) {
        int64_t left = end - manager_now();

        if (left < (int64_t)round_s * MS_PER_S)
            round_s = left > MS_PER_S ? (unsigned)(left / MS_PER_S) : 1;
        result = program_change(host, item->waits ? argv : later, NULL, round_s, &why);
        if (result == 0)
            return 1;
        if (result != -ETIMEDOUT)
            break;
        result = look_on(host, item, verb, manager_now() >= end);
        if (result)
            return result;
        /* Its job is in the queue: joined, not begun anew. */
        argv[2] = strcmp(verb, "stop") == 0 ? "stop" : "start";
    }
    if (result != -EIO)
        return item_fail(item, -result, "%s", why);
    return systemctl_explain(host, item, text_format("%s failed", verb));
}

/* A start that systemd would refuse since it was tried too often is the user's to ask for. */
static void forget_failure(const struct bootlace_host *host, const struct item *item,
                           const struct unit *unit)
{
    const char *const argv[] = {"systemctl", "reset-failed", "--", item->unit, NULL};
    const char *why;

    if (unit_is_failed(unit))
        program_change(host, argv, NULL, PROGRAM_LIMIT_S, &why);
}

static int stop(const struct bootlace_host *host, struct item *item, const struct unit *unit)
{
    if ((strcmp(unit->active, "inactive") == 0 || unit_is_failed(unit)) && !unit->has_job)
        return 0;
    return do_job(host, item, "stop");
}

/* The verb that brings the unit to run as it is to, or NULL: it does. */
static const char *choose_verb(const struct item *item, const struct unit *unit, bool done)
{
    bool active = unit_is_active(unit);

    if (active && (item->files_changed || (item->state == ITEM_RESTARTED && !done)))
        return "restart";
    if (active && item->state == ITEM_RELOADED && !done)
        return "reload-or-restart";
    if (active)
        return NULL;
    /* One that ends when its work is done is not started again for being over. */
    if (unit_is_oneshot(unit) && done && !item->files_changed && !unit_is_failed(unit))
        return NULL;
    return "start";
}

static int start(const struct bootlace_host *host, struct item *item, const struct unit *before,
                 bool done)
{
    const char *verb = choose_verb(item, before, done);
    struct unit unit;
    int result;

    if (!verb)
        return 0;
    forget_failure(host, item, before);
    result = do_job(host, item, verb);
    if (result < 0 || host->dry_run || !item->waits || item->note)
        return result;
    item->started = true;
    systemctl_show(host, item, &unit);
    if (!unit_is_active(&unit) && !(unit_is_oneshot(&unit) && !unit_is_failed(&unit)))
        return systemctl_explain(host, item, "it does not run");
    /* The boot was about to start it in any case. */
    return strcmp(verb, "start") == 0 && (before->has_job || unit_is_starting(before)) ? 0 : result;
}

static int set_state(const struct bootlace_host *host, struct item *item, bool done)
{
    struct unit unit;

    if (item->state == ITEM_LEFT ||
        (item->state == ITEM_MASKED && systemctl_is_template(item->unit)))
        return 0;
    if (systemctl_is_template(item->unit))
        return item_fail(item, EINVAL, "it is a template, which has no state: name an instance");
    systemctl_show(host, item, &unit);
    if (item->state == ITEM_MASKED || item->state == ITEM_STOPPED)
        return stop(host, item, &unit);
    if (strcmp(unit.load, "not-found") == 0)
        return miss(host, item);
    if (strcmp(unit.load, "loaded") != 0 && !host->dry_run) {
        systemctl_show_log(host, item);
        return item_fail(item, EINVAL, "its unit cannot be loaded (LoadState=%s)", unit.load);
    }
    return start(host, item, &unit, done);
}

static int check(const struct bootlace_host *host, struct item *item)
{
    struct unit unit;

    systemctl_show(host, item, &unit);
    if (unit_is_failed(&unit) || unit_is_restarting(&unit) || unit.restarts > 0)
        return systemctl_explain(host, item, "it was started, and ended at once");
    return 0;
}

static int has_failed(const struct bootlace_host *host, struct item *item)
{
    struct unit unit;

    systemctl_show(host, item, &unit);
    return unit_is_failed(&unit) ? systemctl_explain(host, item, "it failed") : 0;
}

const struct manager manager_systemd = {
    .name = "systemd",
    .is_there = is_there,
    .is_running = is_running,
    .name_of = name_of,
    .write = write_files,
    .set_boot = set_boot,
    .reload = reload,
    .set_state = set_state,
    .check = check,
    .has_failed = has_failed,
    .show_log = systemctl_show_log,
};
