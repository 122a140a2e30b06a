/* The keys that let people in; see keys.h. */
#include "keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <support/input.h>
#include <support/remember.h>
#include <support/tree.h>

#include "account.h"
#include "authorized.h"

enum { PUBLIC_KEYS_MAX = 64 };

/* Who wrote them: the module's own state, which `bootlace seal` has it forget. */
static const char module_name[] = "login-keys";

/* What root's keys say, where root is not to log in; cloud-init's words. */
static const char redirect[] =
    "no-port-forwarding,no-agent-forwarding,no-X11-forwarding,command=\"echo 'Please login as the "
    "user \\\"$USER\\\" rather than the user \\\"$DISABLE_USER\\\".';echo;sleep 10;exit 142\"";

/* The names that the distributions' own images have on EC2. */
static const struct text_word names[] = {
    {"amzn", "ec2-user"}, {"debian", "admin"},      {"ubuntu", "ubuntu"}, {"fedora", "fedora"},
    {"rhel", "ec2-user"}, {"centos", "ec2-user"},   {"rocky", "rocky"},   {"almalinux", "ec2-user"},
    {"sles", "ec2-user"}, {"opensuse", "ec2-user"}, {"alpine", "alpine"}, {"arch", "arch"},
    {NULL, "ec2-user"}};

/* Groups of the default user: those of them that there are. */
static const char default_groups[] =
    "adm,audio,cdrom,dialout,dip,floppy,netdev,plugdev,sudo,video,wheel,systemd-journal";

static void set_default(json_t *user, const char *key, json_t *value)
{
    if (!json_object_get(user, key))
        json_object_set(user, key, value);
    json_decref(value);
}

json_t *keys_default_user(const struct bootlace_host *host, const json_t *settings)
{
    const json_t *image = json_object_get(settings, "default_user");
    const json_t *own = json_object_get(settings, "user");
    json_t *user = text_need(json_object());
    const struct text_word *name = names;
    char *id = tree_release(host, "ID");

    while (name->name && strcmp(name->name, id) != 0)
        name++;
    if (json_is_string(image))
        json_object_set(user, "name", (json_t *)image);
    else if (json_is_object(image))
        json_object_update(user, (json_t *)image);
    if (json_is_string(own))
        json_object_set(user, "name", (json_t *)own);
    else if (json_is_object(own))
        json_object_update(user, (json_t *)own);
    set_default(user, "name", json_string(name->value));
    set_default(user, "gecos", json_string(json_string_value(json_object_get(user, "name"))));
    set_default(user, "sudo", json_string("ALL=(ALL) NOPASSWD:ALL"));
    if (!json_object_get(user, "groups"))
        json_object_set_new(user, "create_groups", json_false());
    set_default(user, "groups", json_string(default_groups));
    if (tree_has(host, "/bin/bash"))
        set_default(user, "shell", json_string("/bin/bash"));
    free(id);
    return user;
}

void keys_of_metadata(const struct bootlace_host *host, json_t *list)
{
    const char *listed = host->metadata(host, "public-keys/");
    char *rest = listed ? text_format("%s", listed) : NULL, *line;

    for (int i = 0; i < PUBLIC_KEYS_MAX && (line = strsep(&rest, "\n"));) {
        size_t digits = strspn(line, "0123456789");
        char *item;
        const char *key;

        if (!digits)
            continue;
        item = text_format("public-keys/%.*s/openssh-key", (int)digits, line);
        key = host->metadata(host, item);
        if (key)
            json_array_append_new(list, text_need(json_string(key)));
        free(item);
        i++;
    }
}

/* Adds a text's or a list's keys. 0, or the first failure's negative errno: the others are added.
 */
static int add_keys(struct authorized_keys *keys, const json_t *value)
{
    const json_t *one;
    size_t i;
    int result = 0;

    if (json_is_string(value))
        return authorized_add(keys, json_string_value(value));
    json_array_foreach(value, i, one)
    {
        int added = json_is_string(one) ? authorized_add(keys, json_string_value(one)) : 0;

        result = result ? result : added;
    }
    return result;
}

static int refuse(const char **why, int result, const char *what)
{
    *why =
        text_format(result == -E2BIG ? "there are too many %s" : "one of the %s is no key", what);
    return result;
}

