/*
 * nftables without a manager: the rules of nft(8) as they are loaded, and its file for later boots.
 *
 * A packet passes where every chain at the input lets it pass, so the rule goes to the front of
 * each base chain of type filter with the hook input, in tables that know the port's protocol. For
 * later boots the same rules stand in a file of our own, which the system's own one includes at its
 * end, behind all that it makes.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <support/program.h>
#include <support/text.h>
#include <support/tree.h>
#include <unistd.h>

#include "wall.h"

enum { FILE_MODE = 0640, NAME_MAX_BYTES = 128 };

#define OWN_FILE "/etc/nftables/bootlace.nft"

static const char comment[] = "bootlace";
static const char include_line[] = "include \"" OWN_FILE "\"";

/* What the system loads at boot: Debian's, or that of Fedora and its like; NULL: there is none. */
static const char *system_file(const struct bootlace_host *host)
{
    static const char *const files[] = {"/etc/sysconfig/nftables.conf", "/etc/nftables.conf"};

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (tree_has(host, files[i]))
            return files[i];
    }
    return NULL;
}

/* The rules that are loaded: their list of objects, the caller's; or NULL. */
static json_t *loaded(const struct bootlace_host *host)
{
    static const char *const argv[] = {"nft", "-j", "list", "ruleset", NULL};
    struct text text = {0};
    json_t *whole = NULL, *list;

    if (tree_is_running(host) && program_ask(host, argv, WALL_LIMIT_S, &text) == 0)
        whole = json_loads(text_string(&text), 0, NULL);
    free(text.bytes);
    list = json_incref(json_object_get(whole, "nftables"));
    json_decref(whole);
    return list;
}

static const char *text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));

    return text ? text : "";
}

/* Names that may be written into a rule as they are. */
static bool is_plain(const char *name)
{
    return *name && strlen(name) < NAME_MAX_BYTES &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./") ==
               strlen(name);
}

static bool is_input_chain(const json_t *chain)
{
    const char *family = text_of(chain, "family");

    return strcmp(text_of(chain, "type"), "filter") == 0 &&
           strcmp(text_of(chain, "hook"), "input") == 0 &&
           (strcmp(family, "inet") == 0 || strcmp(family, "ip") == 0 ||
            strcmp(family, "ip6") == 0) &&
           is_plain(text_of(chain, "table")) && is_plain(text_of(chain, "name"));
}

static int is_used(const struct bootlace_host *host, const char **why)
{
    json_t *rules, *object;
    size_t i;
    int used = 0;

    (void)why;
    if (!tree_has(host, "/usr/sbin/nft") && !tree_has(host, "/sbin/nft"))
        return 0;
    if (tree_has(host, "/etc/systemd/system/sysinit.target.wants/nftables.service") ||
        tree_has(host, "/etc/systemd/system/multi-user.target.wants/nftables.service"))
        used = system_file(host) != NULL;
    rules = loaded(host);
    json_array_foreach(rules, i, object) used =
        used || is_input_chain(json_object_get(object, "chain"));
    json_decref(rules);
    return used;
}

/* "tcp dport 80 accept", with the mark by which it is found again. */
static char *rule_text(const struct port *port)
{
    if (port->first == port->last)
        return text_format("%s dport %u accept comment \"%s\"", port->protocol, port->first,
                           comment);
    return text_format("%s dport %u-%u accept comment \"%s\"", port->protocol, port->first,
                       port->last, comment);
}

static bool is_right(const json_t *right, const struct port *port)
{
    const json_t *range = json_object_get(right, "range");

    if (json_is_integer(right))
        return port->first == port->last && json_integer_value(right) == port->first;
    return json_array_size(range) == 2 &&
           json_integer_value(json_array_get(range, 0)) == port->first &&
           json_integer_value(json_array_get(range, 1)) == port->last;
}

