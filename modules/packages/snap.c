/*
 * snap(8), beside the system's own manager: items meant for it by name.
 *
 * What stands in the place of a version is a channel, or one of snap's options for what to install,
 * as in cloud-init's examples: [lxd, --channel=5.15/stable], [juju, --edge], [code, --classic].
 */
#include <string.h>
#include <support/text.h>

#include "manager.h"

static const char *const base[] = {"snap", NULL};
static const char *const install[] = {"install", NULL};

static const struct symptom symptoms[] = {
    {SYMPTOM_UNKNOWN, "error: snap \"{}\" not found", "the store has no such snap"},
    {SYMPTOM_ERROR, "error: <>", NULL},
    {SYMPTOM_TRANSIENT, "*unable to contact snap store*", NULL},
    {SYMPTOM_TRANSIENT, "*too many requests*", NULL},
    {SYMPTOM_TRANSIENT, "*change in progress*", NULL},
    {SYMPTOM_TRANSIENT, "*device not yet seeded*", NULL},
    {SYMPTOM_END, NULL, NULL},
};

static void add_options(struct package *const *packages, size_t count, struct words *words)
{
    const char *version = count ? packages[0]->version : NULL;

    if (version)
        words_add(words,
                  strncmp(version, "--", 2) == 0 ? version : text_format("--channel=%s", version));
}

static const char *spec(const struct package *package)
{
    return package->name;
}

/* Name, version and more in columns, below their names. */
static void take_line(struct installed *installed, char *line)
{
    size_t name = strcspn(line, " ");
    size_t gap = strspn(line + name, " ");
    char *version = line + name + gap;
    struct installed_entry entry = {.name = line, .architecture = "", .version = version};

    if (!name || !gap || strncmp(line, "Name ", 5) == 0)
        return;
    version[strcspn(version, " ")] = '\0';
    line[name] = '\0';
    installed_add(installed, &entry);
}

static int list(const struct work *work, struct installed *installed)
{
    static const char *const argv[] = {"snap", "list", "--color=never", "--unicode=never", NULL};

    return manager_list(work, argv, take_line, installed);
}

static void find(const struct work *work, const struct installed *installed,
                 struct package *package)
{
    const struct installed_entry *entry = installed_find(installed, package->name, NULL);

    (void)work;
    package->now = entry ? entry->version : NULL;
    package->there = entry != NULL;
}

const struct manager manager_snap = {
    .name = "snap",
    .program = "snap",
    .base = base,
    .install = install,
    .one_by_one = true,
    .symptoms = symptoms,
    .add_options = add_options,
    .spec = spec,
    .list = list,
    .find = find,
};