static int write_keys(const struct bootlace_host *host, const char *name,
                      const struct authorized_keys *keys, const char *options,
                      const struct authorized_keys *old, const char **why)
{
    struct account_entry entry;
    struct authorized_home home;
    int result = account_find(host, name, &entry);

    if (result <= 0 && host->dry_run)
        return 1; /* it will be made */
    if (result <= 0 || !entry.home || *entry.home != '/') {
        *why = text_format("there is no user %s with a home here", name);
        return -ENOENT;
    }
    home = (struct authorized_home){.home = entry.home, .owner = entry.id, .group = entry.group};
    return authorized_write(host, &home, keys, options, old, why);
}

/* The blobs that were given to a user before, and are no longer this instance's. */
static void find_old(const json_t *state, const char *user, const struct authorized_keys *now,
                     struct authorized_keys *old)
{
    const json_t *blob, *blobs = json_object_get(json_object_get(state, "keys"), user);
    size_t i;

    json_array_foreach(blobs, i, blob)
    {
        const char *text = json_string_value(blob);
        bool still = false;

        for (size_t j = 0; text && j < now->count; j++)
            still = still || strcmp(authorized_blob(now->lines[j]), text) == 0;
        if (text && !still && old->count < AUTHORIZED_KEYS_MAX)
            old->lines[old->count++] = text;
    }
}

static void remember(json_t *state, const char *user, const struct authorized_keys *given)
{
    json_t *users = json_object_get(state, "keys"), *blobs = text_need(json_array());

    for (size_t i = 0; i < given->count; i++)
        json_array_append_new(blobs, text_need(json_string(authorized_blob(given->lines[i]))));
    if (!users) {
        users = text_need(json_object());
        json_object_set_new(state, "keys", users);
    }
    if (json_array_size(blobs))
        json_object_set(users, user, blobs);
    else
        json_object_del(users, user);
    json_decref(blobs);
}

struct gift {
    struct authorized_keys all;  /* of metadata and settings */
    struct authorized_keys lent; /* the metadata's */
    json_t *state;
};

/* 1, 0, or a negative errno, which the outcome has been told. */
static int give(const struct bootlace_host *host, struct gift *gift, const char *user,
                const char *options, struct outcome *outcome)
{
    struct authorized_keys old = {.count = 0};
    const char *why = NULL;
    int result;

    find_old(gift->state, user, &gift->all, &old);
    if (!gift->all.count && !old.count)
        return 0;
    result = write_keys(host, user, &gift->all, options, &old, &why);
    if (result >= 0)
        remember(gift->state, user, &gift->lent);
    outcome_item(outcome, host, text_format("keys of %s", user), result, -1, why);
    return result;
}

/* Who logs in as the one is told to do so as the other. */
static const char *fill_options(const char *options, const char *user, const char *disabled)
{
    const struct text_word words[] = {{"USER", user}, {"DISABLE_USER", disabled}, {NULL, NULL}};
    struct text out = {0};

    text_add_expanded(&out, options, words);
    return text_string(&out);
}

/* The options of root's keys; NULL where root may log in. What is wrong with them is told to the
 * outcome, and opens nothing. */
static const char *read_options(const struct bootlace_host *host, const json_t *settings,
                                const char *user, struct outcome *outcome)
{
    const char *given = redirect;
    bool disable = true;

    if (input_flag(host, settings, "disable_root", &disable) < 0)
        outcome_item(outcome, host, "disable_root", -EINVAL, -1, "it is neither true nor false");
    if (input_text(host, settings, "disable_root_opts", &given) < 0 || strpbrk(given, "\r\n")) {
        outcome_item(outcome, host, "disable_root_opts", -EINVAL, -1, "it is not one line of text");
        given = redirect;
    }
    return disable ? fill_options(given, user ? user : "NONE", "root") : NULL;
}

static void add_gift(const struct bootlace_host *host, struct authorized_keys *keys,
                     const json_t *list, const char *what, struct outcome *outcome)
{
    const char *why;
    int result = add_keys(keys, list);

    if (result < 0) {
        refuse(&why, result, what);
        outcome_item(outcome, host, what, result, -1, why);
    }
}

/* All keys that there are: one that is none costs nobody the others. */
static void gather(const struct bootlace_host *host, const json_t *settings, struct gift *gift,
                   struct outcome *outcome)
{
    json_t *list = text_need(json_array());
    bool allowed = true;

