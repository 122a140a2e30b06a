/*
 * write-files: the files of write_files, early: before users, packages and scripts.
 *
 * What is deferred, and what waits for an owner who is not there yet, is written by the module
 * write-files-deferred; see files.h.
 */
#include <bootlace/module.h>
#include <write-files/files.h>

#include <write-files.schema.h>

static int run(const struct bootlace_host *host, const char *input)
{
    return files_run(host, input, FILES_FIRST);
}

static const char *const keys[] = {"write_files", NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "write-files",
    .version = BOOTLACE_VERSION,
    .summary = "writes files",
    .keys = keys,
    .schema = schema,
    .frequency = BOOTLACE_PER_INSTANCE,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 150,
    .flags = BOOTLACE_REPEATABLE | BOOTLACE_BAKEABLE | BOOTLACE_BY_ITEM | BOOTLACE_TREE_STATE,
    .run = run,
};
