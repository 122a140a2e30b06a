/* apk(8): Alpine Linux. */
#include <stdlib.h>
#include <string.h>
#include <support/text.h>
#include <support/tree.h>

#include "manager.h"
#include "restart.h"

static const char *const families[] = {"alpine", NULL};
static const char *const base[] = {"apk", "--no-progress", NULL};
static const char *const update[] = {"update", NULL};
static const char *const upgrade[] = {"upgrade", NULL};
static const char *const install[] = {"add", NULL};

static const struct lock locks[] = {
    {"/lib/apk/db/lock", LOCK_HELD}, {"/usr/lib/apk/db/lock", LOCK_HELD}, {NULL, LOCK_HELD}};

static const struct symptom symptoms[] = {
    {SYMPTOM_UNKNOWN, "  {} (no such package):", "no package source has it"},
    {SYMPTOM_FAILED, "*breaks: world[{}=*", "no package source has this version"},
    {SYMPTOM_FAILED, "  required by: {}-*-r*[*", "a package that it requires is not to be had"},
    {SYMPTOM_FAILED, "ERROR: {}-*-r*: <>", NULL},
    {SYMPTOM_ERROR, "ERROR: <>", NULL},
    {SYMPTOM_TRANSIENT, "*temporary error (try again later)*", NULL},
    {SYMPTOM_TRANSIENT, "*network error (check Internet connection*", NULL},
    {SYMPTOM_TRANSIENT, "*operation timed out*", NULL},
    {SYMPTOM_TRANSIENT, "*remote server returned error*", NULL},
    {SYMPTOM_STALE, "*package mentioned in index not found*", NULL},
    {SYMPTOM_LOCKED, "ERROR: Unable to lock database*", NULL},
    {SYMPTOM_END, NULL, NULL},
};

static void add_tree(const struct work *work, struct words *words)
{
    words_add(words, "--root");
    words_add(words, work->host->root);
    if (!tree_has(work->host, "/lib/apk/db") && !tree_has(work->host, "/usr/lib/apk/db"))
        words_add(words, "--initdb");
}

static struct words command(const struct work *work, const char *const *rest)
{
    struct words argv = {0};

    words_add(&argv, "apk");
    if (work->outside)
        add_tree(work, &argv);
    words_add_all(&argv, rest);
    return argv;
}

/* NAME-VERSION-rN */
static void take_line(struct installed *installed, char *line)
{
    struct installed_entry entry = {.name = line, .architecture = ""};
    char *dash = strrchr(line, '-');

    if (!dash)
        return;
    do
        dash--;
    while (dash > line && *dash != '-');
    if (dash == line)
        return;
    *dash = '\0';
    entry.version = dash + 1;
    installed_add(installed, &entry);
}

static int list(const struct work *work, struct installed *installed)
{
    static const char *const words[] = {"info", "--verbose", NULL};

    return manager_list(work, command(work, words).items, take_line, installed);
}

/* apk knows what a package provides, and comparisons such as name>1 and name~1.2. */
static void find(const struct work *work, const struct installed *installed,
                 struct package *package)
{
    const struct installed_entry *entry = installed_find(installed, package->name, NULL);
    const char *const words[] = {"info", "--installed", manager_spec_by_equals(package), NULL};
    struct text ignored = {0};

    package->now = entry ? entry->version : NULL;
    package->there = entry && !package->version;
    if (!package->there)
        package->there = manager_ask(work, command(work, words).items, &ignored) == 0;
}

const struct manager manager_apk = {
    .name = "apk",
    .program = "apk",
    .families = families,
    .base = base,
    .update = update,
    .upgrade = upgrade,
    .install = install,
    .lists = "/var/cache/apk",
    .lists_first = true,
    .locks = locks,
    .symptoms = symptoms,
    .add_tree = add_tree,
    .spec = manager_spec_by_equals,
    .list = list,
    .find = find,
    .restart = restart_kernel,
};
