/* The package lists of a manager, as files on the disk. */
#ifndef BOOTLACE_PACKAGES_LISTS_H
#define BOOTLACE_PACKAGES_LISTS_H

#include "manager.h"

enum { LISTS_FRESH_S = 900 }; /* so long those that were renewed ahead need no renewing */

/* What tells whether the lists are others than before: the files' names, sizes and times. They are
 * the sources' own, and stay as they are where the sources have nothing new. */
uint64_t lists_stamp(const struct work *work);

/* Remembers that they have just been renewed, ahead of the step's turn. */
void lists_remember(const struct work *work);

/* Whether they were renewed ahead, a short while ago, and nobody touched them since; asked once. */
bool lists_are_fresh(const struct work *work);

#endif
