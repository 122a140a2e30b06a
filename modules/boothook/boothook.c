/*
 * boothook: runs the parts that begin with `#cloud-boothook`, at every boot, before all else.
 *
 * The marker is taken off by the decoder; what is left is executed as it is, and is given to
 * /bin/sh where it has no `#!` line. INSTANCE_ID is in its environment, so that it can find out
 * for itself whether the instance is new: cloud-init's rule.
 */
#include <bootlace/module.h>
#include <support/executable.h>

static int run(const struct bootlace_host *host, const char *input)
{
    return executable_run(host, input);
}

static const char *const types[] = {"text/cloud-boothook", NULL};

static const char *const metadata[] = EXECUTABLE_METADATA;

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "boothook",
    .version = BOOTLACE_VERSION,
    .summary = "runs boothooks at every boot",
    .types = types,
    .metadata = metadata,
    .frequency = BOOTLACE_PER_BOOT,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 50,
    .flags = BOOTLACE_NO_LIMIT,
    .run = run,
};
