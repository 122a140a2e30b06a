/* The kernel that runs and the one that is installed; see restart.h. */
#include "restart.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <support/tree.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The kernels' folders, by their releases: those that have a list of their modules are whole. */
static char *newest_kernel(const struct bootlace_host *host)
{
    int fd = tree_open(host, "/lib/modules", O_RDONLY | O_DIRECTORY);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    char *newest = NULL;

    while (folder && (entry = readdir(folder))) {
        if (*entry->d_name == '.' ||
            !tree_has(host, text_format("/lib/modules/%s/modules.dep", entry->d_name)))
            continue;
        if (!newest || strverscmp(entry->d_name, newest) > 0) {
            free(newest);
            newest = text_format("%s", entry->d_name);
        }
    }
    if (folder)
        closedir(folder);
    return newest;
}

const char *restart_kernel(const struct work *work)
{
    char *newest = newest_kernel(work->host);
    struct utsname now;

    if (!newest || uname(&now) < 0 || strcmp(now.release, newest) == 0)
        return NULL;
    return text_format("the kernel %s is installed, and %s runs", newest, now.release);
}
