/* One account; see account.h. */
#include "account.h"

#include <crypt.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/accounts.h>
#include <support/input.h>
#include <support/program.h>
#include <support/tree.h>

#include "sudo.h"

enum { ARGUMENTS_MAX = 48, GROUPS_MAX = 256, FIELDS_MAX = 9, MAKE_LIMIT_S = 60 };

bool account_is_name(const char *name)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    size_t size = strlen(name);

    return size && size <= ACCOUNT_NAME_MAX && strchr(first, *name) &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-$@\\") ==
               size &&
           strspn(name, "0123456789") != size;
}

char *account_member(const json_t *list, size_t i)
{
    const char *text = json_string_value(list), *name;

    if (json_is_array(list)) {
        name = json_string_value(json_array_get(list, i));
        return name ? text_format("%s", name) : NULL;
    }
    if (json_is_object(list)) {
        void *at = json_object_iter((json_t *)list);

        while (at && i--)
            at = json_object_iter_next((json_t *)list, at);
        return at ? text_format("%s", json_object_iter_key(at)) : NULL;
    }
    while (text && *text) {
        size_t size;

        text += strspn(text, ", \t");
        size = strcspn(text, ",");
        name = text;
        text += size;
        while (size && strchr(" \t", name[size - 1]))
            size--;
        if (size && i-- == 0)
            return text_format("%.*s", (int)size, name);
    }
    return NULL;
}

/* A line's fields of the file whose first is the name; how many, 0 where there is none. */
static size_t find_line(const struct bootlace_host *host, const char *path, const char *name,
                        char *fields[FIELDS_MAX])
{
    struct text file = {0};
    char *rest, *line;
    size_t count = 0;

    if (tree_read(host, path, &file, NULL) < 0)
        return 0;
    for (rest = file.bytes; (line = strsep(&rest, "\n")) && !count;) {
        if (strncmp(line, name, strlen(name)) != 0 || line[strlen(name)] != ':')
            continue;
        while (count < FIELDS_MAX && (fields[count] = strsep(&line, ":")))
            count++;
    }
    return count; /* the fields live on in the text */
}

int account_find(const struct bootlace_host *host, const char *name, struct account_entry *entry)
{
    char *fields[FIELDS_MAX] = {0};
    int result = accounts_user(host, name, &entry->id);

    *entry = (struct account_entry){.id = entry->id, .home = NULL, .hash = ""};
    if (result <= 0)
        return result;
    if (find_line(host, "/etc/passwd", name, fields) < 6)
        return -ENOTSUP; /* an account of a directory's: it is not ours to change */
    entry->group = (gid_t)strtoul(fields[3], NULL, 10);
    entry->home = fields[5];
    if (find_line(host, "/etc/shadow", name, fields) > 1)
        entry->hash = fields[1];
    return 1;
}

struct arguments {
    const char *words[ARGUMENTS_MAX + 1];
    size_t count;
};

/* There is room for every option that there is. */
static void add(struct arguments *arguments, const char *option, const char *value)
{
    if (option)
        arguments->words[arguments->count++] = option;
    if (value)
        arguments->words[arguments->count++] = value;
}

static int run(const struct bootlace_host *host, const struct arguments *arguments,
               const struct text *input, const char **why)
{
    int result = program_change(host, arguments->words, input, MAKE_LIMIT_S, why);

    return result < 0 ? result : 1;
}

/* Whether the user is a member of the group, by its line. */
static bool is_member(const struct bootlace_host *host, const char *group, const char *user)
{
    char *fields[FIELDS_MAX] = {0}, *rest, *member;

    if (find_line(host, "/etc/group", group, fields) < 4)
        return false;
    for (rest = fields[3]; (member = strsep(&rest, ","));) {
        if (strcmp(member, user) == 0)
            return true;
    }
    return false;
}

static int join(const struct bootlace_host *host, const char *user, const char *groups,
                const char **why)
{
    struct arguments arguments = {.count = 0};

    add(&arguments, "usermod", NULL);
    add(&arguments, "--append", NULL);
    add(&arguments, "--groups", groups);
    add(&arguments, user, NULL);
    return run(host, &arguments, NULL, why);
}

