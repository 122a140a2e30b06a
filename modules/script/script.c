/*
 * script: runs the user's own `#!` scripts, and <script> blocks.
 *
 * A `#!` script is executed as it is. A <script> block runs under its own `#!` line or else under
 * /bin/sh. Exit code or signal are the step's; nobody's time limit but one that was asked for.
 */
#include <bootlace/module.h>
#include <support/executable.h>

static int run(const struct bootlace_host *host, const char *input)
{
    return executable_run(host, input);
}

static const char *const types[] = {"text/x-shellscript", "text/x-windows-script", NULL};

static const char *const metadata[] = EXECUTABLE_METADATA;

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "script",
    .version = BOOTLACE_VERSION,
    .summary = "runs #! scripts and <script> blocks",
    .types = types,
    .metadata = metadata,
    .frequency = BOOTLACE_PER_INSTANCE,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 900,
    .flags = BOOTLACE_NO_LIMIT,
    .run = run,
};
