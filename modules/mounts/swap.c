/* A swap file; see swap.h. */
#include "swap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/input.h>
#include <support/program.h>
#include <support/text.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "place.h"

enum { MIB = 1 << 20, LEAST_MIB = 16, AUTO_MOST_GIB = 8, FREE_PART = 4, FILE_MODE = 0600 };

static const char default_file[] = "/swap.img";

int swap_read_size(const json_t *size, uint64_t *bytes)
{
    static const char units[] = "KMGT";
    const char *text = json_string_value(size), *unit;
    char *end;
    double number;

    if (json_is_integer(size) && json_integer_value(size) >= 0) {
        *bytes = (uint64_t)json_integer_value(size);
        return 0;
    }
    number = text ? strtod(text, &end) : -1;
    if (!(number >= 0) || number > 1e15 || end == text)
        return -EINVAL;
    unit = *end ? strchr(units, *end & ~0x20) : NULL;
    for (const char *one = units; unit && one <= unit; one++)
        number *= 1024;
    end += unit != NULL;
    end += *end == 'B' || *end == 'b';
    if (*end || number > 1e15)
        return -EINVAL;
    *bytes = (uint64_t)number;
    return 0;
}

uint64_t swap_auto_size(uint64_t memory, uint64_t available, uint64_t most)
{
    uint64_t size = memory;

    if (size > (uint64_t)AUTO_MOST_GIB << 30)
        size = (uint64_t)AUTO_MOST_GIB << 30;
    if (most && size > most)
        size = most;
    if (size > available / FREE_PART)
        size = available / FREE_PART;
    size -= size % MIB;
    return size < (uint64_t)LEAST_MIB * MIB ? 0 : size;
}

static int choose_size(const json_t *swap, const char *path, uint64_t *size, const char **why)
{
    const json_t *wanted = json_object_get(swap, "size"), *limit = json_object_get(swap, "maxsize");
    char *folder = text_format("%s", path);
    struct statvfs disk;
    struct sysinfo memory;
    uint64_t most = 0;

    *strrchr(folder, '/') = '\0';
    if (limit && swap_read_size(limit, &most) < 0) {
        *why = "swap.maxsize is no size, such as 2G";
        return -EINVAL;
    }
    if (!wanted || strcmp(json_is_string(wanted) ? json_string_value(wanted) : "", "auto") != 0) {
        *why = "swap.size is no size, such as 512M, and not auto";
        return wanted ? swap_read_size(wanted, size) : (*size = 0, 0);
    }
    if (statvfs(*folder ? folder : "/", &disk) < 0 || sysinfo(&memory) < 0) {
        *why = text_format("%s cannot be looked at: %s", folder, strerror(errno));
        return -errno;
    }
    *size = swap_auto_size((uint64_t)memory.totalram * memory.mem_unit,
                           (uint64_t)disk.f_bavail * disk.f_frsize, most);
    return 0;
}

/* Blocks that are really there, without copy-on-write, which btrfs wants said before they are. */
static int fill(int fd, uint64_t size)
{
    int flags;

    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0) {
        flags |= FS_NOCOW_FL;
        ioctl(fd, FS_IOC_SETFLAGS, &flags);
    }
    if (fchmod(fd, FILE_MODE) < 0 || fchown(fd, 0, 0) < 0)
        return -errno;
    return -posix_fallocate(fd, 0, (off_t)size);
}

static int make_file(const char *path, uint64_t size, const char **why)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    int result = fd < 0 ? -errno : fill(fd, size);

    if (fd >= 0)
        close(fd);
    if (fd >= 0 && result < 0)
        unlink(path);
    if (result < 0)
        *why = text_format("%s of %llu MiB cannot be made: %s", path,
                           (unsigned long long)(size / MIB), strerror(-result));
    return result;
}

static int make(const struct bootlace_host *host, const char *path, uint64_t size, const char **why)
{
    const char *const argv[] = {"mkswap", path, NULL};
    int result;

    if (host->dry_run) {
        host->log(host, BOOTLACE_INFO, "would make %s of %llu MiB", path,
                  (unsigned long long)(size / MIB));
        return 1;
    }
    result = make_file(path, size, why);
    if (result == 0)
        result = program_change(host, argv, NULL, PROGRAM_LIMIT_S, why);
    if (result < 0 && result != -EEXIST)
        unlink(path);
    return result < 0 ? result : 1;
}

int swap_take(const struct bootlace_host *host, const json_t *swap, const char **why)
{
    const char *path = default_file;
    struct place place = {
        .line = {.target = "none", .type = "swap", .options = "sw", .frequency = "0", .pass = "0"}};
    struct stat info;
    uint64_t size = 0;
    int made = 0, result;

    *why = "its settings are none";
    if (input_text(host, swap, "filename", &path) < 0)
        return -EINVAL;
    if (!place_is_target(path) || !path[1]) {
        *why = "swap.filename is no absolute path without . and ..";
        return -EINVAL;
    }
    if (lstat(path, &info) < 0) {
        result = choose_size(swap, path, &size, why);
        if (result < 0)
            return result;
        if (!size) {
            *why = "no swap was asked for, or there is no room for it";
            return 0;
        }
        made = make(host, path, size, why);
        if (made < 0 || host->dry_run)
            return made;
    }
    place.line.source = path;
    result = place_take(host, &place, why);
    return result < 0 ? result : made || result;
}
