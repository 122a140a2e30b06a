/*
 * hostname: the machine's names, in /etc/hostname, in the kernel, and in /etc/hosts.
 *
 * The rules are cloud-init's set_hostname, update_hostname and update_etc_hosts: the names come
 * from the settings, else from metadata; a new instance gets them in any case; after that, a name
 * that somebody else gave is theirs and stays. What was written last is remembered below the tree.
 * Every instance gets a name, whether its settings say one or not. At a later boot it has it before
 * the network is up, from what was remembered.
 */
#include <bootlace/module.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <support/input.h>
#include <support/remember.h>
#include <support/tree.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "hosts.h"
#include "names.h"

#include <hostname.schema.h>

#define HOSTNAME_PATH "/etc/hostname"

static const char module_name[] = "hostname";

enum { FILE_MODE = 0644 };

struct wish {
    bool early; /* what was set last is to hold; nothing new is known */
    bool preserve, create;
    const char *hosts; /* "true", "template", "localhost", or NULL */
    const char *instance;
    const char *name; /* that of the two which becomes the machine's; NULL: none is known */
    struct names names;
};

/* manage_etc_hosts: a flag, or one of two words. */
static int read_hosts(const struct bootlace_host *host, const json_t *settings, struct wish *wish)
{
    const char *word = json_string_value(json_object_get(settings, "manage_etc_hosts"));
    bool manage = false;

    if (word && (strcmp(word, "localhost") == 0 || strcmp(word, "template") == 0)) {
        wish->hosts = word;
        return 0;
    }
    if (input_flag(host, settings, "manage_etc_hosts", &manage) < 0)
        return host->fail(host, EINVAL,
                          "manage_etc_hosts is none of true, false, localhost, template");
    wish->hosts = manage ? "true" : NULL;
    return 0;
}

/* What was remembered, if it was for this instance, else NULL. */
static const json_t *read_own_state(const struct bootlace_host *host, const struct wish *wish)
{
    const json_t *state = remember_read(host, module_name);
    const char *instance = json_string_value(json_object_get(state, "instance"));

    return wish->instance && instance && strcmp(instance, wish->instance) == 0 ? state : NULL;
}

static int read_wish(const struct bootlace_host *host, const struct input *input, struct wish *wish)
{
    const json_t *settings = input->settings;
    const json_t *state;
    bool prefer_fqdn = tree_is_like(host, "rhel") || tree_is_like(host, "fedora");
    int result;

    *wish = (struct wish){.create = true,
                          .early = input_is_early(input),
                          .instance = input_metadata(input, "instance-id")};
    result = input_flag(host, settings, "preserve_hostname", &wish->preserve);
    if (result == 0)
        result = input_flag(host, settings, "create_hostname_file", &wish->create);
    if (result == 0)
        result = input_flag(host, settings, "prefer_fqdn_over_hostname", &prefer_fqdn);
    if (result == 0)
        result = read_hosts(host, settings, wish);
    if (result < 0)
        return result;
    state = read_own_state(host, wish);
    wish->names.known = json_string_value(json_object_get(state, "metadata"));
    if (wish->early) {
        /* The name that it was given last, by whomever's settings, and nothing new. */
        wish->hosts = NULL;
        wish->name = json_string_value(json_object_get(state, "hostname"));
        return 0;
    }
    result = names_find(host, input, &wish->names);
    if (result == 0)
        wish->name = prefer_fqdn && wish->names.fqdn ? wish->names.fqdn : wish->names.hostname;
    return result;
}

/* The name in /etc/hostname: its first line that is no comment; NULL where there is none. */
static char *read_name(const struct bootlace_host *host)
{
    struct text text = {0};
    char *line;

    if (tree_read(host, HOSTNAME_PATH, &text, NULL) < 0)
        return NULL;
    for (line = text.bytes; *line == '#' || *line == '\n';) {
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    line[strcspn(line, " \t\r\n")] = '\0';
    return *line ? line : NULL;
}

static int write_state(const struct bootlace_host *host, const struct wish *wish)
{
    const struct {
        const char *member, *value;
    } members[] = {
        {"hostname", wish->name}, {"instance", wish->instance}, {"metadata", wish->names.known}};
    json_t *state = text_need(json_object());

    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        if (members[i].value)
            json_object_set_new(state, members[i].member, text_need(json_string(members[i].value)));
    }
    return remember_write(host, module_name, state);
}

/* Whether somebody gave the machine another name since we did, on this same instance. */
static bool is_theirs(const struct bootlace_host *host, const struct wish *wish, const char *now)
{
    const char *ours = json_string_value(json_object_get(read_own_state(host, wish), "hostname"));

    return now && ours && strcmp(now, ours) != 0;
}

