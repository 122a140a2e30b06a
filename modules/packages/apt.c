/*
 * apt-get(8) and dpkg(1): Debian, Ubuntu and their like.
 *
 * Nothing asks: debconf takes its defaults, dpkg keeps configuration files that were changed, and
 * what would show news or restart services by its own mind is kept still. "upgrade" is
 * dist-upgrade, as cloud-init has it: new kernels are packages of new names.
 */
#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <support/tree.h>

#include "manager.h"
#include "restart.h"

static const char *const families[] = {"debian", "ubuntu", NULL};

static const char *const base[] = {"apt-get",
                                   "--quiet",
                                   "--assume-yes",
                                   "--option=Dpkg::Options::=--force-confdef",
                                   "--option=Dpkg::Options::=--force-confold",
                                   "--option=Dpkg::Use-Pty=0",
                                   "--option=APT::Update::Error-Mode=any",
                                   NULL};
static const char *const update[] = {"update", NULL};
static const char *const upgrade[] = {"dist-upgrade", NULL};
static const char *const install[] = {"install", NULL};
static const char *const repair[] = {"dpkg",        "--force-confdef", "--force-confold",
                                     "--configure", "--pending",       NULL};

/* RUNLEVEL keeps init scripts from starting in a tree that does not run; see add_environment(). */
static const char *const environment[] = {
    "DEBIAN_FRONTEND=noninteractive", "APT_LISTCHANGES_FRONTEND=none", "APT_LISTBUGS_FRONTEND=none",
    "NEEDRESTART_SUSPEND=1",          "UCF_FORCE_CONFFOLD=1",          NULL};

static const struct lock locks[] = {{"/var/lib/dpkg/lock-frontend", LOCK_HELD},
                                    {"/var/lib/dpkg/lock", LOCK_HELD},
                                    {"/var/lib/apt/lists/lock", LOCK_HELD},
                                    {"/var/cache/apt/archives/lock", LOCK_HELD},
                                    {NULL, LOCK_HELD}};

static const struct symptom symptoms[] = {
    {SYMPTOM_UNKNOWN, "E: Unable to locate package {}", "no package source has it"},
    {SYMPTOM_UNKNOWN, "E: Package '{}' has no installation candidate", "no package source has it"},
    {SYMPTOM_UNKNOWN, "E: Version '*' for '{}' was not found",
     "no package source has this version"},
    {SYMPTOM_UNKNOWN, "E: Release '*' for '{}' was not found",
     "no package source has this release of it"},
    {SYMPTOM_UNKNOWN, "E: Couldn't find any package by glob '{}'", "no package source has it"},
    {SYMPTOM_UNKNOWN, "E: Couldn't find any package by regex '{}'", "no package source has it"},
    {SYMPTOM_UNKNOWN, "E: Couldn't find task '{}'", "no package source has this task"},
    {SYMPTOM_UNKNOWN, "E: Unsupported file {} given on commandline", "there is no such file"},
    {SYMPTOM_FAILED, "E: Package {} has no installation candidate", "no package source has it"},
    {SYMPTOM_FAILED, " {} : <>", NULL},
    {SYMPTOM_FAILED_BELOW, "dpkg: error processing package {} (--*", NULL},
    {SYMPTOM_FAILED_BELOW, "dpkg: error processing archive */{}_* (--*", NULL},
    {SYMPTOM_ERROR, "E: <>", NULL},
    {SYMPTOM_TRANSIENT, "*Hash Sum mismatch*", NULL},
    {SYMPTOM_TRANSIENT, "*File has unexpected size*", NULL},
    {SYMPTOM_TRANSIENT, "*Mirror sync in progress*", NULL},
    {SYMPTOM_TRANSIENT, "*Connection failed*", NULL},
    {SYMPTOM_TRANSIENT, "*Undetermined Error*", NULL},
    {SYMPTOM_TRANSIENT, "*Unable to connect to *", NULL},
    {SYMPTOM_STALE, "E: Failed to fetch *.deb *404 *", NULL},
    {SYMPTOM_LOCKED, "E: Could not get lock *", NULL},
    {SYMPTOM_LOCKED, "E: Unable to lock *", NULL},
    {SYMPTOM_LOCKED, "E: Unable to acquire the dpkg frontend lock *", NULL},
    {SYMPTOM_LOCKED, "dpkg: error: dpkg frontend lock *", NULL},
    {SYMPTOM_LOCKED, "dpkg: error: dpkg database lock *", NULL},
    {SYMPTOM_INTERRUPTED, "E: dpkg was interrupted, *", NULL},
    {SYMPTOM_END, NULL, NULL},
};

