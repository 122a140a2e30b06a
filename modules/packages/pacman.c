/*
 * pacman(8): Arch Linux.
 *
 * Its lists name the packages' files, of which the mirrors keep the newest alone: so they are
 * renewed before anything is installed. Half an upgrade is none: package_upgrade with
 * package_update is -Syu.
 */
#include <stdlib.h>
#include <string.h>
#include <support/text.h>
#include <support/tree.h>

#include "manager.h"
#include "restart.h"

static const char *const families[] = {"arch", NULL};
static const char *const base[] = {"pacman", "--noconfirm", "--noprogressbar", NULL};
static const char *const update[] = {"--sync", "--refresh", NULL};
static const char *const upgrade[] = {"--sync", "--sysupgrade", NULL};
static const char *const install[] = {"--sync", "--needed", NULL};

static const struct lock locks[] = {{"/var/lib/pacman/db.lck", LOCK_EXISTS}, {NULL, LOCK_EXISTS}};

static const struct symptom symptoms[] = {
    {SYMPTOM_UNKNOWN, "error: target not found: {}=*", "no package source has this version"},
    {SYMPTOM_UNKNOWN, "error: target not found: {}", "no package source has it"},
    {SYMPTOM_FAILED, ":: <> required by {}", NULL},
    {SYMPTOM_FAILED, "warning: cannot resolve \"<>\", a dependency of \"{}\"",
     "no package source has <>, which it requires"},
    {SYMPTOM_FAILED, "{}: <> exists in filesystem*", "its file <> is there already"},
    {SYMPTOM_ABOUT, "installing {}...", NULL},
    {SYMPTOM_ABOUT, "upgrading {}...", NULL},
    {SYMPTOM_ABOUT, "reinstalling {}...", NULL},
    {SYMPTOM_ABOUT, "downgrading {}...", NULL},
    {SYMPTOM_REMARK, "error: command failed to execute correctly", "its script failed"},
    {SYMPTOM_ERROR, "error: <>", NULL},
    {SYMPTOM_STALE, "error: failed retrieving file *.pkg.tar.*404", NULL},
    {SYMPTOM_LOCKED, "error: *(unable to lock database)", NULL},
    {SYMPTOM_END, NULL, NULL},
};

static void add_tree(const struct work *work, struct words *words)
{
    const struct bootlace_host *host = work->host;

    words_add(words, text_format("--root=%s", host->root));
    words_add(words, text_format("--cachedir=%s/var/cache/pacman/pkg", host->root));
    if (tree_has(host, "/etc/pacman.conf"))
        words_add(words, text_format("--config=%s/etc/pacman.conf", host->root));
    if (tree_has(host, "/etc/pacman.d/gnupg"))
        words_add(words, text_format("--gpgdir=%s/etc/pacman.d/gnupg", host->root));
}

static void take_line(struct installed *installed, char *line)
{
    struct installed_entry entry = {.name = line, .architecture = ""};
    char *blank = strchr(line, ' ');

    if (!blank || strncmp(line, "warning:", strlen("warning:")) == 0)
        return;
    *blank = '\0';
    entry.version = blank + 1;
    installed_add(installed, &entry);
}

static struct words command(const struct work *work, const char *option, const char *word)
{
    struct words argv = {0};

    words_add(&argv, "pacman");
    if (work->outside)
        add_tree(work, &argv);
    words_add(&argv, option);
    if (word)
        words_add(&argv, word);
    return argv;
}

static int list(const struct work *work, struct installed *installed)
{
    return manager_list(work, command(work, "--query", NULL).items, take_line, installed);
}

static void find(const struct work *work, const struct installed *installed,
                 struct package *package)
{
    const char *name = package->name + strcspn(package->name, "/");
    const struct installed_entry *entry =
        installed_find(installed, *name ? name + 1 : package->name, NULL);
    struct text ignored = {0};

    package->now = entry ? entry->version : NULL;
    package->there = entry && !package->version;
    if (!package->there)
        package->there =
            manager_ask(work, command(work, "--deptest", manager_spec_by_equals(package)).items,
                        &ignored) == 0;
}

const struct manager manager_pacman = {
    .name = "pacman",
    .program = "pacman",
    .families = families,
    .base = base,
    .update = update,
    .upgrade = upgrade,
    .install = install,
    .fetch_only = "--downloadonly",
    .lists = "/var/lib/pacman/sync",
    .lists_first = true,
    .locks = locks,
    .symptoms = symptoms,
    .add_tree = add_tree,
    .spec = manager_spec_by_equals,
    .list = list,
    .find = find,
    .restart = restart_kernel,
};
