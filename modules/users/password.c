/* Passwords; see password.h. */
#include "password.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <support/input.h>
#include <support/program.h>
#include <support/remember.h>
#include <support/tree.h>
#include <sys/random.h>
#include <unistd.h>

#include "account.h"

enum { RANDOM_LENGTH = 20, SETTINGS_MODE = 0600, USERS_MAX = 1000 };

static const char sshd_main[] = "/etc/ssh/sshd_config";
/* The first word counts for sshd, so this one is before those of images. */
static const char sshd_own[] = "/etc/ssh/sshd_config.d/10-bootlace.conf";

/* Characters that nobody mistakes for others. */
static int make_password(char password[static RANDOM_LENGTH + 1])
{
    static const char letters[] = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    unsigned char byte;

    for (size_t i = 0; i < RANDOM_LENGTH;) {
        if (getrandom(&byte, 1, 0) != 1)
            return -EIO;
        /* Only whole multiples, so that no letter is likelier than others. */
        if (byte < 256 / (sizeof letters - 1) * (sizeof letters - 1))
            password[i++] = letters[byte % (sizeof letters - 1)];
    }
    password[RANDOM_LENGTH] = '\0';
    return 0;
}

static int show_on_console(const char *name, const char *password, const char **why)
{
    int fd = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);
    int result = fd < 0 || dprintf(fd, "bootlace: the password of %s is %s\r\n", name, password) < 0
                     ? -errno
                     : 0;

    if (fd >= 0)
        close(fd);
    if (result < 0)
        *why = text_format("the console cannot be written to: %s", strerror(-result));
    return result;
}

static int set_random(const struct bootlace_host *host, const char *name, const char **why)
{
    char password[RANDOM_LENGTH + 1];
    int result = make_password(password);

    if (result < 0) {
        *why = "there are no random numbers";
        return result;
    }
    /* Shown first: a password that nobody has seen would lock the account. */
    if (!host->dry_run)
        result = show_on_console(name, password, why);
    if (result == 0)
        result = account_password(host, name, password, false, why);
    explicit_bzero(password, sizeof password);
    return result;
}

static bool is_hash(const char *password)
{
    const char *second = *password == '$' ? strchr(password + 1, '$') : NULL;

    return second && strchr(second + 1, '$');
}

/* The module's own state: {"instance":…,"made_up":{"NAME":true}}. */
static const char module_name[] = "users";

struct work {
    const struct bootlace_host *host;
    struct outcome *outcome;
    bool expire;
    json_t *made_up; /* for whom a password was made up in this instance */
};

/* Made up once for an instance: a step that is tried again must not replace what somebody has read
 * from the console by now. In an image it would be everybody's, so there it is left. */
static int make_up(const struct work *work, const char *name, const char **why)
{
    int result;

    if (json_object_get(work->made_up, name))
        return 0;
    if (BOOTLACE_HAS(work->host, bake) && work->host->bake)
        return 0;
    result = set_random(work->host, name, why);
    if (result > 0)
        json_object_set_new(work->made_up, name, json_true());
    return result;
}

static void set_one(const struct work *work, const char *name, const char *password,
                    const char *type)
{
    const struct bootlace_host *host = work->host;
    const char *const argv[] = {"passwd", "--expire", name, NULL};
    bool random = type && strcmp(type, "RANDOM") == 0;
    struct account_entry entry;
    const char *why = NULL;
    int result;

    if (!name || !account_is_name(name) || account_find(host, name, &entry) <= 0) {
        outcome_item(work->outcome, host, "a password", -ENOENT, -1, "its user is not there");
        return;
    }
    result = random ? make_up(work, name, &why)
             : !password
                 ? -EINVAL
                 : account_password(host, name, password,
                                    type ? strcmp(type, "hash") == 0 : is_hash(password), &why);
    if (result == 1 && work->expire)
        result = program_change(host, argv, NULL, PROGRAM_LIMIT_S, &why) < 0 ? -EIO : 1;
    outcome_item(work->outcome, host, text_format("password of %s", name), result, -1,
                 why || result >= 0 ? why : "it has none");
}

/* NAME:PASSWORD, of which R and RANDOM make one up. */
static void set_pair(const struct work *work, const char *pair)
{
    char *name = text_format("%s", pair), *password = strchr(name, ':');
    bool random;

    if (password)
        *password++ = '\0';
    random = password && (strcmp(password, "R") == 0 || strcmp(password, "RANDOM") == 0);
    set_one(work, name, password, random ? "RANDOM" : NULL);
}

