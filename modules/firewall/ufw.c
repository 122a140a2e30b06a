/*
 * ufw: by ufw(8), which keeps its rules for later boots and applies them at once where it is
 * active. It is used where /etc/ufw/ufw.conf says ENABLED=yes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <support/program.h>
#include <support/text.h>
#include <support/tree.h>

#include "wall.h"

static int is_used(const struct bootlace_host *host, const char **why)
{
    struct text text = {0};
    int used = 0;

    (void)why;
    if (!tree_has(host, "/usr/sbin/ufw") || tree_read(host, "/etc/ufw/ufw.conf", &text, NULL) < 0)
        return 0;
    for (const char *line = text_string(&text); *line;) {
        static const char setting[] = "ENABLED=";

        line += strspn(line, " \t\r\n");
        if (strncmp(line, setting, strlen(setting)) == 0) {
            const char *value = line + strlen(setting);

            value += *value == '"' || *value == '\'';
            used = strncasecmp(value, "yes", strlen("yes")) == 0;
        }
        line += strcspn(line, "\n");
    }
    free(text.bytes);
    return used;
}

/* Whether `ufw show added` lists the rule, which it prints as it would be given. */
static bool is_added(const struct bootlace_host *host, const char *port)
{
    static const char *const argv[] = {"ufw", "show", "added", NULL};
    char *rule = text_format("ufw allow %s", port);
    struct text text = {0};
    bool added = false;

    if (program_ask(host, argv, WALL_LIMIT_S, &text) == 0) {
        for (const char *line = text_string(&text); *line && !added;) {
            size_t length = strcspn(line, "\n");

            added = length == strlen(rule) && strncmp(line, rule, length) == 0;
            line += length;
            line += *line == '\n';
        }
    }
    free(text.bytes);
    return added;
}

static int open_port(const struct bootlace_host *host, const struct port *port, const char **why)
{
    char text[PORT_TEXT_MAX];
    const char *const argv[] = {"ufw", "allow", port_text(port, ':', text), NULL};
    int result;

    if (is_added(host, text))
        return 0;
    result = program_change(host, argv, NULL, WALL_LIMIT_S, why);
    return result < 0 ? result : 1;
}

const struct wall wall_ufw = {.name = "ufw", .is_used = is_used, .open = open_port};
