/*
 * write-files-deferred: the files of write_files that say `defer`, or whose owner was not there in
 * the first pass; after packages and users, before scripts.
 *
 * It reads the same key as write-files, which has its schema.
 */
#include <bootlace/module.h>
#include <write-files/files.h>

static int run(const struct bootlace_host *host, const char *input)
{
    return files_run(host, input, FILES_DEFERRED);
}

static const char *const reads[] = {"write_files", NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "write-files-deferred",
    .version = BOOTLACE_VERSION,
    .summary = "writes files that were deferred, or that waited for their owner",
    .frequency = BOOTLACE_PER_INSTANCE,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 800,
    .flags = BOOTLACE_REPEATABLE | BOOTLACE_BAKEABLE,
    .run = run,
    .reads = reads,
};