/* The parts of name[:architecture][=version] or name[:architecture]/release. */
struct parts {
    const char *name, *architecture, *version;
};

static struct parts split(const struct package *package)
{
    char *name = text_format("%s", package->name);
    struct parts parts = {.name = name, .version = package->version};
    char *end = name + strcspn(name, "=/");

    if (*end == '=' && !parts.version)
        parts.version = end + 1;
    *end = '\0';
    end = strchr(name, ':');
    if (end) {
        *end = '\0';
        parts.architecture =
            strcmp(end + 1, "any") == 0 || strcmp(end + 1, "native") == 0 ? NULL : end + 1;
    }
    return parts;
}

/* A version that is asked for may be older than what is there. */
static void add_options(struct package *const *packages, size_t count, struct words *words)
{
    for (size_t i = 0; i < count; i++) {
        if (split(packages[i]).version) {
            words_add(words, "--allow-downgrades");
            return;
        }
    }
}

static void take_line(struct installed *installed, char *line)
{
    struct installed_entry entry = {.name = installed_field(&line)};
    const char *state;

    entry.architecture = installed_field(&line);
    entry.version = installed_field(&line);
    state = installed_field(&line);
    entry.provides = installed_field(&line);
    if (state && strcmp(state, "installed") == 0)
        installed_add(installed, &entry);
}

static int list(const struct work *work, struct installed *installed)
{
    static const char *const argv[] = {
        "dpkg-query", "--show",
        "--showformat=${Package}\\t${Architecture}\\t${Version}\\t${db:Status-Status}\\t"
        "${Provides}\\n",
        NULL};

    return manager_list(work, argv, take_line, installed);
}

static void find(const struct work *work, const struct installed *installed,
                 struct package *package)
{
    struct parts parts = split(package);
    const struct installed_entry *entry = installed_find(installed, parts.name, parts.architecture);

    (void)work;
    package->now = entry ? entry->version : NULL;
    package->there = entry && (!parts.version || fnmatch(parts.version, entry->version, 0) == 0);
    if (entry || parts.version || strchr(package->name, '/'))
        return;
    entry = installed_provider(installed, parts.name);
    package->there = entry != NULL;
    package->now = entry ? text_format("%s %s", entry->name, entry->version) : NULL;
}

/* Debian's packages ask for a restart by a file, with the packages' names in another. */
static const char *restart(const struct work *work)
{
    const struct bootlace_host *host = work->host;
    struct text names = {0};

    if (!tree_has(host, "/run/reboot-required"))
        return restart_kernel(work);
    tree_read(host, "/run/reboot-required.pkgs", &names, NULL);
    for (char *at = names.bytes; at && *at; at++) {
        if (*at == '\n')
            *at = ' ';
    }
    return names.size ? text_format("packages ask for it: %s", names.bytes) : "packages ask for it";
}

const struct manager manager_apt = {
    .name = "apt",
    .program = "apt-get",
    .families = families,
    .base = base,
    .update = update,
    .upgrade = upgrade,
    .install = install,
    .fetch_only = "--download-only",
    .repair = repair,
    .environment = environment,
    .lists = "/var/lib/apt/lists",
    .lists_first = true,
    .locks = locks,
    .symptoms = symptoms,
    .add_options = add_options,
    .spec = manager_spec_by_equals,
    .list = list,
    .find = find,
    .restart = restart,
};
