/*
 * A part that is a program of the user's own: executed as it is, or given to its interpreter, or
 * to /bin/sh where it names none.
 */
#ifndef BOOTLACE_SUPPORT_EXECUTABLE_H
#define BOOTLACE_SUPPORT_EXECUTABLE_H

#include <bootlace/module.h>
#include <stdbool.h>

/* The `metadata` of a module that runs the user's programs: what they see as BOOTLACE_* variables.
 */
#define EXECUTABLE_METADATA                                                                        \
    {                                                                                              \
        "placement/region", "placement/availability-zone", "local-ipv4", "public-ipv4",            \
            "hostname", "ami-id", "instance-type", NULL                                            \
    }

/* Runs the input's part; its exit code or signal is the step's. What the module returns. */
int executable_run(const struct bootlace_host *host, const char *input);

/* What becomes of the step where its program ended so, or was started and is not waited for. What
 * the module returns. */
int executable_end(const struct bootlace_host *host, const struct bootlace_ending *ending,
                   bool detached);

#endif
