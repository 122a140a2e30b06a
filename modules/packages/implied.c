/* Packages that other keys ask for; see implied.h. */
#include "implied.h"

#include <string.h>
#include <support/input.h>
#include <support/tree.h>

/* puppet: {install, package_name, version}. Debian's package is puppet-agent since release 12. */
static int add_puppet(struct work *work, const json_t *settings)
{
    const char *name = manager_is(work->manager, "apt") ? "puppet-agent" : "puppet";
    const char *version = NULL;
    bool install = true;
    int result = input_flag(work->host, settings, "install", &install);

    if (result == 0)
        result = input_text(work->host, settings, "package_name", &name);
    if (result == 0)
        result = input_text(work->host, settings, "version", &version);
    return result < 0 || !install ? result : wish_add(work->host, &work->wish, name, version);
}

/* chef: {force_install}. A client that came another way is left in peace. */
static int add_chef(struct work *work, const json_t *settings)
{
    bool force = false;
    int result = input_flag(work->host, settings, "force_install", &force);

    if (result < 0 || (tree_has(work->host, "/usr/bin/chef-client") && !force))
        return result;
    return wish_add(work->host, &work->wish, "chef", NULL);
}

/* pip's package, as the managers' distributions call it. */
static const char *pip_of(const struct manager *manager)
{
    return manager_is(manager, "pacman") ? "python-pip"
           : manager_is(manager, "apk")  ? "py3-pip"
                                         : "python3-pip";
}

/* ansible: {install_method, package_name, pull}. What is pulled comes by git. */
static int add_ansible(struct work *work, const json_t *settings)
{
    const char *name = "ansible", *method = "distro";
    int result = input_text(work->host, settings, "package_name", &name);

    if (result == 0)
        result = input_text(work->host, settings, "install_method", &method);
    if (result == 0 && strcmp(method, "pip") == 0)
        result = wish_add(work->host, &work->wish, pip_of(work->manager), NULL);
    else if (result == 0 && !tree_has(work->host, "/usr/bin/ansible"))
        result = wish_add(work->host, &work->wish, name, NULL);
    if (result == 0 &&
        (json_object_get(settings, "pull") || json_object_get(settings, "setup_controller")))
        result = wish_add(work->host, &work->wish, "git", NULL);
    return result;
}

static const struct {
    const char *key;
    int (*add)(struct work *work, const json_t *settings);
} others[] = {{"puppet", add_puppet}, {"chef", add_chef}, {"ansible", add_ansible}};

enum { OTHERS = sizeof others / sizeof *others };

bool implied_any(const json_t *settings)
{
    for (size_t i = 0; i < OTHERS; i++) {
        if (json_is_object(json_object_get(settings, others[i].key)))
            return true;
    }
    return false;
}

int implied_add(struct work *work, const json_t *settings)
{
    int result = 0;

    for (size_t i = 0; i < OTHERS && result == 0; i++) {
        const json_t *given = json_object_get(settings, others[i].key);

        if (json_is_object(given))
            result = others[i].add(work, given);
    }
    return result;
}
