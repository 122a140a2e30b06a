/*
 * What the module remembers of an instance: which file systems it made where one was to be
 * overwritten, so that this is done once and never at the next boot again, and how large devices
 * were when their file systems filled them.
 */
#ifndef BOOTLACE_MOUNTS_STATE_H
#define BOOTLACE_MOUNTS_STATE_H

#include <bootlace/module.h>
#include <stdbool.h>
#include <stdint.h>

/* Whether the name's file system, or table, is the one of this UUID that was made for it. */
bool state_is_made(const struct bootlace_host *host, const char *name, const char *uuid);
void state_made(const struct bootlace_host *host, const char *name, const char *uuid);

/* Whether the file system was seen to fill a device of this size. */
bool state_fills(const struct bootlace_host *host, const char *uuid, uint64_t size);
void state_filled(const struct bootlace_host *host, const char *uuid, uint64_t size);

#endif
