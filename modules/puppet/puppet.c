/*
 * puppet: the Puppet agent's configuration, certificate, service and first run, by cloud-init's key
 * of that name. Its package is installed by the module packages, which reads the key, too.
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
#include <unistd.h>

#include "conf.h"

#include <puppet.schema.h>

enum { CONF_MODE = 0644, SECRET_MODE = 0600, ASK_LIMIT_S = 60 };

static const char all_in_one[] = "/opt/puppetlabs/bin/puppet";

struct agent {
    const struct bootlace_host *host;
    const struct input *given;
    const json_t *settings;
    const char *program;
    const char *conf_file, *ssl_dir, *csr_attributes; /* NULL: not known */
    struct outcome outcome;
};

/* ---- where things are ---- */

/* "ssldir = /var/lib/puppet/ssl" */
static void take_place(struct agent *agent, const char *line)
{
    const char *equals = strstr(line, " = ");
    const struct {
        const char *name;
        const char **place;
    } places[] = {{"config", &agent->conf_file},
                  {"ssldir", &agent->ssl_dir},
                  {"csr_attributes", &agent->csr_attributes}};

    for (size_t i = 0; equals && i < sizeof places / sizeof *places; i++) {
        if (!*places[i].place && strlen(places[i].name) == (size_t)(equals - line) &&
            strncmp(line, places[i].name, strlen(places[i].name)) == 0)
            *places[i].place = text_format("%s", equals + strlen(" = "));
    }
}

/* What the settings don't say, Puppet is asked for: a second of its time. */
static int find_places(struct agent *agent)
{
    const struct bootlace_host *host = agent->host;
    const char *const argv[] = {agent->program, "config",         "print", "config",
                                "ssldir",       "csr_attributes", NULL};
    struct text said = {0};
    char *line, *rest;
    int code;

    if (input_text(host, agent->settings, "conf_file", &agent->conf_file) < 0 ||
        input_text(host, agent->settings, "ssl_dir", &agent->ssl_dir) < 0 ||
        input_text(host, agent->settings, "csr_attributes_path", &agent->csr_attributes) < 0)
        return -EINVAL;
    if (agent->conf_file && agent->ssl_dir && agent->csr_attributes)
        return 0;
    code = program_ask(host, argv, ASK_LIMIT_S, &said);
    if (code == -ENOENT && host->dry_run) {
        host->log(host, BOOTLACE_INFO, "where its files are is not known before it is installed");
        return 0;
    }
    if (code == -ENOENT)
        return host->fail(host, ENOENT, "puppet is not installed: install: true brings it");
    if (code != 0)
        return host->fail(host, EIO, "puppet config print does not say where its files are");
    rest = said.bytes;
    while (rest && (line = strsep(&rest, "\n")))
        take_place(agent, line);
    return agent->conf_file && agent->ssl_dir && agent->csr_attributes
               ? 0
               : host->fail(host, EIO, "puppet config print does not say where its files are");
}

/* ---- puppet.conf ---- */

/* The name as it is asked for, %i being the instance's id and %f the machine's full name. */
static const char *certname(const struct agent *agent, const char *wanted)
{
    const char *const ask[] = {"hostname", "--fqdn", NULL};
    struct text name = {0}, full = {0};

    if (strstr(wanted, "%f") && program_ask(agent->host, ask, ASK_LIMIT_S, &full) == 0)
        full.bytes[strcspn(full.bytes, "\n")] = '\0';
    for (const char *at = wanted; *at; at++) {
        const char *id = input_metadata(agent->given, "instance-id");

        if (strncmp(at, "%f", 2) == 0 && *text_string(&full))
            text_add_string(&name, text_string(&full)), at++;
        else if (strncmp(at, "%i", 2) == 0 && id)
            text_add_string(&name, id), at++;
        else
            text_add(&name, at, 1);
    }
    for (char *at = name.bytes; at && *at; at++)
        *at = (char)(*at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at);
    return text_string(&name);
}

static bool is_line(const char *text)
{
    return !text[strcspn(text, "\r\n")];
}

static int set_section(const struct agent *agent, struct text *conf, const char *section,
                       const json_t *wanted, const char **why)
{
    const char *setting;
    const json_t *value;

    json_object_foreach((json_t *)wanted, setting, value)
    {
        const char *word = dump_word(value);

        if (!*setting || !is_line(setting) || strpbrk(setting, "=[]#") || !is_line(word)) {
            *why = text_format("conf.%s has a setting that is not one line", section);
            return -EINVAL;
        }
        conf_set(conf, section, setting,
                 strcmp(setting, "certname") == 0 ? certname(agent, word) : word);
    }
    return 0;
}

static int write_conf(struct agent *agent, const json_t *wanted, const char **why)
{
    struct text conf = {0};
    struct stat info = {.st_mode = CONF_MODE};
    const char *section;
    const json_t *settings;
    int result = tree_read(agent->host, agent->conf_file, &conf, &info);

    if (result == -ENOENT)
        result = 0;
    if (result < 0)
        *why = text_format("it cannot be read: %s", strerror(-result));
    json_object_foreach((json_t *)wanted, section, settings)
    {
        if (result == 0 && json_is_object(settings))
            result = set_section(agent, &conf, section, settings, why);
    }
    if (result < 0)
        return result;
    result = agent->host->put_file(agent->host, agent->conf_file, text_string(&conf), conf.size,
                                   &(struct bootlace_file){.size = sizeof(struct bootlace_file),
                                                           .mode = info.st_mode & 07777,
                                                           .owner = info.st_uid,
                                                           .group = info.st_gid});
    if (result < 0)
        *why = text_format("it cannot be written: %s", strerror(-result));
    return result;
}

