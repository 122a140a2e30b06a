/* What `systemctl show` says of units; see unit.h. */
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The exit codes by which systemd says that it could not start the program at all: systemd.exec(5).
 */
static const struct {
    int code;
    const char *name, *words;
} exit_codes[] = {
    {200, "CHDIR", "its WorkingDirectory= is not there"},
    {203, "EXEC", "the program of an ExecStart= is not there or cannot be executed"},
    {208, "STDIN", "its standard input cannot be opened"},
    {209, "STDOUT", "its standard output cannot be opened"},
    {216, "GROUP", "there is no group as its Group= says"},
    {217, "USER", "there is no user as its User= says"},
    {218, "CAPABILITIES", "its capabilities cannot be had"},
    {226, "NAMESPACE", "a path of its sandbox is not there, or it cannot be made"},
    {233, "RUNTIME_DIRECTORY", "its RuntimeDirectory= cannot be made"},
    {238, "STATE_DIRECTORY", "its StateDirectory= cannot be made"},
    {239, "CACHE_DIRECTORY", "its CacheDirectory= cannot be made"},
    {240, "LOGS_DIRECTORY", "its LogsDirectory= cannot be made"},
    {243, "CREDENTIALS", "its credentials cannot be had"},
};

static const struct {
    const char *result, *words;
} results[] = {
    {"timeout", "it took longer than its unit allows"},
    {"watchdog", "its watchdog was not fed"},
    {"start-limit-hit", "it was started too often in a short time"},
    {"oom-kill", "there was not enough memory"},
    {"protocol", "it did not do what its Type= promises"},
    {"resources", "something that it needs, a file or a socket perhaps, could not be had"},
};

/* The line NAME=value of the block, its value; NULL where there is none. */
static const char *find(const char *text, const char *name, size_t *size)
{
    size_t length = strlen(name);

    while (*text && *text != '\n') {
        size_t line = strcspn(text, "\n");

        if (line > length && strncmp(text, name, length) == 0 && text[length] == '=') {
            *size = line - length - 1;
            return text + length + 1;
        }
        text += line + (text[line] == '\n');
    }
    return NULL;
}

char *unit_value(const char *text, const char *name)
{
    size_t size;
    const char *value = find(text, name, &size);

    return value ? text_format("%.*s", (int)size, value) : NULL;
}

static void copy(const char *text, const char *name, char *value, size_t room)
{
    size_t size;
    const char *found = find(text, name, &size);

    snprintf(value, room, "%.*s", found ? (int)size : 0, found ? found : "");
}

static long number(const char *text, const char *name)
{
    char digits[UNIT_WORD_MAX];

    copy(text, name, digits, sizeof digits);
    return strtol(digits, NULL, 10);
}

const char *unit_parse(const char *text, struct unit *unit)
{
    char flag[UNIT_WORD_MAX];

    *unit = (struct unit){0};
    copy(text, "Id", unit->id, sizeof unit->id);
    copy(text, "LoadState", unit->load, sizeof unit->load);
    copy(text, "ActiveState", unit->active, sizeof unit->active);
    copy(text, "SubState", unit->sub, sizeof unit->sub);
    copy(text, "Type", unit->type, sizeof unit->type);
    copy(text, "Result", unit->result, sizeof unit->result);
    copy(text, "ReloadResult", unit->reload_result, sizeof unit->reload_result);
    copy(text, "NeedDaemonReload", flag, sizeof flag);
    unit->wants_reload = strcmp(flag, "yes") == 0;
    unit->main_code = (int)number(text, "ExecMainCode");
    unit->main_status = (int)number(text, "ExecMainStatus");
    unit->restarts = number(text, "NRestarts");
    unit->has_job = number(text, "Job") != 0;
    text = strstr(text, "\n\n");
    return text && text[2] ? text + 2 : NULL;
}

bool unit_is_active(const struct unit *unit)
{
    return strcmp(unit->active, "active") == 0 || strcmp(unit->active, "reloading") == 0;
}

bool unit_is_starting(const struct unit *unit)
{
    return strcmp(unit->active, "activating") == 0 && !unit_is_restarting(unit);
}

bool unit_is_failed(const struct unit *unit)
{
    return strcmp(unit->active, "failed") == 0;
}

bool unit_is_restarting(const struct unit *unit)
{
    return strcmp(unit->sub, "auto-restart") == 0;
}

bool unit_is_oneshot(const struct unit *unit)
{
    return strcmp(unit->type, "oneshot") == 0;
}

int unit_exit_code(const struct unit *unit)
{
    return unit->main_code == CLD_EXITED && unit->main_status ? unit->main_status : -1;
}

/* ", ExecMainStatus=203/EXEC: words", or the signal; nothing where its main process has not ended.
 */
static void add_ending(const struct unit *unit, struct text *out)
{
    const char *name = NULL;

    if (!unit->main_code || (unit->main_code == CLD_EXITED && !unit->main_status))
        return;
    if (unit->main_code != CLD_EXITED) {
        name = sigabbrev_np(unit->main_status);
        text_add_format(out, ", ExecMainStatus=%d%s%s", unit->main_status, name ? "/" : "",
                        name ? name : "");
        return;
    }
    text_add_format(out, ", ExecMainStatus=%d", unit->main_status);
    for (size_t i = 0; i < sizeof exit_codes / sizeof *exit_codes; i++) {
        if (exit_codes[i].code == unit->main_status)
            text_add_format(out, "/%s: %s", exit_codes[i].name, exit_codes[i].words);
    }
}

void unit_reason(const struct unit *unit, char reason[UNIT_REASON_MAX])
{
    struct text text = {0};

    text_add_format(&text, "Result=%s", *unit->result ? unit->result : "unknown");
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
        if (strcmp(results[i].result, unit->result) == 0)
            text_add_format(&text, " (%s)", results[i].words);
    }
    add_ending(unit, &text);
    snprintf(reason, UNIT_REASON_MAX, "%s", text_string(&text));
    free(text.bytes);
}
