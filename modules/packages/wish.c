/* What is asked for; see wish.h. */
#include "wish.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <support/input.h>
#include <support/text.h>

/* The managers that items may be meant for. */
static const char *const managers[] = {"apt",    "dnf", "yum",  "microdnf", "zypper",
                                       "pacman", "apk", "snap", NULL};

/*
 * A name becomes an argument of the manager: never an option, never two. A blank is in the names of
 * groups alone ("@Development Tools").
 */
static bool is_name(const char *name)
{
    size_t size = strlen(name);

    if (!size || size > WISH_NAME_MAX || *name == '-' || *name == '!')
        return false;
    for (const char *at = name; *at; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7f || (*at == ' ' && *name != '@'))
            return false;
    }
    /* apt takes this for: remove it. */
    return name[size - 1] != '-';
}

/* What snap takes in the place of a version, and nothing that would be more than that. */
static bool is_snap_option(const char *word)
{
    static const char *const whole[] = {"--stable", "--candidate", "--beta", "--edge", "--classic"};
    static const char *const begun[] = {"--channel=", "--revision="};

    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        if (strcmp(word, whole[i]) == 0)
            return true;
    }
    for (size_t i = 0; i < sizeof begun / sizeof *begun; i++) {
        size_t size = strlen(begun[i]);

        if (strncmp(word, begun[i], size) == 0 && is_name(word + size))
            return true;
    }
    return false;
}

static bool is_version(const char *version, const char *manager)
{
    return is_name(version) || (manager && strcmp(manager, "snap") == 0 && is_snap_option(version));
}

static int add(const struct bootlace_host *host, struct wish *wish, const char *manager,
               const char *name, const char *version)
{
    struct package *package = &wish->packages[wish->count];

    if (wish->count == WISH_PACKAGES_MAX)
        return host->fail(host, E2BIG, "packages has more than %d of them", WISH_PACKAGES_MAX);
    if (!name || !is_name(name) || (version && !is_version(version, manager)))
        return host->fail(host, EINVAL,
                          "packages: item %zu is neither the name of a package nor a list of name "
                          "and version",
                          wish->count + 1);
    *package = (struct package){
        .name = name,
        .version = version,
        .manager = manager,
        .label = version ? text_format("%s %s", name, version) : name,
    };
    wish->count++;
    return 0;
}

static int add_item(const struct bootlace_host *host, struct wish *wish, const char *manager,
                    const json_t *item)
{
    if (json_is_array(item) && json_array_size(item) == 2 &&
        json_is_string(json_array_get(item, 1)))
        return add(host, wish, manager, json_string_value(json_array_get(item, 0)),
                   json_string_value(json_array_get(item, 1)));
    if (json_is_array(item) && json_array_size(item) == 1)
        item = json_array_get(item, 0);
    return add(host, wish, manager, json_string_value(item), NULL);
}

static int add_for_managers(const struct bootlace_host *host, struct wish *wish,
                            const json_t *lists)
{
    const char *name;
    const json_t *list;

    json_object_foreach((json_t *)lists, name, list)
    {
        const char *const *manager = managers;
        size_t i;
        const json_t *item;

        while (*manager && strcmp(*manager, name) != 0)
            manager++;
        if (!*manager)
            return host->fail(host, EINVAL, "packages: %s is no package manager that is known here",
                              name);
        json_array_foreach(list, i, item)
        {
            int result = add_item(host, wish, *manager, item);

            if (result < 0)
                return result;
        }
    }
    return 0;
}

static int read_packages(const struct bootlace_host *host, const json_t *list, struct wish *wish)
{
    const json_t *item;
    size_t i;

    if (list && !json_is_null(list) && !json_is_array(list))
        return host->fail(host, EINVAL, "packages is no list");
    wish->packages = text_need(calloc(WISH_PACKAGES_MAX + 1, sizeof *wish->packages));
    json_array_foreach(list, i, item)
    {
        int result = json_is_object(item) ? add_for_managers(host, wish, item)
                                          : add_item(host, wish, NULL, item);

        if (result < 0)
            return result;
    }
    return 0;
}

int wish_add(const struct bootlace_host *host, struct wish *wish, const char *name,
             const char *version)
{
    for (size_t i = 0; i < wish->count; i++) {
        if (!wish->packages[i].manager && strcmp(wish->packages[i].name, name) == 0)
            return 0;
    }
    return add(host, wish, NULL, name, version);
}

static int read_number(const struct bootlace_host *host, const json_t *settings, const char *key,
                       unsigned *value)
{
    enum { NUMBER_MAX = 86400 };
    const json_t *given = json_object_get(settings, key);

    if (!given || json_is_null(given))
        return 0;
    if (!json_is_integer(given) || json_integer_value(given) < 0 ||
        json_integer_value(given) > NUMBER_MAX)
        return host->fail(host, EINVAL, "%s is no number from 0 to %d", key, NUMBER_MAX);
    *value = (unsigned)json_integer_value(given);
    return 0;
}

/* A flag by its name of today, or that of long ago. */
static int read_flag(const struct bootlace_host *host, const json_t *settings, const char *key,
                     const char *old_key, bool *value)
{
    int result = input_flag(host, settings, old_key, value);

    return result == 0 ? input_flag(host, settings, key, value) : result;
}

static int read_stop(const struct bootlace_host *host, const json_t *settings, struct wish *wish)
{
    const char *word = "continue";
    int result = input_text(host, settings, "package_on_error", &word);

    if (result < 0)
        return result;
    wish->stop = strcmp(word, "stop") == 0;
    if (!wish->stop && strcmp(word, "continue") != 0)
        return host->fail(host, EINVAL, "package_on_error is neither continue nor stop");
    return 0;
}

int wish_read(const struct bootlace_host *host, const json_t *settings, struct wish *wish)
{
    int result;

    *wish = (struct wish){.lock_wait_s = WISH_LOCK_WAIT_S, .retries = WISH_RETRIES};
    result = read_flag(host, settings, "package_update", "apt_update", &wish->update);
    if (result == 0)
        result = read_flag(host, settings, "package_upgrade", "apt_upgrade", &wish->upgrade);
    if (result == 0)
        result = read_flag(host, settings, "package_reboot_if_required", "apt_reboot_if_required",
                           &wish->reboot);
    if (result == 0)
        result = read_stop(host, settings, wish);
    if (result == 0)
        result = read_number(host, settings, "package_lock_wait", &wish->lock_wait_s);
    if (result == 0)
        result = read_number(host, settings, "package_retries", &wish->retries);
    if (result == 0)
        result = read_packages(host, json_object_get(settings, "packages"), wish);
    wish->sources =
        json_object_get(settings, "apt") != NULL || json_object_get(settings, "yum_repos") != NULL;
    return result;
}
