/* Whether the machine runs something older than what is installed. */
#ifndef BOOTLACE_PACKAGES_RESTART_H
#define BOOTLACE_PACKAGES_RESTART_H

#include "manager.h"

/*
 * Whether the newest kernel that is installed is not the one that runs: why in words, or NULL.
 * For managers that do not tell; where no kernel is installed, as in a container, there is none to
 * be restarted into.
 */
const char *restart_kernel(const struct work *work);

#endif