int account_group(const struct bootlace_host *host, const char *name, const json_t *members,
                  const char **why)
{
    struct arguments arguments = {.count = 0};
    int changed = 0, result;
    char *member;
    gid_t id;

    if (!account_is_name(name)) {
        *why = "a group's name is none";
        return -EINVAL;
    }
    result = accounts_group(host, name, &id);
    add(&arguments, "groupadd", name);
    if (result == 0)
        changed = result = run(host, &arguments, NULL, why);
    for (size_t i = 0; result >= 0 && i < GROUPS_MAX && (member = account_member(members, i));
         i++) {
        if (!account_is_name(member)) {
            *why = text_format("a member of the group %s is no name", name);
            return -EINVAL;
        }
        if (is_member(host, name, member))
            continue;
        result = join(host, member, name, why);
        changed = 1;
    }
    return result < 0 ? result : changed;
}

/* The groups of an item, made where that is wanted, as a list with commas: those that it is not in.
 */
static int gather_groups(const struct bootlace_host *host, const char *user, const json_t *settings,
                         struct text *list, const char **why)
{
    const json_t *groups = json_object_get(settings, "groups");
    bool create = true;
    char *group;
    gid_t id;

    if (input_flag(host, settings, "create_groups", &create) < 0) {
        *why = "create_groups is neither true nor false";
        return -EINVAL;
    }
    for (size_t i = 0; i < GROUPS_MAX && (group = account_member(groups, i)); i++) {
        int result = 0;

        if (create || !account_is_name(group))
            result = account_group(host, group, NULL, why);
        else if (accounts_group(host, group, &id) <= 0)
            continue;
        if (result < 0)
            return result;
        if (!is_member(host, group, user))
            text_add_format(list, "%s%s", list->size ? "," : "", group);
    }
    return 0;
}

static const char *text_of(const json_t *settings, const char *key)
{
    const json_t *value = json_object_get(settings, key);

    if (json_is_integer(value))
        return text_format("%lld", (long long)json_integer_value(value));
    return json_string_value(value);
}

static bool is_set(const json_t *settings, const char *key)
{
    return json_is_true(json_object_get(settings, key));
}

static int make(const struct bootlace_host *host, const char *name, const json_t *settings,
                const char *groups, const char **why)
{
    static const struct {
        const char *key, *option;
    } texts[] = {{"gecos", "--comment"},
                 {"homedir", "--home-dir"},
                 {"primary_group", "--gid"},
                 {"shell", "--shell"},
                 {"expiredate", "--expiredate"},
                 {"inactive", "--inactive"},
                 {"selinux_user", "--selinux-user"},
                 {"uid", "--uid"}};
    struct arguments arguments = {.count = 0};
    const char *group = text_of(settings, "primary_group");
    gid_t id;
    int result = 0;

    if (group)
        result = account_group(host, group, NULL, why);
    if (result < 0)
        return result;
    add(&arguments, "useradd", NULL);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *value = text_of(settings, texts[i].key);

        if (value)
            add(&arguments, texts[i].option, value);
    }
    if (*groups)
        add(&arguments, "--groups", groups);
    if (is_set(settings, "system"))
        add(&arguments, "--system", NULL);
    if (is_set(settings, "no_log_init"))
        add(&arguments, "--no-log-init", NULL);
    if (is_set(settings, "no_user_group"))
        add(&arguments, "--no-user-group", NULL);
    else if (!group && accounts_group(host, name, &id) > 0)
        add(&arguments, "--gid", name);
    add(&arguments,
        is_set(settings, "no_create_home") || is_set(settings, "system") ? "--no-create-home"
                                                                         : "--create-home",
        NULL);
    add(&arguments, "--", name);
    return run(host, &arguments, NULL, why);
}

