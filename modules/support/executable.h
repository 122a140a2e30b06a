/*
 * A part that is a program of the user's own: executed as it is, or given to its interpreter, or
 * to /bin/sh where it names none.
 */
#ifndef BOOTLACE_SUPPORT_EXECUTABLE_H
#define BOOTLACE_SUPPORT_EXECUTABLE_H

#include <bootlace/module.h>

/* Runs the input's part; its exit code or signal is the step's. What the module returns. */
int executable_run(const struct bootlace_host *host, const char *input);

#endif
