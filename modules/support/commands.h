/*
 * Lists of commands, as runcmd and bootcmd have them, run one after another by one shell.
 *
 * The commands share a /bin/sh, as they share a script with cloud-init: `cd`, variables, functions
 * and `set -e` of one hold for the next. Each is evaluated by itself, so that each has an exit code
 * and a syntax error costs that command alone. A text is the user's own shell text; a list is an
 * argument vector, of which the shell interprets nothing.
 */
#ifndef BOOTLACE_SUPPORT_COMMANDS_H
#define BOOTLACE_SUPPORT_COMMANDS_H

#include <bootlace/module.h>

enum { COMMANDS_MAX = 10000, COMMANDS_WORDS_MAX = 10000 };

/* Runs the list that is the setting `key`; `key`_stop_on_error: the first failure is the last
 * command. What the module returns. */
int commands_run(const struct bootlace_host *host, const char *input, const char *key);

#endif
