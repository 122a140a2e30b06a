/* systemctl(1) and journalctl(1) asked and told; see systemctl.h. */
#include "systemctl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <support/program.h>
#include <support/tree.h>

#define JOURNAL_LINES "15" /* of a service that failed */

enum { ARGUMENTS_MAX = 16, JOURNAL_LIMIT_S = 20, REQUIRED_MAX = 256 };

/* systemctl's words before the verb, then the verb, options and units up to NULL. */
static void make_argv(const struct bootlace_host *host, const char **argv, const char *const *words)
{
    size_t count = 0;

    argv[count++] = "systemctl";
    if (!tree_is_running(host))
        argv[count++] = text_format("--root=%s", host->root);
    else
        argv[count++] = "--no-ask-password";
    for (; *words && count < ARGUMENTS_MAX - 1; words++)
        argv[count++] = *words;
    argv[count] = NULL;
}

int systemctl_change(const struct bootlace_host *host, struct item *item, unsigned limit_s,
                     const char *const *words)
{
    const char *argv[ARGUMENTS_MAX], *why;
    int result;

    make_argv(host, argv, words);
    result = program_change_outside(host, argv, NULL, limit_s, &why);
    if (result < 0)
        item_fail(item, -result, "systemctl %s: %s", words[0], why);
    return result < 0 ? result : 1;
}

const char *systemctl_ask(const struct bootlace_host *host, const char *const *words)
{
    const char *argv[ARGUMENTS_MAX];
    struct text out = {0};

    make_argv(host, argv, words);
    return program_ask_outside(host, argv, PROGRAM_LIMIT_S, &out) < 0 ? "" : text_string(&out);
}

void systemctl_show(const struct bootlace_host *host, const struct item *item, struct unit *unit)
{
    const char *const words[] = {"show", "--property=" UNIT_PROPERTIES, "--", item->unit, NULL};

    unit_parse(systemctl_ask(host, words), unit);
}

/* name@.service is what instances are made of, and no unit that could be in a state. */
bool systemctl_is_template(const char *unit)
{
    return strstr(unit, "@.") != NULL;
}

/* The word of `systemctl is-enabled`; "" where there is no such unit. */
const char *systemctl_is_enabled(const struct bootlace_host *host, const char *unit)
{
    const char *const words[] = {"is-enabled", "--", unit, NULL};
    const char *said = systemctl_ask(host, words);

    return text_format("%.*s", (int)strcspn(said, "\n"), said);
}

/* The last lines of a unit in this boot's journal, into the step's log and the item's. */
static void show_log_of(const struct bootlace_host *host, struct item *item, const char *unit)
{
    static const char *const sync[] = {"journalctl", "--sync", NULL};
    const char *const argv[] = {"journalctl",    "--quiet", "--no-pager",
                                "--no-hostname", "--boot",  "--lines=" JOURNAL_LINES,
                                "--unit",        unit,      NULL};
    struct text out = {0};

    program_ask(host, sync, JOURNAL_LIMIT_S, &out);
    out.size = 0;
    if (program_ask(host, argv, JOURNAL_LIMIT_S, &out) < 0)
        host->log(host, BOOTLACE_WARNING, "the journal of %s cannot be read", unit);
    host->log(host, BOOTLACE_INFO, "the last lines of %s in the journal:", unit);
    for (char *line = out.bytes, *rest; line && *line; line = rest) {
        size_t size = strcspn(line, "\n");

        rest = line + size + (line[size] == '\n');
        host->log(host, BOOTLACE_INFO, "%.*s", (int)size, line);
        text_add(&item->log, line, (size_t)(rest - line));
    }
}

void systemctl_show_log(const struct bootlace_host *host, struct item *item)
{
    show_log_of(host, item, item->unit);
}

/* Which of the unit's conditions was not met, by systemd's own line about that; NULL where it has
 * said nothing of the kind. */
static char *unmet_condition(const struct item *item)
{
    static const char words[] = "unmet condition check (";
    const char *found = strstr(text_string(&item->log), words);

    if (!found)
        return NULL;
    found += strlen(words);
    return text_format("%.*s", (int)strcspn(found, ")\n"), found);
}

/* A unit that this one requires and that failed, as a new string, or NULL. */
static char *failed_requirement(const struct bootlace_host *host, const struct item *item)
{
    const char *const ask_names[] = {
        "show", "--property=Requires,Requisite,BindsTo", "--value", "--", item->unit, NULL};
    char *names = text_format("%s", systemctl_ask(host, ask_names)), *rest = NULL;
    const char *words[REQUIRED_MAX] = {"show", "--property=Id,ActiveState", "--"};
    const char *argv[REQUIRED_MAX + 1] = {"systemctl"};
    size_t count = 3;
    struct text out = {0};

    for (char *name = strtok_r(names, " \n", &rest); name && count < REQUIRED_MAX - 1;
         name = strtok_r(NULL, " \n", &rest))
        words[count++] = name;
    if (count == 3)
        return NULL;
    memcpy(argv + 1, words, count * sizeof *words);
    program_ask(host, argv, PROGRAM_LIMIT_S, &out);
    for (const char *at = text_string(&out); at;) {
        struct unit unit;

        at = unit_parse(at, &unit);
        if (unit_is_failed(&unit))
            return text_format("%s", unit.id);
    }
    return NULL;
}

/* One that is neither failed nor active. */
static int explain_inactive(const struct bootlace_host *host, struct item *item,
                            const struct unit *unit, const char *what)
{
    char *name = unmet_condition(item);

    if (name)
        return item_fail(item, EIO, "%s: a condition of its unit is not met: %s", what, name);
    name = failed_requirement(host, item);
    if (!name)
        return item_fail(item, EIO, "%s: it is %s, and ended without an error", what, unit->active);
    show_log_of(host, item, name);
    return item_fail(item, EIO, "%s: %s, which it requires, failed", what, name);
}

/* Says why the unit is not as it was to be, and puts its journal's last lines into the log. */
int systemctl_explain(const struct bootlace_host *host, struct item *item, const char *what)
{
    char reason[UNIT_REASON_MAX];
    struct unit unit;

    systemctl_show(host, item, &unit);
    systemctl_show_log(host, item);
    if (unit_is_failed(&unit) || unit_is_restarting(&unit)) {
        item->exit_code = unit_exit_code(&unit);
        unit_reason(&unit, reason);
        return item_fail(item, EIO, "%s: %s%s", what, reason,
                         unit_is_restarting(&unit) ? "; systemd will start it again" : "");
    }
    return unit_is_active(&unit) ? item_fail(item, EIO, "%s", what)
                                 : explain_inactive(host, item, &unit, what);
}
