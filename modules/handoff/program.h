/* Running one program with its parameters. */
#ifndef BOOTLACE_HANDOFF_PROGRAM_H
#define BOOTLACE_HANDOFF_PROGRAM_H

#include "job.h"

enum { PROGRAM_FETCH_MAX = 256 << 20 };

/*
 * Fetches the program where it has a source, and runs it with its parameters: 1 it ended well, or a
 * negative errno and *why. *code is its exit code, or -1. Under --dry-run it is only shown.
 */
int program_hand_over(const struct bootlace_host *host, const struct job *job, int *code,
                      const char **why);

#endif
