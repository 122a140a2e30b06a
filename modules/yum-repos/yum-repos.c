/*
 * yum-repos: the repositories of yum_repos, a file each as dnf.conf(5) and yum.conf(5) have them.
 *
 * The keys are cloud-init's. Each file is an item. The lists are renewed by the module packages,
 * which runs after this one and reads the same key.
 */
#include <bootlace/module.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <support/input.h>
#include <support/outcome.h>
#include <support/tree.h>

#include <yum-repos.schema.h>

#define STANDARD_FOLDER "/etc/yum.repos.d"

enum { FILE_MODE = 0644, SECRET_MODE = 0600, ID_MAX = 200, REAL_ROOM = 64 };

static const char id_characters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-";

static bool is_id(const char *id)
{
    return *id && *id != '.' && strlen(id) <= ID_MAX && strspn(id, id_characters) == strlen(id);
}

static bool is_line(const char *text)
{
    return !text[strcspn(text, "\r\n")];
}

/* A value as the file has it; false: it can be none. */
static bool add_value(const json_t *value, struct text *out)
{
    const json_t *item;
    size_t i;

    if (json_is_string(value) && is_line(json_string_value(value)))
        text_add_string(out, json_string_value(value));
    else if (json_is_boolean(value))
        text_add_string(out, json_is_true(value) ? "1" : "0");
    else if (json_is_integer(value))
        text_add_format(out, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        text_add_format(out, "%.15g", json_real_value(value));
    else if (json_is_array(value)) {
        json_array_foreach(value, i, item)
        {
            text_add_string(out, i ? "\n    " : "");
            if (json_is_array(item) || !add_value(item, out))
                return false;
        }
    } else
        return false;
    return true;
}

/* The file's text; NULL, or why it can be none. */
static const char *make_text(const char *id, const json_t *repository, struct text *out)
{
    const char *name;
    const json_t *value;

    if (!json_is_object(repository))
        return "it is no mapping";
    if (!json_object_get(repository, "baseurl") && !json_object_get(repository, "mirrorlist") &&
        !json_object_get(repository, "metalink"))
        return "it has none of baseurl, mirrorlist and metalink";
    text_add_format(out, "[%s]\n", id);
    if (!json_object_get(repository, "name"))
        text_add_format(out, "name=%s\n", id);
    json_object_foreach((json_t *)repository, name, value)
    {
        if (json_is_null(value))
            continue;
        if (!is_id(name))
            return "one of its keys is no name of a setting";
        text_add_format(out, "%s=", name);
        if (!add_value(value, out))
            return text_format("%s is neither a line, a number, true or false, nor a list of these",
                               name);
        text_add_string(out, "\n");
    }
    return NULL;
}

static bool has_secret(const json_t *repository)
{
    return json_object_get(repository, "password") || json_object_get(repository, "proxy_password");
}

static void put(const struct bootlace_host *host, struct outcome *outcome, const char *folder,
                const char *id, const json_t *repository)
{
    struct text text = {0};
    const char *why = is_id(id) ? make_text(id, repository, &text)
                                : "its name has other characters than letters, digits and _.:-";
    int result = why ? -EINVAL
                     : tree_put(host, text_format("%s/%s.repo", folder, id), &text,
                                has_secret(repository) ? SECRET_MODE : FILE_MODE);

    outcome_item(outcome, host, id, result, -1, why);
}

static int run(const struct bootlace_host *host, const char *input)
{
    const char *folder = NULL, *id;
    struct outcome outcome = {0};
    const json_t *repository;
    struct input given;
    int result = input_read(host, input, &given);

    if (result == 0)
        result = input_text(host, given.settings, "yum_repo_dir", &folder);
    if (result < 0)
        return result;
    if (folder && *folder != '/')
        return host->fail(host, EINVAL, "yum_repo_dir is no path that begins with /");
    if (!folder && !tree_has(host, STANDARD_FOLDER) && !tree_has(host, "/etc/dnf") &&
        !tree_has(host, "/etc/yum.conf")) {
        host->note(host, "neither dnf nor yum is here");
        return 0;
    }
    json_object_foreach((json_t *)json_object_get(given.settings, "yum_repos"), id, repository)
    {
        put(host, &outcome, folder ? folder : STANDARD_FOLDER, id, repository);
    }
    return outcome_end(&outcome, host, "repositories");
}

static const char *const keys[] = {"yum_repos", "yum_repo_dir", NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "yum-repos",
    .version = BOOTLACE_VERSION,
    .summary = "configures the repositories of dnf and yum",
    .keys = keys,
    .schema = schema,
    .frequency = BOOTLACE_PER_INSTANCE,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 600,
    .flags = BOOTLACE_REPEATABLE | BOOTLACE_BAKEABLE,
    .run = run,
};
