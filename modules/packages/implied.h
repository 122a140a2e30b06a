/*
 * Packages that other keys ask for by what they set up: `puppet`, `chef` and `ansible`, as
 * cloud-init installs them.
 */
#ifndef BOOTLACE_PACKAGES_IMPLIED_H
#define BOOTLACE_PACKAGES_IMPLIED_H

#include "manager.h"

/* Whether any such key is among the settings. */
bool implied_any(const json_t *settings);

/* Adds them to the wish, once the manager is known; 0, or what host->fail returned. */
int implied_add(struct work *work, const json_t *settings);

#endif
