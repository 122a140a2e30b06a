/*
 * apt-sources: where apt gets packages from, and how: the key `apt`, in the part of cloud-init's
 * that is about apt.
 *
 * Each file is an item. The lists are renewed by the module packages, which runs after this one and
 * reads the same key.
 */
#include <bootlace/module.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <support/input.h>
#include <support/program.h>
#include <support/remember.h>
#include <support/tree.h>

#include "setup.h"

#include <apt-sources.schema.h>

#define CONF_PATH "/etc/apt/apt.conf.d/94bootlace-conf"
#define PROXY_PATH "/etc/apt/apt.conf.d/90bootlace-proxy"

enum { SELECTIONS_LIMIT_S = 120 };

static const char module_name[] = "apt-sources";

/* The archives where nothing else is said: the distributions' own. */
static void set_archives(struct setup *setup)
{
    bool ubuntu = strcmp(setup->distribution, "ubuntu") == 0;

    setup->primary = ubuntu ? "http://archive.ubuntu.com/ubuntu" : "http://deb.debian.org/debian";
    setup->security =
        ubuntu ? "http://security.ubuntu.com/ubuntu" : "http://deb.debian.org/debian-security";
}

/* A file of ours alone: with the text, or gone where there is none. */
static void put_or_remove(struct setup *setup, const char *path, const struct text *text,
                          mode_t mode)
{
    if (text->size)
        setup_put(setup, path, text, mode);
    else
        setup_remove(setup, path);
}

static void set_up_conf(struct setup *setup)
{
    const char *conf = setup_text(setup->settings, "conf");
    struct text text = {0};

    if (conf && *conf) {
        text_add_string(&text, conf);
        if (text.bytes[text.size - 1] != '\n')
            text_add_string(&text, "\n");
    }
    put_or_remove(setup, CONF_PATH, &text, SETUP_FILE_MODE);
}

static void set_up_proxies(struct setup *setup)
{
    static const struct text_word schemes[] = {{"proxy", "http"},
                                               {"http_proxy", "http"},
                                               {"https_proxy", "https"},
                                               {"ftp_proxy", "ftp"},
                                               {NULL, NULL}};
    struct text text = {0};
    bool secret = false;

    for (const struct text_word *one = schemes; one->name; one++) {
        const char *proxy = setup_text(setup->settings, one->name);

        if (!proxy || !*proxy)
            continue;
        if (proxy[strcspn(proxy, "\"\\\r\n;")]) {
            setup_fail(setup, one->name, "it is no URL");
            continue;
        }
        secret = secret || strchr(proxy, '@');
        text_add_format(&text, "Acquire::%s::Proxy \"%s\";\n", one->value, proxy);
    }
    put_or_remove(setup, PROXY_PATH, &text, secret ? SETUP_SECRET_MODE : SETUP_FILE_MODE);
}

/* Answers to questions of packages, which are secrets, some of them. Given once. */
static void set_up_selections(struct setup *setup)
{
    static const char *const argv[] = {"debconf-set-selections", NULL};
    const struct bootlace_host *host = setup->host;
    json_t *known = json_object_get(setup->state, "debconf"), *value;
    const char *name;

    if (!known) {
        known = text_need(json_object());
        json_object_set_new(setup->state, "debconf", known);
    }
    json_object_foreach((json_t *)json_object_get(setup->settings, "debconf_selections"), name,
                        value)
    {
        const char *item = text_format("debconf_selections of %s", name);
        const char *before = setup_text(known, name), *why = NULL;
        char digest[REMEMBER_DIGEST_MAX];
        struct text text = {0};
        int result = 0;

        remember_digest_json(digest, value);
        if (!before || strcmp(before, digest) != 0) {
            text_add_format(&text, "%s\n", json_is_string(value) ? json_string_value(value) : "");
            result = program_change(host, argv, &text, SELECTIONS_LIMIT_S, &why);
            if (result == 0)
                json_object_set_new(known, name, text_need(json_string(digest)));
            result = result < 0 ? result : 1;
        }
        outcome_item(&setup->outcome, host, item, result, -1, why);
    }
}

static int run(const struct bootlace_host *host, const char *text)
{
    struct setup setup = {.host = host, .state = remember_read(host, module_name)};
    struct input input;
    json_t *before = text_need(json_deep_copy(setup.state));
    int result = input_read(host, text, &input);

    if (result < 0)
        return result;
    setup.settings = json_object_get(input.settings, "apt");
    if (!json_is_object(setup.settings)) {
        host->note(host, "nothing is to be configured");
        return 0;
    }
    if (!tree_has(host, "/etc/apt")) {
        host->note(host, "apt is not here");
        return 0;
    }
    setup.distribution = tree_release(host, "ID");
    setup.release = tree_release(host, "VERSION_CODENAME");
    set_archives(&setup);
    set_up_proxies(&setup);
    set_up_conf(&setup);
    archive_set_up(&setup);
    sources_set_up(&setup);
    set_up_selections(&setup);
    if (!json_equal(before, setup.state)) {
        result = remember_write(host, module_name, setup.state);
        if (result < 0)
            host->log(host, BOOTLACE_WARNING, "what was done cannot be remembered: %s",
                      strerror(-result));
    }
    return outcome_end(&setup.outcome, host, "files and settings");
}

static const char *const keys[] = {"apt", NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = module_name,
    .version = BOOTLACE_VERSION,
    .summary = "configures where apt gets packages from",
    .keys = keys,
    .schema = schema,
    .frequency = BOOTLACE_PER_INSTANCE,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 600,
    .flags = BOOTLACE_REPEATABLE | BOOTLACE_BAKEABLE | BOOTLACE_TREE_STATE,
    .run = run,
};
