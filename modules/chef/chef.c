/*
 * chef: Chef Infra Client's folders, keys and configuration, and its run, by cloud-init's key of
 * that name. Its package is installed by the module packages, which reads the key, too.
 *
 * At every boot, as with cloud-init: the client runs as a daemon, which ends with the machine.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <support/dump.h>
#include <support/errand.h>
#include <support/input.h>
#include <support/outcome.h>
#include <support/program.h>
#include <support/tree.h>

#include <chef.schema.h>

enum { CONF_MODE = 0644, SECRET_MODE = 0600 };

static const char client[] = "/usr/bin/chef-client", client_rb[] = "/etc/chef/client.rb";
static const char firstboot[] = "/etc/chef/firstboot.json";

struct chef {
    const struct bootlace_host *host;
    const json_t *settings;
    const char *instance;
    struct outcome outcome;
};

/* A text of the settings, or what stands for it. */
static const char *text_of(const struct chef *chef, const char *key, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(chef->settings, key));

    return text ? text : otherwise;
}

static void end_item(struct chef *chef, const char *item, int result)
{
    outcome_item(&chef->outcome, chef->host, item, result, -1,
                 result < 0 ? strerror(-result) : NULL);
}

static void put(struct chef *chef, const char *path, const struct text *content, mode_t mode)
{
    end_item(chef, path, tree_put(chef->host, path, content, mode));
}

static void make_folder(struct chef *chef, const char *path)
{
    const char *const argv[] = {"mkdir", "-p", "--", path, NULL};
    const char *why = NULL;
    int result = 0;

    if (!tree_has(chef->host, path))
        result = program_change(chef->host, argv, NULL, PROGRAM_LIMIT_S, &why) < 0 ? -EIO : 1;
    outcome_item(&chef->outcome, chef->host, path, result, -1, why);
}

static void make_folders(struct chef *chef)
{
    static const char *const usual[] = {"/etc/chef",       "/var/log/chef",     "/var/lib/chef",
                                        "/var/cache/chef", "/var/backups/chef", "/var/run/chef"};
    const json_t *given = json_object_get(chef->settings, "directories"), *item;
    size_t i;

    for (i = 0; !given && i < sizeof usual / sizeof *usual; i++)
        make_folder(chef, usual[i]);
    json_array_foreach(given, i, item)
    {
        if (json_is_string(item))
            make_folder(chef, json_string_value(item));
    }
}

/* ---- client.rb ---- */

/* A text in Ruby's single quotes, where '\' and ''' alone mean something. */
static void add_quoted(struct text *out, const char *text)
{
    text_add_string(out, "'");
    for (; *text; text++)
        text_add_format(out, strchr("\\'", *text) ? "\\%c" : "%c", *text);
    text_add_string(out, "'\n");
}

static void add_setting(struct text *out, const char *name, const char *value)
{
    if (!value)
        return;
    text_add_format(out, "%s ", name);
    add_quoted(out, value);
}

static void write_client_rb(struct chef *chef)
{
    const struct {
        const char *name, *value;
    } settings[] = {
        {"chef_license", text_of(chef, "chef_license", NULL)},
        {"log_location", text_of(chef, "log_location", "/var/log/chef/client.log")},
        {"validation_client_name", text_of(chef, "validation_name", NULL)},
        {"validation_key", text_of(chef, "validation_cert", NULL)
                               ? text_of(chef, "validation_key", "/etc/chef/validation.pem")
                               : NULL},
        {"client_key", text_of(chef, "client_key", "/etc/chef/client.pem")},
        {"chef_server_url", text_of(chef, "server_url", NULL)},
        {"environment", text_of(chef, "environment", "_default")},
        {"node_name", text_of(chef, "node_name", chef->instance)},
        {"json_attribs", text_of(chef, "json_attribs", firstboot)},
        {"file_cache_path", text_of(chef, "file_cache_path", "/var/cache/chef")},
        {"file_backup_path", text_of(chef, "file_backup_path", "/var/backups/chef")},
        {"pid_file", text_of(chef, "pid_file", "/var/run/chef/client.pid")},
        {"encrypted_data_bag_secret", text_of(chef, "encrypted_data_bag_secret", NULL)}};
    struct text out = {0};

    /* Symbols, which the schema has looked at. */
    text_add_format(&out, "log_level %s\nssl_verify_mode %s\n", text_of(chef, "log_level", ":info"),
                    text_of(chef, "ssl_verify_mode", ":verify_peer"));
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        add_setting(&out, settings[i].name, settings[i].value);
    if (!json_is_false(json_object_get(chef->settings, "show_time")))
        text_add_string(&out, "Chef::Log::Formatter.show_time = true\n");
    put(chef, client_rb, &out, CONF_MODE);
}

