/*
 * One run at a time: a POSIX record lock on a file (fcntl(2)), which the kernel takes back when
 * its process ends however that happens, which no child inherits, and which tells who holds it.
 */
#ifndef BOOTLACE_OS_LOCK_H
#define BOOTLACE_OS_LOCK_H

#include "base/error.h"

#include <sys/types.h>

/* Takes the lock; the descriptor stays open for as long as it is to be held. ERROR_BUSY and the
 * holder's process id in *holder where another has it. */
int lock_take(const char *path, pid_t *holder, struct error *error);

/* Who holds it: a process id, 0 = nobody, or there is no such file, or it may not be read (it is
 * its owner's alone: any reader could hold up its writers). */
pid_t lock_holder(const char *path);

#endif