/* Whether a rule of ours opens just this port. */
static bool is_rule_of(const json_t *rule, const struct port *port)
{
    const json_t *expressions = json_object_get(rule, "expr"), *expression;
    bool found = false;
    size_t i;

    if (strcmp(text_of(rule, "comment"), comment) != 0)
        return false;
    json_array_foreach(expressions, i, expression)
    {
        const json_t *match = json_object_get(expression, "match");
        const json_t *payload = json_object_get(json_object_get(match, "left"), "payload");

        found = found || (strcmp(text_of(payload, "protocol"), port->protocol) == 0 &&
                          strcmp(text_of(payload, "field"), "dport") == 0 &&
                          is_right(json_object_get(match, "right"), port));
    }
    return found;
}

static bool has_rule(const json_t *rules, const json_t *chain, const struct port *port)
{
    const json_t *object;
    size_t i;

    json_array_foreach(rules, i, object)
    {
        const json_t *rule = json_object_get(object, "rule");

        if (strcmp(text_of(rule, "family"), text_of(chain, "family")) == 0 &&
            strcmp(text_of(rule, "table"), text_of(chain, "table")) == 0 &&
            strcmp(text_of(rule, "chain"), text_of(chain, "name")) == 0 && is_rule_of(rule, port))
            return true;
    }
    return false;
}

/* The commands that put the rule into every chain at the input which does not have it. */
static void add_commands(struct text *commands, const json_t *rules, const struct port *port,
                         bool all)
{
    const json_t *object;
    size_t i;

    json_array_foreach(rules, i, object)
    {
        const json_t *chain = json_object_get(object, "chain");

        if (is_input_chain(chain) && (all || !has_rule(rules, chain, port)))
            text_add_format(commands, "insert rule %s %s %s %s\n", text_of(chain, "family"),
                            text_of(chain, "table"), text_of(chain, "name"), rule_text(port));
    }
}

static int open_now(const struct bootlace_host *host, const json_t *rules, const struct port *port,
                    const char **why)
{
    static const char *const argv[] = {"nft", "-f", "-", NULL};
    struct text commands = {0};
    int result = 0;

    add_commands(&commands, rules, port, false);
    if (commands.size) {
        result = program_change(host, argv, &commands, WALL_LIMIT_S, why);
        result = result < 0 ? result : 1;
    }
    free(commands.bytes);
    return result;
}

/* Adds what is not yet in the file; 1 changed, 0 it was there, or a negative errno. */
static int add_to_file(const struct bootlace_host *host, const char *path, const char *lines)
{
    struct text text = {0};
    struct stat info = {.st_mode = FILE_MODE};
    int result = tree_read(host, path, &text, &info);

    if (result < 0 && result != -ENOENT)
        return result;
    if (!strstr(text_string(&text), lines)) {
        if (text.size && text.bytes[text.size - 1] != '\n')
            text_add_string(&text, "\n");
        text_add_string(&text, lines);
        result = tree_put(host, path, &text, info.st_mode & 07777);
    } else {
        result = 0;
    }
    free(text.bytes);
    return result;
}

static int open_later(const struct bootlace_host *host, const json_t *rules,
                      const struct port *port, const char **why)
{
    const char *path = system_file(host);
    struct text commands = {0};
    int own, included;

    add_commands(&commands, rules, port, true);
    if (!path || !commands.size)
        return 0;
    own = add_to_file(host, OWN_FILE, text_string(&commands));
    included = own < 0 ? own : add_to_file(host, path, text_format("%s\n", include_line));
    if (included < 0)
        *why =
            text_format("%s cannot be written: %s", own < 0 ? OWN_FILE : path, strerror(-included));
    return included < 0 ? included : own || included;
}

static int open_port(const struct bootlace_host *host, const struct port *port, const char **why)
{
    json_t *rules = loaded(host);
    int now, later;

    if (!rules) {
        *why = "nft does not show its rules; in an image nothing can be known of its chains";
        return -EOPNOTSUPP;
    }
    now = open_now(host, rules, port, why);
    later = now < 0 ? now : open_later(host, rules, port, why);
    json_decref(rules);
    return later < 0 ? later : now || later;
}

const struct wall wall_nft = {.name = "nftables", .is_used = is_used, .open = open_port};
