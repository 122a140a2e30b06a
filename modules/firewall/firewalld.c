/*
 * firewalld: by firewall-cmd(1) where its daemon runs, in its running configuration and in the
 * permanent one; by firewall-offline-cmd(1) where it does not: in an image, or before its start.
 */
#include <errno.h>
#include <support/program.h>
#include <support/text.h>
#include <support/tree.h>

#include "wall.h"

static bool answers(const struct bootlace_host *host)
{
    static const char *const argv[] = {"firewall-cmd", "--state", NULL};
    struct text ignored = {0};

    return tree_is_running(host) && program_ask(host, argv, WALL_LIMIT_S, &ignored) == 0;
}

static int is_used(const struct bootlace_host *host, const char **why)
{
    static const char *const enabled[] = {
        "/etc/systemd/system/multi-user.target.wants/firewalld.service",
        "/etc/runlevels/default/firewalld"};

    (void)why;
    if (!tree_has(host, "/usr/bin/firewall-cmd"))
        return 0;
    for (size_t i = 0; i < sizeof enabled / sizeof *enabled; i++) {
        if (tree_has(host, enabled[i]))
            return 1;
    }
    return answers(host);
}

/* One of the two configurations; option is NULL for the one that runs. */
static int open_one(const struct bootlace_host *host, const char *program, const char *option,
                    const char *port, const char **why)
{
    struct text ignored = {0};
    char *query = text_format("--query-port=%s", port), *add = text_format("--add-port=%s", port);
    const char *const ask[] = {program, option ? option : query, option ? query : NULL, NULL};
    const char *const change[] = {program, option ? option : add, option ? add : NULL, NULL};
    int result = program_ask(host, ask, WALL_LIMIT_S, &ignored);

    if (result == 0)
        return 0;
    result = program_change(host, change, NULL, WALL_LIMIT_S, why);
    return result < 0 ? result : 1;
}

static int open_port(const struct bootlace_host *host, const struct port *port, const char **why)
{
    char text[PORT_TEXT_MAX];
    int now, later;

    port_text(port, '-', text);
    if (!answers(host))
        return open_one(host, "firewall-offline-cmd", NULL, text, why);
    now = open_one(host, "firewall-cmd", NULL, text, why);
    if (now < 0)
        return now;
    later = open_one(host, "firewall-cmd", "--permanent", text, why);
    return later < 0 ? later : now || later;
}

const struct wall wall_firewalld = {.name = "firewalld", .is_used = is_used, .open = open_port};