/* The kernel's name; only where the tree is the machine that runs. */
static int set_running(const struct bootlace_host *host, const char *name)
{
    struct utsname now;

    if (!tree_is_running(host) || (uname(&now) == 0 && strcmp(now.nodename, name) == 0))
        return 0;
    if (host->dry_run) {
        host->log(host, BOOTLACE_INFO, "would set the running host name to %s", name);
        return 1;
    }
    return sethostname(name, strlen(name)) < 0 ? -errno : 1;
}

static int set_name(const struct bootlace_host *host, const struct wish *wish, const char *now)
{
    struct text text = {0};
    bool wanted = wish->create || tree_has(host, HOSTNAME_PATH);
    int file = 0, running, state;

    running = set_running(host, wish->name);
    if (running < 0)
        return host->fail(host, -running, "the running host name cannot be set to %s: %s",
                          wish->name, strerror(-running));
    state = write_state(host, wish);
    if (state < 0)
        return host->fail(host, -state, "the name cannot be remembered: %s", strerror(-state));
    text_add_format(&text, "%s\n", wish->name);
    if (wanted && (!now || strcmp(now, wish->name) != 0))
        file = tree_put(host, HOSTNAME_PATH, &text, FILE_MODE);
    if (file < 0)
        return host->fail(host, -file, HOSTNAME_PATH " cannot be written: %s", strerror(-file));
    return file || running;
}

static int do_name(const struct bootlace_host *host, const struct wish *wish)
{
    char *now = read_name(host);
    int result;

    if (wish->preserve) {
        host->log(host, BOOTLACE_INFO, "the host name is left alone: preserve_hostname");
        return 0;
    }
    if (!wish->name) {
        host->log(host, BOOTLACE_INFO,
                  wish->early ? "no host name was set for this instance yet"
                              : "no host name in the settings or the metadata");
        return 0;
    }
    if (is_theirs(host, wish, now)) {
        host->log(host, BOOTLACE_INFO, "the host name %s was set by somebody else, and stays", now);
        return 0;
    }
    result = set_name(host, wish, now);
    if (result >= 0)
        host->item(host, "hostname", result ? "changed" : "unchanged", -1, wish->name);
    return result;
}

static const char *running_name(const struct bootlace_host *host)
{
    struct utsname now;

    return tree_is_running(host) && uname(&now) == 0 ? text_format("%s", now.nodename) : NULL;
}

static int do_hosts(const struct bootlace_host *host, const struct wish *wish)
{
    struct names names = wish->names;
    int result;

    if (!wish->hosts)
        return 0;
    if (!names.hostname)
        names.hostname = read_name(host);
    if (!names.hostname)
        names.hostname = running_name(host);
    if (!names.hostname)
        return host->fail(host, ENOENT, "manage_etc_hosts is set, but no host name is known");
    if (!names.fqdn)
        names.fqdn = names.hostname;
    result =
        strcmp(wish->hosts, "localhost") == 0 ? hosts_add(host, &names) : hosts_write(host, &names);
    if (result < 0)
        return host->fail(host, -result, "/etc/hosts cannot be written: %s", strerror(-result));
    host->item(host, "/etc/hosts", result ? "changed" : "unchanged", -1, NULL);
    return result;
}

static int run(const struct bootlace_host *host, const char *input)
{
    struct wish wish = {0};
    struct input given;
    int name, hosts, result = input_read(host, input, &given);

    if (result == 0)
        result = read_wish(host, &given, &wish);
    if (result < 0)
        return result;
    name = do_name(host, &wish);
    if (name < 0)
        return name;
    hosts = do_hosts(host, &wish);
    if (hosts < 0)
        return hosts;
    if (name)
        host->note(host, "the host name is %s now", wish.name);
    return name || hosts;
}

/* The name that this instance was given is not that of the next; one that somebody else gave is. */
static int forget(const struct bootlace_host *host, const char *input)
{
    json_t *state = remember_read(host, module_name);
    const char *ours = json_string_value(json_object_get(state, "hostname"));
    char *now = read_name(host);
    int result;

    (void)input;
    if (!ours || !now || strcmp(now, ours) != 0)
        return 0;
    result = tree_remove(host, HOSTNAME_PATH);
    if (result < 0)
        return host->fail(host, -result, HOSTNAME_PATH " cannot be removed: %s", strerror(-result));
    host->item(host, HOSTNAME_PATH, result ? "changed" : "unchanged", -1, now);
    return result;
}

static const char *const keys[] = {"hostname",
                                   "fqdn",
                                   "preserve_hostname",
                                   "prefer_fqdn_over_hostname",
                                   "create_hostname_file",
                                   "manage_etc_hosts",
                                   NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = module_name,
    .version = BOOTLACE_VERSION,
    .summary = "sets the host name, and /etc/hosts",
    .keys = keys,
    .schema = schema,
    .frequency = BOOTLACE_PER_BOOT,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 300,
    .flags = BOOTLACE_REPEATABLE | BOOTLACE_BAKEABLE | BOOTLACE_ESSENTIAL | BOOTLACE_ALSO_EARLY,
    .run = run,
    .forget = forget,
};
