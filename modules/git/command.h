/*
 * git(1) run for a repository: as its owner, without prompts, hooks, and protocols that run
 * programs, whatever configuration there is.
 */
#ifndef BOOTLACE_GIT_COMMAND_H
#define BOOTLACE_GIT_COMMAND_H

#include "repository.h"

enum { COMMAND_WORDS_MAX = 32, COMMAND_OUTPUT_MAX = 64 << 10 };

/* What makes ssh use the key, and a copy of that which the owner can read. 0, or a negative errno
 * and *why. */
int command_prepare(struct repository *repository, const char **why);
void command_clear(struct repository *repository);

/*
 * Runs git with these words, in dest where inside says so. What it prints goes to output (of
 * COMMAND_OUTPUT_MAX bytes), or to the log. Its exit code, or a negative errno and *why.
 */
int command_ask(const struct repository *repository, bool inside, unsigned limit_s, char *output,
                const char **why, const char *const *words);

/* The same for one that changes something: 0, or a negative errno and *why. Not run under
 * --dry-run. */
int command_change(const struct repository *repository, unsigned limit_s, const char **why,
                   const char *const *words);

#endif
