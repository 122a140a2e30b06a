/* Programs that a native module runs, in the step's own process; see bootlace_host.run_program. */
#ifndef BOOTLACE_RUN_PROGRAM_H
#define BOOTLACE_RUN_PROGRAM_H

#include "bootlace/module.h"

enum { PROGRAM_GRACE_MS = 5000 };

/* Runs it to its end (or detached), inside root unless that is "/" or it is to be outside; 0 and
 * *ending, or a negative errno. */
int program_run(const char *root, const struct bootlace_program *program,
                struct bootlace_ending *ending);

/* The argument vector as one line for people; the caller frees. */
char *program_text(const char *const *argv);

#endif
