/*
 * The version of this library, which is that of the agent it was built with.
 *
 * A module is linked with the static library, so that nothing changes for one that is built; this
 * is for building it anew. What changed in what modules see:
 *
 *     0.1.0  the first
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BOOTLACE_SUPPORT_VERSION_H
#define BOOTLACE_SUPPORT_VERSION_H

#define BOOTLACE_SUPPORT_MAJOR 0
#define BOOTLACE_SUPPORT_MINOR 1
#define BOOTLACE_SUPPORT_PATCH 0

/* For comparisons: BOOTLACE_SUPPORT_VERSION >= BOOTLACE_SUPPORT_MAKE_VERSION(0, 1, 0). */
#define BOOTLACE_SUPPORT_MAKE_VERSION(major, minor, patch) ((major)*10000 + (minor)*100 + (patch))
#define BOOTLACE_SUPPORT_VERSION                                                                   \
    BOOTLACE_SUPPORT_MAKE_VERSION(BOOTLACE_SUPPORT_MAJOR, BOOTLACE_SUPPORT_MINOR,                  \
                                  BOOTLACE_SUPPORT_PATCH)

#endif
