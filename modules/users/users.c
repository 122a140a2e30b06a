/*
 * users: groups, users, their keys and passwords, as cloud-init has them; in place 130, before
 * files are written that are theirs.
 */
#include <bootlace/module.h>
#include <errno.h>
#include <string.h>
#include <support/input.h>
#include <support/outcome.h>
#include <support/text.h>

#include "account.h"
#include "keys.h"
#include "password.h"

#include <users.schema.h>

enum { USERS_MAX = 1000 };

static void take_group(const struct bootlace_host *host, const char *name, const json_t *members,
                       struct outcome *outcome)
{
    const char *why = NULL;
    int result = account_group(host, name, members, &why);

    outcome_item(outcome, host, text_format("group %s", name), result, -1, why);
}

/* A text, a list of texts and of {name: members}, or {name: members}. */
static void take_groups(const struct bootlace_host *host, const json_t *groups,
                        struct outcome *outcome)
{
    const json_t *one;
    json_t *members;
    const char *name;
    size_t i;

    json_object_foreach((json_t *)groups, name, members)
    {
        take_group(host, name, members, outcome);
    }
    json_array_foreach(groups, i, one)
    {
        take_groups(host, one, outcome);
    }
    for (i = 0; json_is_string(groups) && i < USERS_MAX && (name = account_member(groups, i)); i++)
        take_group(host, name, NULL, outcome);
}

static void take_user(const struct bootlace_host *host, const char *name, const json_t *settings,
                      const char *default_user, struct outcome *outcome)
{
    const char *why = NULL;
    int keys, result = account_take(host, name, settings, &why);

    if (result >= 0) {
        keys = keys_of_user(host, name, settings, default_user, &why);
        result = keys < 0 ? keys : result || keys;
    }
    outcome_item(outcome, host, name, result, -1, result < 0 ? why : NULL);
}

/* Whether `default` is among them: a text, a list, or a mapping by name. */
static bool has_default(const json_t *users)
{
    const json_t *one;
    const char *name;
    size_t i;

    for (i = 0; json_is_string(users) && i < USERS_MAX && (name = account_member(users, i)); i++) {
        if (strcmp(name, "default") == 0)
            return true;
    }
    json_array_foreach(users, i, one)
    {
        name = json_is_object(one) ? json_string_value(json_object_get(one, "name"))
                                   : json_string_value(one);
        if (name && strcmp(name, "default") == 0)
            return true;
    }
    return json_object_get(users, "default") != NULL;
}

static void take_named(const struct bootlace_host *host, const char *name, const json_t *settings,
                       const char *default_user, struct outcome *outcome)
{
    if (!name)
        outcome_item(outcome, host, "a user without a name", -EINVAL, -1, NULL);
    else if (strcmp(name, "default") != 0)
        take_user(host, name, settings, default_user, outcome);
}

static void take_users(const struct bootlace_host *host, const json_t *users,
                       const char *default_user, struct outcome *outcome)
{
    json_t *settings;
    const json_t *one;
    const char *name;
    size_t i;

    for (i = 0; json_is_string(users) && i < USERS_MAX && (name = account_member(users, i)); i++)
        take_named(host, name, NULL, default_user, outcome);
    json_array_foreach(users, i, one)
    {
        name = json_is_object(one) ? json_string_value(json_object_get(one, "name"))
                                   : json_string_value(one);
        take_named(host, name, json_is_object(one) ? one : NULL, default_user, outcome);
    }
    json_object_foreach((json_t *)users, name, settings)
    {
        take_named(host, name, settings, default_user, outcome);
    }
}

static int run(const struct bootlace_host *host, const char *input)
{
    struct outcome outcome = {0};
    const json_t *settings, *users;
    const char *default_user = NULL, *why = NULL;
    json_t *own = NULL;
    struct input given;
    int result = input_read(host, input, &given);

    if (result < 0)
        return result;
    /* Whose key logs in, and a password that is made up, are each instance's own. */
    if (BOOTLACE_HAS(host, leave) && host->bake)
        host->leave(host, "the metadata's keys, for each instance");
    settings = given.settings;
    users = json_object_get(settings, "users");
    take_groups(host, json_object_get(settings, "groups"), &outcome);
    if (!users || has_default(users)) {
        own = keys_default_user(host, settings);
        default_user = json_string_value(json_object_get(own, "name"));
    }
    /* It is there where it is asked for, and not only where there is a key for it. */
    if (own &&
        (users || json_object_get(settings, "user") || json_object_get(settings, "password")))
        take_user(host, default_user, own, default_user, &outcome);
    keys_give(host, settings, own, &outcome);
    take_users(host, users, default_user, &outcome);
    passwords_set(host, settings, input_metadata(&given, "instance-id"), default_user, &outcome);
    result = password_logins(host, json_object_get(settings, "ssh_pwauth"), &why);
    if (result)
        outcome_item(&outcome, host, "ssh_pwauth", result, -1, result < 0 ? why : NULL);
    json_decref(own);
    return outcome_end(&outcome, host, "users and groups");
}

static const char *const keys[] = {"users",    "user",       "groups", "password",
                                   "chpasswd", "ssh_pwauth", NULL};
static const char *const reads[] = {"ssh_authorized_keys", "allow_public_ssh_keys", "disable_root",
                                    "disable_root_opts",   "default_user",          NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "users",
    .version = BOOTLACE_VERSION,
    .summary = "makes groups and users, with their keys and passwords",
    .keys = keys,
    .schema = schema,
    .frequency = BOOTLACE_PER_INSTANCE,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 130,
    .flags = BOOTLACE_REPEATABLE | BOOTLACE_BAKEABLE,
    .run = run,
    .reads = reads,
};
