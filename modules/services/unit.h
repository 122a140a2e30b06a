/*
 * What `systemctl show` says of units: blocks of NAME=value lines, a blank line between two units
 * (systemctl(1)). Pure.
 */
#ifndef BOOTLACE_SERVICES_UNIT_H
#define BOOTLACE_SERVICES_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <support/text.h>

enum { UNIT_WORD_MAX = 64, UNIT_NAME_MAX = 256, UNIT_REASON_MAX = 400 };

/* The properties that are asked for, for --property=. */
#define UNIT_PROPERTIES                                                                            \
    "Id,LoadState,ActiveState,SubState,Type,Result,ExecMainCode,ExecMainStatus,NRestarts,Job,"     \
    "NeedDaemonReload,ReloadResult"

struct unit {
    char id[UNIT_NAME_MAX];
    char load[UNIT_WORD_MAX];   /* loaded, not-found, masked, bad-setting, error, … */
    char active[UNIT_WORD_MAX]; /* active, reloading, inactive, failed, activating, deactivating */
    char sub[UNIT_WORD_MAX];
    char type[UNIT_WORD_MAX]; /* of a service: simple, oneshot, …; "" of others */
    char result[UNIT_WORD_MAX];
    char reload_result[UNIT_WORD_MAX];
    int main_code;   /* CLD_EXITED, CLD_KILLED, CLD_DUMPED; 0 = it has not ended */
    int main_status; /* exit code, or signal */
    long restarts;
    bool has_job;
    bool wants_reload; /* its files are newer than what systemd has read */
};

/* Reads the block at text; returns where the next one begins, or NULL where there is none. */
const char *unit_parse(const char *text, struct unit *unit);

/* The value of a property in the block, as a new string; NULL where it is not there. */
char *unit_value(const char *text, const char *name);

bool unit_is_active(const struct unit *unit);

/* It is on its way. */
bool unit_is_starting(const struct unit *unit);

/* Ended, by itself or by its manager, in a way that its manager calls a failure. */
bool unit_is_failed(const struct unit *unit);

/* It ended and is to be started again in a while. */
bool unit_is_restarting(const struct unit *unit);

bool unit_is_oneshot(const struct unit *unit);

/* The exit code of its main process where that failed; else -1. */
int unit_exit_code(const struct unit *unit);

/* Why it failed, by Result=, ExecMainCode= and ExecMainStatus=, with words for what systemd's own
 * exit codes mean (systemd.exec(5), process exit codes). */
void unit_reason(const struct unit *unit, char reason[UNIT_REASON_MAX]);

#endif
