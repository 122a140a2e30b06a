/*
 * zypper(8): SUSE and openSUSE.
 *
 * It renews its lists by itself where a repository says so (autorefresh).
 */
#include <support/text.h>

#include "manager.h"
#include "rpm.h"

/* Of zypper(8), "EXIT CODES": what is no failure of what was asked for. */
enum { REBOOT_NEEDED = 102, RESTART_NEEDED = 103, REPOSITORIES_SKIPPED = 106, SCRIPT_FAILED = 107 };

static const char *const families[] = {"suse", "opensuse", "sles", NULL};
static const char *const base[] = {"zypper", "--non-interactive", NULL};
static const char *const update[] = {"refresh", NULL};
static const char *const upgrade[] = {"update", "--auto-agree-with-licenses", NULL};
static const char *const install[] = {"install", "--auto-agree-with-licenses", NULL};

static const struct lock locks[] = {{"/run/zypp.pid", LOCK_PROCESS},
                                    {"/var/lib/rpm/.rpm.lock", LOCK_HELD},
                                    {"/usr/lib/sysimage/rpm/.rpm.lock", LOCK_HELD},
                                    {NULL, LOCK_HELD}};

static const struct symptom symptoms[] = {
    {SYMPTOM_UNKNOWN, "No provider of '{}=*' found.", "no package source has this version"},
    {SYMPTOM_UNKNOWN, "No provider of '{}' found.", "no package source has it"},
    {SYMPTOM_UNKNOWN, "Package '{}' not found.", "no package source has it"},
    {SYMPTOM_UNKNOWN, "Pattern '{}' not found.", "no package source has this pattern"},
    {SYMPTOM_FAILED, "*<> needed by*{}-*-*", NULL},
    {SYMPTOM_FAILED, "error: %*({}-*-*) scriptlet failed, <>", "its script failed: <>"},
    {SYMPTOM_REMARK, "warning: %*({}-*-*) scriptlet failed, <>", "its script failed: <>"},
    {SYMPTOM_ERROR, "Problem: <>", NULL},
    {SYMPTOM_ERROR, "Error: <>", NULL},
    {SYMPTOM_ERROR, "*'s metadata*failed*", NULL},
    {SYMPTOM_ERROR, "Problem retrieving *", NULL},
    {SYMPTOM_TRANSIENT, "*HTTP response: 429*", NULL},
    {SYMPTOM_TRANSIENT, "*HTTP response: 50*", NULL},
    {SYMPTOM_TRANSIENT, "*Timeout exceeded when accessing *", NULL},
    {SYMPTOM_TRANSIENT, "*Connection failed*", NULL},
    {SYMPTOM_STALE, "*.rpm*not found on medium*", NULL},
    {SYMPTOM_LOCKED, "System management is locked by *", NULL},
    {SYMPTOM_END, NULL, NULL},
};

static void add_tree(const struct work *work, struct words *words)
{
    words_add(words, "--root");
    words_add(words, work->host->root);
}

/* A version that is asked for may be older than what is there. */
static void add_options(struct package *const *packages, size_t count, struct words *words)
{
    for (size_t i = 0; i < count; i++) {
        if (packages[i]->version) {
            words_add(words, "--oldpackage");
            return;
        }
    }
}

static bool went_well(int exit_code)
{
    return exit_code == REBOOT_NEEDED || exit_code == RESTART_NEEDED ||
           exit_code == REPOSITORIES_SKIPPED || exit_code == SCRIPT_FAILED;
}

static const char *restart(const struct work *work)
{
    struct words argv = {0};
    struct text ignored = {0};

    words_add_all(&argv, base);
    if (work->outside)
        add_tree(work, &argv);
    words_add(&argv, "needs-rebooting");
    return manager_ask(work, argv.items, &ignored) == REBOOT_NEEDED
               ? "libraries or services that all others use were updated"
               : NULL;
}

const struct manager manager_zypper = {
    .name = "zypper",
    .program = "zypper",
    .families = families,
    .base = base,
    .update = update,
    .upgrade = upgrade,
    .install = install,
    .fetch_only = "--download-only",
    .locks = locks,
    .symptoms = symptoms,
    .add_tree = add_tree,
    .add_options = add_options,
    .went_well = went_well,
    .spec = manager_spec_by_equals,
    .list = rpm_list,
    .find = rpm_find,
    .restart = restart,
};
