/* The database of rpm(8), which dnf, yum, microdnf and zypper share. */
#ifndef BOOTLACE_PACKAGES_RPM_H
#define BOOTLACE_PACKAGES_RPM_H

#include "manager.h"

extern const struct lock rpm_locks[];

int rpm_list(const struct work *work, struct installed *installed);

/* By name, name.architecture, name-version, or anything that a package provides. */
void rpm_find(const struct work *work, const struct installed *installed, struct package *package);

/* Adds "--root=…", by which rpm itself works on another tree. */
void rpm_add_tree(const struct work *work, struct words *words);

#endif
