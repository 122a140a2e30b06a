/*
 * dnf(8), yum(8) and microdnf(8): Fedora, Red Hat, Amazon Linux and their like. They share their
 * words; what is said of dnf holds for its fourth and fifth version.
 *
 * They look after their lists themselves, so these are renewed only where that is asked for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <support/program.h>
#include <support/tree.h>

#include "manager.h"
#include "restart.h"
#include "rpm.h"

enum { RESTART_WANTED = 1 };

static const char *const families[] = {"fedora", "rhel", "centos", "amzn", NULL};

static const char *const dnf[] = {"dnf", "--assumeyes", NULL};
static const char *const yum[] = {"yum", "--assumeyes", NULL};
static const char *const microdnf[] = {"microdnf", "--assumeyes", NULL};
static const char *const refresh[] = {"--refresh", "makecache", NULL};
static const char *const yum_refresh[] = {"makecache", NULL};
static const char *const upgrade[] = {"upgrade", NULL};
static const char *const install[] = {"install", NULL};

static const struct symptom symptoms[] = {
    {SYMPTOM_UNKNOWN, "No match for argument: {}", "no package source has it"},
    {SYMPTOM_UNKNOWN, "No package {} available.", "no package source has it"},
    {SYMPTOM_UNKNOWN, "error: No package matches '{}'", "no package source has it"},
    {SYMPTOM_UNKNOWN, "Module or Group '{}' is not available.", "no package source has this group"},
    {SYMPTOM_FAILED, "*- <> needed by {}-*-*", NULL},
    {SYMPTOM_FAILED, "*- package {}-*-* requires <>, but none of the providers can be installed",
     "it requires <>, which cannot be installed"},
    {SYMPTOM_FAILED, "error: %*({}-*-*) scriptlet failed, <>", "its script failed: <>"},
    {SYMPTOM_REMARK, "warning: %*({}-*-*) scriptlet failed, <>", "its script failed: <>"},
    {SYMPTOM_ERROR, "Error: <>", NULL},
    {SYMPTOM_ERROR, "error: <>", NULL},
    {SYMPTOM_ERROR, "Failed to <>", NULL},
    {SYMPTOM_TRANSIENT, "*Timeout was reached*", NULL},
    {SYMPTOM_TRANSIENT, "*Cannot download *All mirrors were tried*", NULL},
    {SYMPTOM_TRANSIENT, "*Downloading successful, but checksum doesn't match*", NULL},
    {SYMPTOM_STALE, "*.rpm*tatus code: 404*", NULL},
    {SYMPTOM_LOCKED, "*can't create transaction lock on *", NULL},
    {SYMPTOM_LOCKED, "Existing lock *: another copy is running as pid *", NULL},
    {SYMPTOM_LOCKED, "Another app is currently holding the yum lock*", NULL},
    {SYMPTOM_END, NULL, NULL},
};

/* dnf tells a package and its version by a dash alone. */
static const char *spec(const struct package *package)
{
    return package->version ? text_format("%s-%s", package->name, package->version) : package->name;
}

/* The release is that of the tree, which an empty one cannot tell by its packages. */
static void add_tree(const struct work *work, struct words *words)
{
    const char *release = tree_release(work->host, "VERSION_ID");

    words_add(words, text_format("--installroot=%s", work->host->root));
    if (*release)
        words_add(words, text_format("--releasever=%s", release));
}

/* By dnf's needs-restarting, which says by its exit code that a restart is wanted, and also that
 * there is no such plug-in; or by the program that yum has for it. */
static const char *restart(const struct work *work)
{
    static const char *const by_dnf[] = {"dnf", "needs-restarting", "--reboothint", NULL};
    static const char *const by_program[] = {"needs-restarting", "--reboothint", NULL};
    struct text text = {0};
    bool is_dnf = strcmp(work->manager->program, "dnf") == 0;
    int code = manager_ask(work, is_dnf ? by_dnf : by_program, &text);

    if (code == 0)
        return NULL;
    if (code == RESTART_WANTED && strstr(text_string(&text), "eboot is required"))
        return "libraries or services that all others use were updated";
    return restart_kernel(work);
}

const struct manager manager_dnf = {
    .name = "dnf",
    .program = "dnf",
    .families = families,
    .base = dnf,
    .update = refresh,
    .upgrade = upgrade,
    .install = install,
    .fetch_only = "--downloadonly",
    .locks = rpm_locks,
    .symptoms = symptoms,
    .add_tree = add_tree,
    .spec = spec,
    .list = rpm_list,
    .find = rpm_find,
    .restart = restart,
};

const struct manager manager_yum = {
    .name = "yum",
    .program = "yum",
    .families = families,
    .base = yum,
    .update = yum_refresh,
    .upgrade = upgrade,
    .install = install,
    .locks = rpm_locks,
    .symptoms = symptoms,
    .add_tree = add_tree,
    .spec = spec,
    .list = rpm_list,
    .find = rpm_find,
    .restart = restart,
};

const struct manager manager_microdnf = {
    .name = "microdnf",
    .program = "microdnf",
    .families = families,
    .base = microdnf,
    .update = refresh,
    .upgrade = upgrade,
    .install = install,
    .locks = rpm_locks,
    .symptoms = symptoms,
    .add_tree = add_tree,
    .spec = spec,
    .list = rpm_list,
    .find = rpm_find,
    .restart = restart,
};
