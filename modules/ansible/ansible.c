/*
 * ansible: collections from Galaxy, playbooks pulled from a repository, and those that a controller
 * runs, by cloud-init's key of that name. The package is installed by the module packages, which
 * reads the key, too.
 */
#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <support/dump.h>
#include <support/errand.h>
#include <support/input.h>
#include <support/outcome.h>
#include <support/tree.h>

#include <ansible.schema.h>

struct ansible {
    const struct bootlace_host *host;
    const char *user, *config; /* or NULL */
    bool by_pip;
    struct outcome outcome;
};

/* What pip installs for an account is in a folder of its own. */
static int add_own_programs(struct errand *errand, const char *user, const char **why)
{
    const struct passwd *account = getpwnam(user);
    const char *path = getenv("PATH");

    return errand_variable(errand, "PATH",
                           text_format("%s/.local/bin:%s", account ? account->pw_dir : "",
                                       path ? path : "/usr/bin:/bin"),
                           why);
}

/* A new errand, as the settings say all of them are to be run. */
static int begin(const struct ansible *ansible, struct errand *errand, const char **why)
{
    int result = 0;

    *errand = (struct errand){0};
    if (ansible->user)
        result = errand_as(errand, ansible->user, why);
    /* Parts of Ansible fail without it. */
    else if (!getenv("HOME"))
        result = errand_variable(errand, "HOME", "/root", why);
    if (result == 0 && ansible->config)
        result = errand_variable(errand, "ANSIBLE_CONFIG", ansible->config, why);
    if (result == 0 && ansible->by_pip && ansible->user)
        result = add_own_programs(errand, ansible->user, why);
    return result;
}

static void end(struct ansible *ansible, const struct errand *errand, const char *item, int result,
                const char *why)
{
    int code = -1;

    if (result == 0)
        result = errand_run(ansible->host, errand, &code, &why);
    outcome_item(&ansible->outcome, ansible->host, item, result, code, why);
}

/* --name=value, with '-' for '_'; a flag that is set as --name alone. */
static int add_option(struct errand *errand, const char *name, const json_t *value,
                      const char **why)
{
    char *option = text_format("--%s", name);

    if (json_is_false(value) || json_is_null(value))
        return 0;
    for (char *at = option; *at; at++)
        *at = (char)(*at == '_' ? '-' : *at);
    return errand_word(
        errand, json_is_true(value) ? option : text_format("%s=%s", option, dump_word(value)), why);
}

/* All members but those that are no options. */
static int add_options(struct errand *errand, const json_t *settings, const char *const *others,
                       const char **why)
{
    const char *name;
    const json_t *value;
    int result = 0;

    json_object_foreach((json_t *)settings, name, value)
    {
        const char *const *other = others;

        while (*other && strcmp(*other, name) != 0)
            other++;
        if (!*other && result == 0)
            result = add_option(errand, name, value, why);
    }
    return result;
}

/* By Python's own installer, for the account alone where there is one. Distributions have pip
 * refuse to touch their Python unless told; here it is. */
static void install_by_pip(struct ansible *ansible, const char *package)
{
    static struct errand errand;
    const char *why = NULL;
    const char *const words[] = {
        "python3", "-m", "pip", "install", ansible->user ? "--user" : "--upgrade", package};
    int result = begin(ansible, &errand, &why);

    if (result == 0)
        result = errand_variable(&errand, "PIP_BREAK_SYSTEM_PACKAGES", "1", &why);
    for (size_t i = 0; result == 0 && i < sizeof words / sizeof *words; i++)
        result = errand_word(&errand, words[i], &why);
    end(ansible, &errand, text_format("pip install %s", package), result, why);
}

static void galaxy(struct ansible *ansible, const json_t *settings)
{
    static struct errand errand;
    const json_t *words;
    size_t i;

    json_array_foreach(json_object_get(settings, "actions"), i, words)
    {
        const char *first = json_string_value(json_array_get(words, 0)), *why = NULL;
        int result = begin(ansible, &errand, &why);

        if (!first || strcmp(first, "ansible-galaxy") != 0) {
            why = "its first word is not ansible-galaxy";
            result = -EINVAL;
        }
        if (result == 0)
            result = errand_words(&errand, words, NULL, &why);
        end(ansible, &errand, text_format("galaxy, action %zu", i + 1), result, why);
    }
}