static void set_list(const struct work *work, const json_t *list)
{
    char *rest = json_is_string(list) ? text_format("%s", json_string_value(list)) : NULL, *line;
    const json_t *pair;
    size_t i;

    while (rest && (line = strsep(&rest, "\n"))) {
        line += strspn(line, " \t");
        if (*line)
            set_pair(work, line);
    }
    json_array_foreach(list, i, pair)
    {
        if (json_is_string(pair))
            set_pair(work, json_string_value(pair));
    }
}

/* What is remembered of this instance; of another's, nothing. The caller's. */
static json_t *read_state(const struct bootlace_host *host, const char *instance)
{
    json_t *state = remember_read(host, module_name);
    const char *known = json_string_value(json_object_get(state, "instance"));

    if (!known || strcmp(known, instance) != 0) {
        json_object_clear(state);
        json_object_set_new(state, "instance", text_need(json_string(instance)));
    }
    if (!json_is_object(json_object_get(state, "made_up")))
        json_object_set_new(state, "made_up", text_need(json_object()));
    return state;
}

void passwords_set(const struct bootlace_host *host, const json_t *settings, const char *instance,
                   const char *default_user, struct outcome *outcome)
{
    const json_t *group = json_object_get(settings, "chpasswd"), *one;
    const json_t *users = json_object_get(group, "users"), *list = json_object_get(group, "list");
    const char *password = json_string_value(json_object_get(settings, "password"));
    json_t *state = read_state(host, instance ? instance : "");
    struct work work = {.host = host,
                        .outcome = outcome,
                        .expire = true,
                        .made_up = json_object_get(state, "made_up")};
    size_t i;

    if (input_flag(host, group, "expire", &work.expire) < 0) {
        outcome_item(outcome, host, "chpasswd", -EINVAL, -1, "expire is neither true nor false");
        return;
    }
    if (password && !list)
        set_one(&work, default_user, password, NULL);
    set_list(&work, list);
    json_array_foreach(users, i, one)
    {
        const char *type = json_string_value(json_object_get(one, "type"));

        set_one(&work, json_string_value(json_object_get(one, "name")),
                json_string_value(json_object_get(one, "password")), type ? type : "hash");
    }
    if (json_object_size(work.made_up) && remember_write(host, module_name, state) < 0)
        host->log(host, BOOTLACE_WARNING, "that passwords were made up cannot be remembered");
    json_decref(state);
}

static void reload(const struct bootlace_host *host)
{
    const char *const argv[] = {"systemctl",   "--no-block",   "try-reload-or-restart",
                                "ssh.service", "sshd.service", NULL};
    const char *why;

    if (tree_is_running(host) && access("/run/systemd/system", F_OK) == 0 &&
        program_change(host, argv, NULL, PROGRAM_LIMIT_S, &why) < 0)
        host->log(host, BOOTLACE_INFO, "sshd was not told: %s", why);
}

int password_logins(const struct bootlace_host *host, const json_t *wish, const char **why)
{
    const char *word = json_string_value(wish);
    struct text main_text = {0}, own = {0};
    json_t *object;
    bool allowed = false;
    int result;

    if (!wish || json_is_null(wish) || (word && strcmp(word, "unchanged") == 0))
        return 0;
    object = json_pack("{s:O}", "ssh_pwauth", wish);
    result = input_flag(host, object, "ssh_pwauth", &allowed);
    json_decref(object);
    *why = "it is neither true, false nor unchanged";
    if (result < 0)
        return result;
    if (tree_read(host, sshd_main, &main_text, NULL) < 0 ||
        !strstr(text_string(&main_text), "sshd_config.d/")) {
        *why = text_format("%s is not there, or includes no sshd_config.d", sshd_main);
        return -ENOENT;
    }
    text_add_format(&own, "# Written by bootlace: ssh_pwauth.\nPasswordAuthentication %s\n",
                    allowed ? "yes" : "no");
    result = tree_put(host, sshd_own, &own, SETTINGS_MODE);
    if (result < 0)
        *why = text_format("%s cannot be written: %s", sshd_own, strerror(-result));
    if (result == 1 && !host->dry_run)
        reload(host);
    return result;
}