/* One of Puppet's files, as an item of its path. */
static void put(struct agent *agent, const char *path, const struct text *content, mode_t mode)
{
    int result = tree_put(agent->host, path, content, mode);

    outcome_item(&agent->outcome, agent->host, path, result, -1,
                 result < 0 ? strerror(-result) : NULL);
}

static void configure(struct agent *agent)
{
    const json_t *conf = json_object_get(agent->settings, "conf");
    const json_t *attributes = json_object_get(agent->settings, "csr_attributes");
    const char *certificate = json_string_value(json_object_get(conf, "ca_cert"));
    struct text text = {0};

    if (json_object_size(conf) > (certificate != NULL) && agent->conf_file) {
        const char *why = NULL;
        int result = write_conf(agent, conf, &why);

        outcome_item(&agent->outcome, agent->host, agent->conf_file, result, -1, why);
    }
    if (certificate && agent->ssl_dir) {
        text_add_string(&text, certificate);
        put(agent, text_format("%s/certs/ca.pem", agent->ssl_dir), &text, CONF_MODE);
    }
    if (json_is_object(attributes) && agent->csr_attributes) {
        text = (struct text){0};
        dump_yaml(&text, attributes);
        put(agent, agent->csr_attributes, &text, SECRET_MODE);
    }
}

/* ---- service and run ---- */

/* The packages of Debian and of Puppet call their unit puppet, others puppet-agent. */
static const char *find_unit(const struct bootlace_host *host)
{
    static const char *const units[] = {"puppet.service", "puppet-agent.service"};
    struct text ignored = {0};

    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        const char *const argv[] = {"systemctl", "cat", units[i], NULL};

        if (program_ask(host, argv, ASK_LIMIT_S, &ignored) == 0)
            return units[i];
    }
    return units[0];
}

/* Enabled, and begun without waiting: the boot that it is ordered behind may wait for us. One that
 * runs already reads what was changed. */
static void start_service(struct agent *agent, bool changed)
{
    const struct bootlace_host *host = agent->host;
    const char *unit = find_unit(host), *why = NULL;
    const char *const enabled[] = {"systemctl", "is-enabled", "--quiet", unit, NULL};
    const char *const active[] = {"systemctl", "is-active", "--quiet", unit, NULL};
    const char *const enable[] = {"systemctl", "enable", unit, NULL};
    const char *const start[] = {"systemctl", "--no-block", changed ? "restart" : "start", unit,
                                 NULL};
    struct text ignored = {0};
    int result = 0;

    if (program_ask(host, enabled, ASK_LIMIT_S, &ignored) != 0)
        result = program_change(host, enable, NULL, PROGRAM_LIMIT_S, &why) < 0 ? -EIO : 1;
    if (result >= 0 && (changed || program_ask(host, active, ASK_LIMIT_S, &ignored) != 0))
        result = program_change(host, start, NULL, PROGRAM_LIMIT_S, &why) < 0 ? -EIO : 1;
    outcome_item(&agent->outcome, host, unit, result, -1, why);
}

static bool has_details(const char *argument)
{
    return strcmp(argument, "--test") == 0 || strcmp(argument, "-t") == 0 ||
           strcmp(argument, "--detailed-exitcodes") == 0;
}

/* `puppet agent --test`: with --test, exit code 2 says that something was changed. */
static void run_agent(struct agent *agent)
{
    static struct errand errand;
    static const int codes[] = {0, 2};
    static const char *const usual[] = {"--test", NULL};
    const char *why = NULL;
    int code = -1, result;

    errand = (struct errand){.codes = codes, .code_count = 1};
    result = errand_word(&errand, agent->program, &why);
    if (result == 0)
        result = errand_word(&errand, "agent", &why);
    if (result == 0)
        result = errand_words(&errand, json_object_get(agent->settings, "exec_args"), usual, &why);
    for (size_t i = 0; i < errand.words; i++)
        errand.code_count = has_details(errand.argv[i]) ? 2 : errand.code_count;
    if (result == 0)
        result = errand_run(agent->host, &errand, &code, &why);
    outcome_item(&agent->outcome, agent->host, "puppet agent", result, code, why);
}

static int run(const struct bootlace_host *host, const char *input)
{
    struct agent agent = {.host = host, .program = "puppet"};
    bool service = true, execute = false;
    struct input given;
    int result = input_read(host, input, &given);

    if (result < 0)
        return result;
    agent.given = &given;
    agent.settings = json_object_get(given.settings, "puppet");
    if (!json_is_object(agent.settings)) {
        host->note(host, "nothing is to be set up");
        return 0;
    }
    if (tree_has(host, all_in_one))
        agent.program = all_in_one;
    result = input_flag(host, agent.settings, "start_service", &service);
    if (result == 0)
        result = input_flag(host, agent.settings, "exec", &execute);
    if (result == 0)
        result = find_places(&agent);
    if (result < 0)
        return result;
    configure(&agent);
    if (!agent.outcome.failed) {
        bool changed = agent.outcome.changed;

        /* Two runs at once would be in each other's way. */
        if (execute)
            run_agent(&agent);
        if (service)
            start_service(&agent, changed);
    }
    return outcome_end(&agent.outcome, host, "parts of Puppet's set-up");
}

static const char *const keys[] = {"puppet", NULL};
static const char *const metadata[] = {"instance-id", NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "puppet",
    .version = BOOTLACE_VERSION,
    .summary = "sets up the Puppet agent",
    .keys = keys,
    .metadata = metadata,
    .schema = schema,
    .frequency = BOOTLACE_PER_INSTANCE,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 872,
    .flags = BOOTLACE_REPEATABLE | BOOTLACE_NO_LIMIT,
    .run = run,
};
