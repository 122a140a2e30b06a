/*
 * A package manager run for what it does: when nobody else is at it, unasked, in plain English, and
 * again where that may help.
 */
#ifndef BOOTLACE_PACKAGES_TOOL_H
#define BOOTLACE_PACKAGES_TOOL_H

#include "manager.h"

/* Seconds for one run: the lists; packages. */
enum { TOOL_LISTS_LIMIT_S = 900, TOOL_PACKAGES_LIMIT_S = 5400 };

/*
 * Runs the manager with these words behind its base, and names, or NULL, behind them. 0 where it
 * ended with exit code 0, as ever under --dry-run; else a negative errno with *why. *said is what
 * it said in the last of its attempts.
 */
int tool_run(const struct work *work, const char *const *words, const struct words *names,
             unsigned limit_s, struct said *said, const char **why);

/* Adds the manager's base to an argument vector, and the words for another tree. */
void tool_add_base(const struct work *work, struct words *argv);

#endif