    if (input_flag(host, settings, "allow_public_ssh_keys", &allowed) < 0)
        outcome_item(outcome, host, "allow_public_ssh_keys", -EINVAL, -1,
                     "it is neither true nor false");
    if (allowed)
        keys_of_metadata(host, list);
    add_gift(host, &gift->lent, list, "metadata's public keys", outcome);
    gift->all = gift->lent;
    add_gift(host, &gift->all, json_object_get(settings, "ssh_authorized_keys"),
             "ssh_authorized_keys", outcome);
    json_decref(list);
}

/* Who was given keys before, and is no default user any more, has them no longer. */
static void take_from_others(const struct bootlace_host *host, struct gift *gift, const char *user,
                             struct outcome *outcome)
{
    struct gift nothing = {.state = gift->state};
    json_t *users = json_object_get(gift->state, "keys"), *blobs;
    const char *name;
    void *safe;

    json_object_foreach_safe(users, safe, name, blobs)
    {
        if (strcmp(name, "root") != 0 && (!user || strcmp(name, user) != 0))
            give(host, &nothing, text_format("%s", name), NULL, outcome);
    }
}

void keys_give(const struct bootlace_host *host, const json_t *settings, const json_t *user,
               struct outcome *outcome)
{
    const char *name = json_string_value(json_object_get(user, "name")), *why = NULL;
    const char *options = read_options(host, settings, name, outcome);
    struct gift gift = {.state = remember_read(host, module_name)};
    int result = 0, given;

    gather(host, settings, &gift, outcome);
    if (name && gift.all.count) {
        result = account_take(host, name, user, &why);
        outcome_item(outcome, host, name, result, -1, result < 0 ? why : NULL);
    }
    /* Where something else about the user went wrong, a key may do all the same. */
    if (name && (result >= 0 || account_is_name(name))) {
        given = give(host, &gift, name, NULL, outcome);
        result = result < 0 ? result : given;
    }
    /* Where nobody else can be let in as they should, root is. */
    give(host, &gift, "root", result < 0 ? NULL : options, outcome);
    take_from_others(host, &gift, name, outcome);
    result = remember_write(host, module_name, gift.state);
    if (result < 0)
        host->log(host, BOOTLACE_WARNING, "the keys cannot be remembered: %s", strerror(-result));
    json_decref(gift.state);
}

int keys_of_user(const struct bootlace_host *host, const char *name, const json_t *settings,
                 const char *default_user, const char **why)
{
    const json_t *own = json_object_get(settings, "ssh_authorized_keys");
    struct authorized_keys keys = {.count = 0}, none = {.count = 0};
    json_t *list;
    bool sent = false;
    int added = add_keys(&keys, own), result;

    *why = "ssh_redirect_user is neither true nor false";
    if (input_flag(host, settings, "ssh_redirect_user", &sent) < 0)
        return -EINVAL;
    if (keys.count && sent) {
        *why = "ssh_redirect_user and ssh_authorized_keys exclude each other";
        return -EINVAL;
    }
    if (keys.count || !sent) {
        result = keys.count ? write_keys(host, name, &keys, NULL, &none, why) : 0;
        return result >= 0 && added < 0 ? refuse(why, added, "ssh_authorized_keys") : result;
    }
    list = text_need(json_array());
    keys_of_metadata(host, list);
    result = add_keys(&keys, list);
    if (result < 0)
        return refuse(why, result, "metadata's public keys");
    *why = "ssh_redirect_user needs a default user";
    if (!default_user)
        return -EINVAL;
    return write_keys(host, name, &keys, fill_options(redirect, default_user, name), &none, why);
}

int keys_forget(const struct bootlace_host *host)
{
    const struct authorized_keys none = {.count = 0};
    json_t *state = remember_read(host, module_name), *blobs;
    struct outcome outcome = {0};
    const char *user;

    json_object_foreach(json_object_get(state, "keys"), user, blobs)
    {
        struct authorized_keys old = {.count = 0};
        const char *why = NULL;
        int result;

        find_old(state, user, &none, &old);
        result = write_keys(host, user, &none, NULL, &old, &why);
        outcome_item(&outcome, host, text_format("keys of %s", user), result, -1, why);
    }
    json_decref(state);
    return outcome_end(&outcome, host, "users' keys");
}
