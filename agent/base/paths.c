/* Where the agent's own files are. */
#include "base/paths.h"

#include "base/banned.h"
#include "base/memory.h"

#ifndef BOOTLACE_DEFAULT_LIBDIR
#error "the build says where the plug-ins are: BOOTLACE_DEFAULT_LIBDIR"
#endif

static const char *const standard[] = {
    [PATHS_ETC] = "/etc/bootlace",
    [PATHS_STATE] = "/var/lib/bootlace",
    [PATHS_RUN] = "/run/bootlace",
    [PATHS_LOG] = "/var/log/bootlace.log",
    [PATHS_OUTPUT_LOG] = "/var/log/bootlace-output.log",
    [PATHS_SEED] = "/var/lib/bootlace/seed",
    [PATHS_NOCLOUD] = "/var/lib/cloud/seed/nocloud",
    [PATHS_DMI] = "/sys/class/dmi/id",
    [PATHS_HYPERVISOR_UUID] = "/sys/hypervisor/uuid",
    [PATHS_KERNEL_COMMAND] = "/proc/cmdline",
    [PATHS_BOOT_ID] = "/proc/sys/kernel/random/boot_id",
    [PATHS_CLOUD_INIT_ACTIVE] = "/run/cloud-init/enabled",
};

static const char *other_root;

void paths_set_root(const char *root)
{
    other_root = root;
}

const char *paths_get(enum paths_name name)
{
    static char *prefixed[ARRAY_SIZE(standard)];
    const char *prefix = other_root ? other_root : secure_getenv("BOOTLACE_PREFIX");

    if (!prefix || !*prefix)
        return standard[name];
    if (!prefixed[name])
        prefixed[name] = memory_format("%s%s", prefix,
                                       other_root && name == PATHS_RUN ? "/var/lib/bootlace/run"
                                                                       : standard[name]);
    return prefixed[name];
}

const char *paths_library(void)
{
    const char *folder = secure_getenv("BOOTLACE_LIBDIR");

    return folder && *folder ? folder : BOOTLACE_DEFAULT_LIBDIR;
}
