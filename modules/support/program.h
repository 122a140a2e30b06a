/*
 * Programs that a module runs for what they do or say, with words for how they ended.
 *
 * Above host->run_program: by argument vector, never through a shell, always with a limit; in
 * another tree, the program is the tree's own.
 */
#ifndef BOOTLACE_SUPPORT_PROGRAM_H
#define BOOTLACE_SUPPORT_PROGRAM_H

#include <bootlace/module.h>
#include <support/text.h>

enum { PROGRAM_LIMIT_S = 60, PROGRAM_OUTPUT_MAX = 1 << 20 };

/*
 * Runs a program that changes something; its output goes to the step's log. input, or NULL, is its
 * standard input. 0 where it ended with exit code 0, as ever under --dry-run; else a negative errno
 * (-ENOENT: there is no such program, -ETIMEDOUT: it was ended at its limit, -EIO: it failed) and
 * *why has the words, which name the program and none of its arguments.
 */
int program_change(const struct bootlace_host *host, const char *const *argv,
                   const struct text *input, unsigned limit_s, const char **why);

/*
 * Runs one that only reads, under --dry-run as well, and adds what it prints to out, up to
 * PROGRAM_OUTPUT_MAX bytes. Its exit code, or a negative errno: -EIO where a signal ended it.
 */
int program_ask(const struct bootlace_host *host, const char *const *argv, unsigned limit_s,
                struct text *out);

/*
 * The same, but run on this machine even where another tree is worked on, which the program is told
 * of by an argument: `systemctl --root=DIR`.
 */
int program_change_outside(const struct bootlace_host *host, const char *const *argv,
                           const struct text *input, unsigned limit_s, const char **why);
int program_ask_outside(const struct bootlace_host *host, const char *const *argv, unsigned limit_s,
                        struct text *out);

#endif
