/*
 * The files of write_files, in two passes: the first early, the second (of what was deferred, or
 * waits for its owner) after packages and users. Each pass is a module of its own.
 */
#ifndef BOOTLACE_WRITE_FILES_FILES_H
#define BOOTLACE_WRITE_FILES_FILES_H

#include <bootlace/module.h>

enum files_pass { FILES_FIRST, FILES_DEFERRED };

enum {
    FILES_MAX = 10000,          /* items of write_files */
    FILES_REMEMBERED_MAX = 4096 /* appended contents that are remembered, the last ones */
};

/* Does one pass. What the module returns. */
int files_run(const struct bootlace_host *host, const char *input, enum files_pass pass);

#endif
