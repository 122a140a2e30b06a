/* What tells one machine and one boot from another. */
#ifndef BOOTLACE_OS_MACHINE_H
#define BOOTLACE_OS_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

enum { MACHINE_ID_MAX = 128 };

/*
 * What the hypervisor says of this machine and no image carries along: DMI's product UUID, or
 * Xen's; "" where there is neither. The same text means the same machine. Returns text.
 */
char *machine_identity(char text[static MACHINE_ID_MAX]);

/* The kernel's id of this boot (random(4), boot_id); "" where it cannot be read. Returns text. */
char *machine_boot_id(char text[static MACHINE_ID_MAX]);

/* Whether the kernel's command line has this word. */
bool machine_kernel_word(const char *word);

#endif
