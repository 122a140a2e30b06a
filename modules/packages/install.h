/* Installing packages: all at once, and so that each has its own reason where it fails. */
#ifndef BOOTLACE_PACKAGES_INSTALL_H
#define BOOTLACE_PACKAGES_INSTALL_H

#include "manager.h"

/*
 * Installs those of the packages that are not there, by the work's manager. Afterwards each is
 * `there`, or `done` as the manager says, or has a `why`.
 */
void install_packages(const struct work *work, struct package *const *packages, size_t count);

/* Looks which of the packages are there; 0, or a negative errno with *why. */
int install_look(const struct work *work, struct package *const *packages, size_t count,
                 struct installed *installed, const char **why);

#endif
