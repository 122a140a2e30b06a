/*
 * Where the agent's own files are.
 *
 * BOOTLACE_PREFIX puts all of them below another folder (tests, trial runs); BOOTLACE_LIBDIR says
 * where the plug-ins and modules are. Both are ignored for a program that runs with more
 * privileges than its caller (secure_getenv(3)).
 */
#ifndef BOOTLACE_BASE_PATHS_H
#define BOOTLACE_BASE_PATHS_H

enum paths_name {
    PATHS_ETC,              /* /etc/bootlace */
    PATHS_STATE,            /* /var/lib/bootlace */
    PATHS_RUN,              /* /run/bootlace */
    PATHS_LOG,              /* /var/log/bootlace.log */
    PATHS_OUTPUT_LOG,       /* /var/log/bootlace-output.log */
    PATHS_SEED,             /* /var/lib/bootlace/seed */
    PATHS_NOCLOUD,          /* /var/lib/cloud/seed/nocloud */
    PATHS_DMI,              /* /sys/class/dmi/id */
    PATHS_HYPERVISOR_UUID,  /* /sys/hypervisor/uuid */
    PATHS_KERNEL_COMMAND,   /* /proc/cmdline */
    PATHS_BOOT_ID,          /* /proc/sys/kernel/random/boot_id */
    PATHS_CLOUD_INIT_ACTIVE /* /run/cloud-init/enabled */
};

/*
 * From here on they are below this folder (an absolute path without links), a tree that is not
 * running: it has no /run, so what belongs there is in /var/lib/bootlace/run. Before the first
 * paths_get.
 */
void paths_set_root(const char *root);

/* The absolute path, below the prefix; valid until the process ends. */
const char *paths_get(enum paths_name name);

/* The folder of plugins/ and modules/; valid until the process ends. */
const char *paths_library(void);

#endif