/* ---- keys and attributes ---- */

/* Once the client has a key of its own, the validator's is of no use. */
static void write_validator(struct chef *chef)
{
    const char *certificate = text_of(chef, "validation_cert", NULL);
    struct text out = {0};

    if (!certificate || strcmp(certificate, "system") == 0 ||
        tree_has(chef->host, text_of(chef, "client_key", "/etc/chef/client.pem")))
        return;
    text_add_string(&out, certificate);
    put(chef, text_of(chef, "validation_key", "/etc/chef/validation.pem"), &out, SECRET_MODE);
}

static void write_firstboot(struct chef *chef)
{
    json_t *attributes = json_object_get(chef->settings, "initial_attributes");
    json_t *list = json_object_get(chef->settings, "run_list");
    json_t *whole = text_need(json_object());
    struct text out = {0};

    if (json_is_array(list))
        json_object_set(whole, "run_list", list);
    if (json_is_object(attributes))
        json_object_update(whole, attributes);
    if (json_object_size(whole)) {
        dump_json(&out, whole);
        put(chef, text_of(chef, "firstboot_path", firstboot), &out, SECRET_MODE);
    }
    json_decref(whole);
}

/* ---- its run ---- */

static void run_client(struct chef *chef, bool forget_validator)
{
    static struct errand errand;
    static const char *const usual[] = {"-d", "-i", "1800", "-s", "20", NULL};
    const char *path = text_of(chef, "validation_key", "/etc/chef/validation.pem");
    const char *why = NULL;
    int code = -1, result;

    errand = (struct errand){0};
    result = errand_word(&errand, client, &why);
    if (result == 0)
        result =
            errand_words(&errand, json_object_get(chef->settings, "exec_arguments"), usual, &why);
    if (result == 0)
        result = errand_run(chef->host, &errand, &code, &why);
    outcome_item(&chef->outcome, chef->host, "chef-client", result, code, why);
    if (result > 0 && forget_validator && tree_has(chef->host, path))
        end_item(chef, path, tree_remove(chef->host, path));
}

static int run(const struct bootlace_host *host, const char *input)
{
    struct chef chef = {.host = host};
    bool execute = false, forget = false;
    struct input given;
    int result = input_read(host, input, &given);

    if (result < 0)
        return result;
    chef.settings = json_object_get(given.settings, "chef");
    chef.instance = input_metadata(&given, "instance-id");
    if (!json_is_object(chef.settings)) {
        host->note(host, "nothing is to be set up");
        return 0;
    }
    result = input_flag(host, chef.settings, "exec", &execute);
    if (result == 0)
        result = input_flag(host, chef.settings, "delete_validation_post_exec", &forget);
    if (result < 0)
        return result;
    make_folders(&chef);
    write_validator(&chef);
    write_firstboot(&chef);
    write_client_rb(&chef);
    if (execute && !chef.outcome.failed)
        run_client(&chef, forget);
    return outcome_end(&chef.outcome, host, "parts of Chef's set-up");
}

static const char *const keys[] = {"chef", NULL};
static const char *const metadata[] = {"instance-id", NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "chef",
    .version = BOOTLACE_VERSION,
    .summary = "sets up Chef Infra Client",
    .keys = keys,
    .metadata = metadata,
    .schema = schema,
    .frequency = BOOTLACE_PER_BOOT,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 874,
    .flags = BOOTLACE_REPEATABLE | BOOTLACE_NO_LIMIT,
    .run = run,
};