int account_password(const struct bootlace_host *host, const char *name, const char *password,
                     bool hashed, const char **why)
{
    struct arguments arguments = {.count = 0};
    struct account_entry entry;
    struct crypt_data *data = text_need(calloc(1, sizeof *data));
    struct text input = {0};
    const char *now = "", *same = NULL;
    bool unchanged;
    int result;

    if (account_find(host, name, &entry) > 0)
        now = entry.hash + strspn(entry.hash, "!");
    if (*now)
        same = hashed ? password : crypt_rn(password, now, data, sizeof *data);
    unchanged = same && strcmp(now, same) == 0;
    explicit_bzero(data, sizeof *data);
    free(data);
    if (unchanged)
        return 0;
    if (!*password || strpbrk(password, "\r\n") || (hashed && strchr(password, ':'))) {
        *why = text_format("the password of %s is empty, or has a line's end or a colon", name);
        return -EINVAL;
    }
    add(&arguments, "chpasswd", hashed ? "--encrypted" : NULL);
    text_add_format(&input, "%s:%s\n", name, password);
    result = run(host, &arguments, &input, why);
    explicit_bzero(input.bytes, input.size);
    return result;
}

/* Password and lock, in cloud-init's order: what is locked stays so, whatever password it has. */
static int take_password(const struct bootlace_host *host, const char *name, bool made,
                         const json_t *settings, const char **why)
{
    const char *fresh = text_of(settings, "passwd"), *hash = text_of(settings, "hashed_passwd");
    const char *plain = text_of(settings, "plain_text_passwd"),
               *lock_words[] = {"usermod", "--lock", name, NULL};
    struct account_entry entry = {.hash = ""};
    bool lock = true, locked;
    int result = 0, changed = 0;

    if (input_flag(host, settings, "lock-passwd", &lock) < 0 ||
        input_flag(host, settings, "lock_passwd", &lock) < 0) {
        *why = "lock_passwd is neither true nor false";
        return -EINVAL;
    }
    if (plain || hash || (fresh && made))
        result = account_password(host, name, plain ? plain : hash ? hash : fresh, !plain, why);
    changed = result > 0;
    if (result < 0 || !lock || account_find(host, name, &entry) < 0)
        return result < 0 ? result : changed;
    locked = *entry.hash == '!' || *entry.hash == '*';
    if (!locked && !host->dry_run)
        result = program_change(host, lock_words, NULL, PROGRAM_LIMIT_S, why);
    return result < 0 ? result : changed || !locked;
}

static int check(const json_t *settings, const char *name, const char **why)
{
    static const char *const texts[] = {"gecos", "homedir", "shell", "selinux_user", NULL};

    *why = text_format("%s is no name of a user", name);
    if (!account_is_name(name))
        return -EINVAL;
    for (size_t i = 0; texts[i]; i++) {
        const char *value = text_of(settings, texts[i]);

        *why = text_format("%s has a colon or a line's end, or begins with a dash", texts[i]);
        if (value && (strpbrk(value, ":\r\n") || *value == '-'))
            return -EINVAL;
    }
    *why = "snap users are not supported";
    if (json_object_get(settings, "snapuser"))
        return -ENOTSUP;
    *why = "ssh_import_id is not supported: keys come by ssh_authorized_keys";
    return json_object_get(settings, "ssh_import_id") ? -ENOTSUP : 0;
}

int account_take(const struct bootlace_host *host, const char *name, const json_t *settings,
                 const char **why)
{
    struct account_entry entry;
    struct text groups = {0};
    const json_t *sudo = json_object_get(settings, "sudo");
    int result = check(settings, name, why), changed = 0;
    bool there;

    if (result < 0)
        return result;
    result = account_find(host, name, &entry);
    if (result < 0) {
        *why = text_format("%s is not in /etc/passwd, but in a directory", name);
        return result;
    }
    there = result > 0;
    result = gather_groups(host, name, settings, &groups, why);
    if (result == 0 && !there)
        changed = result = make(host, name, settings, text_string(&groups), why);
    else if (result == 0 && groups.size)
        changed = result = join(host, name, text_string(&groups), why);
    if (result >= 0 && (there || !host->dry_run)) {
        result = take_password(host, name, !there, settings, why);
        changed |= result > 0;
    }
    if (result >= 0 && sudo) {
        result = sudo_take(host, name, sudo, why);
        changed |= result > 0;
    }
    return result < 0 ? result : changed;
}
