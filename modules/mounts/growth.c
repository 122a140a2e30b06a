/* File systems that grow; see growth.h. */
#include "growth.h"

#include <errno.h>
#include <string.h>
#include <support/program.h>
#include <support/text.h>
#include <sys/statvfs.h>

enum { GROW_LIMIT_S = 600 };

static unsigned long long size_of(const char *target)
{
    struct statvfs info;

    return statvfs(target, &info) == 0 ? (unsigned long long)info.f_blocks * info.f_frsize : 0;
}

int growth_fill(const struct bootlace_host *host, const char *device, const char *type,
                const char *target, const char **why)
{
    const char *const ext[] = {"resize2fs", device, NULL};
    const char *const xfs[] = {"xfs_growfs", "-d", target, NULL};
    const char *const btrfs[] = {"btrfs", "filesystem", "resize", "max", target, NULL};
    const char *const *argv = strncmp(type, "ext", 3) == 0 ? ext
                              : strcmp(type, "xfs") == 0   ? xfs
                              : strcmp(type, "btrfs") == 0 ? btrfs
                                                           : NULL;
    unsigned long long before = size_of(target);
    int result;

    if (!argv) {
        *why = text_format("a file system of type %s cannot grow while it is mounted", type);
        return -EOPNOTSUPP;
    }
    result = program_change(host, argv, NULL, GROW_LIMIT_S, why);
    if (result == -ENOENT)
        *why = text_format("%s is not installed", *argv);
    return result < 0 ? result : size_of(target) > before;
}