static void pull_playbook(struct ansible *ansible, const json_t *settings, const char *playbook)
{
    static struct errand errand;
    static const char *const others[] = {"playbook_name", "playbook_names", NULL};
    const char *why = NULL;
    int result = begin(ansible, &errand, &why);

    if (result == 0)
        result = errand_word(&errand, "ansible-pull", &why);
    if (result == 0)
        result = add_options(&errand, settings, others, &why);
    if (result == 0)
        result = errand_word(&errand, playbook, &why);
    end(ansible, &errand, text_format("ansible-pull %s", playbook), result, why);
}

static void pull(struct ansible *ansible, const json_t *settings)
{
    const json_t *list = json_object_get(settings, "playbook_names"), *name;
    const char *one = json_string_value(json_object_get(settings, "playbook_name"));
    size_t i;

    if (one)
        pull_playbook(ansible, settings, one);
    json_array_foreach(list, i, name)
    {
        if (json_is_string(name))
            pull_playbook(ansible, settings, json_string_value(name));
    }
    if (!one && !json_array_size(list))
        outcome_item(&ansible->outcome, ansible->host, "ansible-pull", -EINVAL, -1,
                     "neither playbook_name nor playbook_names is given");
}

static void pull_all(struct ansible *ansible, const json_t *settings)
{
    const json_t *item;
    size_t i;

    if (json_is_object(settings))
        pull(ansible, settings);
    json_array_foreach(settings, i, item) pull(ansible, item);
}

static void clone(struct ansible *ansible, const json_t *settings)
{
    static struct errand errand;
    const char *path = json_string_value(json_object_get(settings, "path"));
    const char *source = json_string_value(json_object_get(settings, "source")), *why = NULL;
    const char *const words[] = {"git", "clone", "--", source, path};
    int result;

    if (!path || !source || tree_has(ansible->host, path)) {
        result = path && source ? 0 : -EINVAL;
        outcome_item(&ansible->outcome, ansible->host, path ? path : "a repository", result, -1,
                     result ? "path or source is missing" : "it is there already");
        return;
    }
    result = begin(ansible, &errand, &why);
    for (size_t i = 0; result == 0 && i < sizeof words / sizeof *words; i++)
        result = errand_word(&errand, words[i], &why);
    end(ansible, &errand, path, result, why);
}

static void play(struct ansible *ansible, const json_t *settings)
{
    static struct errand errand;
    static const char *const others[] = {"playbook_dir", "playbook_name", NULL};
    const char *playbook = json_string_value(json_object_get(settings, "playbook_name"));
    const char *why = NULL;
    int result = begin(ansible, &errand, &why);

    errand.folder = json_string_value(json_object_get(settings, "playbook_dir"));
    if (!playbook || !errand.folder) {
        why = "playbook_name or playbook_dir is missing";
        result = -EINVAL;
    }
    if (result == 0)
        result = errand_word(&errand, "ansible-playbook", &why);
    if (result == 0)
        result = errand_word(&errand, playbook, &why);
    if (result == 0)
        result = add_options(&errand, settings, others, &why);
    end(ansible, &errand, playbook ? text_format("ansible-playbook %s", playbook) : "a playbook",
        result, why);
}

static void control(struct ansible *ansible, const json_t *settings)
{
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(settings, "repositories"), i, item) clone(ansible, item);
    json_array_foreach(json_object_get(settings, "run_ansible"), i, item) play(ansible, item);
}

static int run(const struct bootlace_host *host, const char *input)
{
    struct ansible ansible = {.host = host};
    const char *method = "distro", *package = "ansible";
    const json_t *settings;
    struct input given;
    int result = input_read(host, input, &given);

    if (result < 0)
        return result;
    settings = json_object_get(given.settings, "ansible");
    result = input_text(host, settings, "install_method", &method);
    if (result == 0)
        result = input_text(host, settings, "package_name", &package);
    if (result == 0)
        result = input_text(host, settings, "run_user", &ansible.user);
    if (result == 0)
        result = input_text(host, settings, "ansible_config", &ansible.config);
    if (result < 0)
        return result;
    ansible.by_pip = strcmp(method, "pip") == 0;
    if (ansible.by_pip && *package != '-')
        install_by_pip(&ansible, package);
    galaxy(&ansible, json_object_get(settings, "galaxy"));
    pull_all(&ansible, json_object_get(settings, "pull"));
    control(&ansible, json_object_get(settings, "setup_controller"));
    return outcome_end(&ansible.outcome, host, "runs of Ansible");
}

static const char *const keys[] = {"ansible", NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "ansible",
    .version = BOOTLACE_VERSION,
    .summary = "runs Ansible",
    .keys = keys,
    .schema = schema,
    .frequency = BOOTLACE_PER_INSTANCE,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 876,
    .flags = BOOTLACE_NO_LIMIT,
    .run = run,
};
