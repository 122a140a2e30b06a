/* The database of rpm(8); see rpm.h. */
#include "rpm.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <support/text.h>

#define FORMAT "%{NAME}\\t%{ARCH}\\t%{EPOCH}\\t%{VERSION}-%{RELEASE}\\n"

/* Where the database is by default, once and today. */
const struct lock rpm_locks[] = {{"/var/lib/rpm/.rpm.lock", LOCK_HELD},
                                 {"/usr/lib/sysimage/rpm/.rpm.lock", LOCK_HELD},
                                 {NULL, LOCK_HELD}};

void rpm_add_tree(const struct work *work, struct words *words)
{
    if (work->outside)
        words_add(words, text_format("--root=%s", work->host->root));
}

static void take_line(struct installed *installed, char *line)
{
    struct installed_entry entry = {.name = installed_field(&line)};
    const char *epoch, *version;

    entry.architecture = installed_field(&line);
    epoch = installed_field(&line);
    version = installed_field(&line);
    if (!version)
        return;
    entry.version = strcmp(epoch, "(none)") == 0 || strcmp(epoch, "0") == 0
                        ? version
                        : text_format("%s:%s", epoch, version);
    installed_add(installed, &entry);
}

static int ask(const struct work *work, const char *const *words, struct installed *installed)
{
    struct words argv = {0};
    int result;

    words_add(&argv, "rpm");
    rpm_add_tree(work, &argv);
    words_add_all(&argv, words);
    result = manager_list(work, argv.items, take_line, installed);
    free(argv.items);
    return result;
}

int rpm_list(const struct work *work, struct installed *installed)
{
    static const char *const words[] = {"--query", "--all", "--queryformat=" FORMAT, NULL};

    return ask(work, words, installed);
}

/* Whether a version is meant by another, which may leave out the epoch and the release. */
static bool is_version(const char *there, const char *wanted)
{
    const char *colon = strchr(there, ':');
    char *short_one = text_format("%s", there);
    char *release = strrchr(short_one, '-');

    if (release)
        *release = '\0';
    if (fnmatch(wanted, there, 0) == 0 || fnmatch(wanted, short_one, 0) == 0)
        return true;
    return colon && (fnmatch(wanted, colon + 1, 0) == 0 ||
                     fnmatch(wanted, short_one + (colon + 1 - there), 0) == 0);
}

static const struct installed_entry *find_listed(const struct installed *installed,
                                                 const char *name)
{
    const struct installed_entry *entry = installed_find(installed, name, NULL);
    const char *dot = strrchr(name, '.');

    if (!entry && dot)
        entry = installed_find(installed, text_format("%.*s", (int)(dot - name), name), dot + 1);
    return entry;
}

/* Groups, globs and URLs are nothing that the database knows. */
static bool can_be_asked(const char *name)
{
    return *name != '@' && !strstr(name, "://") && !name[strcspn(name, "*?[")];
}

void rpm_find(const struct work *work, const struct installed *installed, struct package *package)
{
    const struct installed_entry *entry = find_listed(installed, package->name);
    const char *const by_label[] = {"--query", "--queryformat=" FORMAT, "--", package->name, NULL};
    const char *const by_need[] = {"--query", "--whatprovides", "--queryformat=" FORMAT,
                                   "--",      package->name,    NULL};
    struct installed found = {0};

    package->now = entry ? entry->version : NULL;
    package->there = entry && (!package->version || is_version(entry->version, package->version));
    if (entry || package->version || !can_be_asked(package->name))
        return;
    /* A path is what a package has; by its label, rpm would look into the file. */
    if (*package->name == '/' || ask(work, by_label, &found) != 0) {
        found = (struct installed){0};
        if (ask(work, by_need, &found) != 0)
            return;
    }
    package->there = found.count > 0;
    if (found.count)
        package->now = text_format("%s %s", found.entries[0].name, found.entries[0].version);
}
