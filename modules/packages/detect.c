/*
 * Which package manager it is: the one that the distribution has, by os-release(5), or else the
 * first that is there; Debian has dnf, too, and Fedora apt.
 */
#include <errno.h>
#include <string.h>
#include <support/program.h>
#include <support/tree.h>
#include <unistd.h>

#include "manager.h"

/* In the order in which they are preferred within a family. */
static const struct manager *const managers[] = {
    &manager_apt,    &manager_dnf,    &manager_yum, &manager_microdnf,
    &manager_zypper, &manager_pacman, &manager_apk};

enum { MANAGERS = sizeof managers / sizeof *managers };

static const char *const folders[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
                                      "/usr/bin",        "/sbin",          "/bin"};

static bool has_program(const struct bootlace_host *host, const char *program)
{
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        if (tree_has(host, text_format("%s/%s", folders[i], program)))
            return true;
    }
    return false;
}

static bool is_of(const struct bootlace_host *host, const struct manager *manager)
{
    for (const char *const *family = manager->families; *family; family++) {
        if (tree_is_like(host, *family))
            return true;
    }
    return false;
}

/* The manager of the tree itself, or NULL. */
static const struct manager *find_inside(const struct bootlace_host *host)
{
    for (int family = 1; family >= 0; family--) {
        for (size_t i = 0; i < MANAGERS; i++) {
            if ((!family || is_of(host, managers[i])) && has_program(host, managers[i]->program))
                return managers[i];
        }
    }
    return NULL;
}

/* One of this machine that can work on the tree; a tree that says nothing gets what the machine
 * is. */
static const struct manager *find_outside(const struct bootlace_host *host)
{
    struct bootlace_host machine = *host;
    bool named = tree_has(host, "/etc/os-release") || tree_has(host, "/usr/lib/os-release");

    machine.root = "/";
    for (size_t i = 0; i < MANAGERS; i++) {
        if (managers[i]->add_tree && is_of(named ? host : &machine, managers[i]) &&
            has_program(&machine, managers[i]->program))
            return managers[i];
    }
    return NULL;
}

int manager_detect(struct work *work)
{
    const struct bootlace_host *host = work->host;

    work->manager = find_inside(host);
    work->outside = !work->manager;
    if (!work->manager && !tree_is_running(host))
        work->manager = find_outside(host);
    if (!work->manager)
        return host->fail(host, EOPNOTSUPP,
                          "there is no package manager here: none of apt-get, dnf, yum, microdnf, "
                          "zypper, pacman and apk");
    return 0;
}

bool manager_has_program(const struct work *work, const char *program)
{
    struct bootlace_host machine = *work->host;

    machine.root = "/";
    return has_program(work->outside ? &machine : work->host, program);
}
