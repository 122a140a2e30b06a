/* Who else is at work: the locks of the package managers. */
#ifndef BOOTLACE_PACKAGES_LOCKS_H
#define BOOTLACE_PACKAGES_LOCKS_H

#include "manager.h"

/*
 * Waits until none of the manager's locks is held, as long as the settings say, and says whom it
 * waits for. 0, or -ETIMEDOUT and *why with who holds it.
 */
int locks_await(const struct work *work, const char **why);

#endif
