/* The partition behind a mount point; see disk.h. */
#include "disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/text.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum {
    NUMBER_MAX = 32,
    MOUNTINFO_MAX = 1 << 20,
    /* GPT's copy at the end takes 33 sectors, and partitions end at whole MiB: less than this is no
     * growth. */
    LEAST_ROOM = 4096
};

/* Octal escapes, as \040 for a blank, in place. */
static void unescape(char *text)
{
    char *out = text;

    for (; *text; text++) {
        if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] && text[3]) {
            *out++ = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
            text += 3;
        } else {
            *out++ = *text;
        }
    }
    *out = '\0';
}

/* ID PARENT MAJOR:MINOR ROOT TARGET OPTIONS [FIELD…] - TYPE SOURCE OPTIONS */
static bool read_line(char *line, const char *target, struct disk_mount *mount)
{
    char *fields[5], *behind = strstr(line, " - "), *type, *source;

    for (size_t i = 0; i < 5; i++)
        fields[i] = strsep(&line, " ");
    if (!fields[4] || !behind)
        return false;
    unescape(fields[4]);
    if (strcmp(fields[4], target) != 0)
        return false;
    behind += strlen(" - ");
    type = strsep(&behind, " ");
    source = strsep(&behind, " ");
    if (!type || !source)
        return false;
    unescape(source);
    *mount = (struct disk_mount){.major_number = 0};
    snprintf(mount->type, sizeof mount->type, "%s", type);
    snprintf(mount->source, sizeof mount->source, "%s", source);
    return sscanf(fields[2], "%u:%u", &mount->major_number, &mount->minor_number) == 2;
}

bool disk_find_mount(const char *mountinfo, const char *target, struct disk_mount *mount)
{
    char *copy = text_format("%s", mountinfo), *rest = copy, *line;
    bool found = false;

    while ((line = strsep(&rest, "\n"))) /* what was mounted last lies on top */
        found = read_line(line, target, mount) || found;
    free(copy);
    return found;
}

int disk_read_mount(const char *target, struct disk_mount *mount)
{
    int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    struct text text = {0};
    ssize_t size;

    if (fd < 0)
        return -errno;
    while (text.size < MOUNTINFO_MAX && (size = read(fd, text_room(&text, BUFSIZ), BUFSIZ)) > 0)
        text.size += (size_t)size;
    close(fd);
    text_add(&text, "", 1);
    return disk_find_mount(text_string(&text), target, mount) ? 0 : -ENOENT;
}

int disk_numbers(const struct disk_mount *mount, unsigned *major_number, unsigned *minor_number)
{
    struct stat info;

    /* A mount of btrfs has a number of its own, which is of no device. */
    if (mount->major_number == 0) {
        if (*mount->source != '/' || stat(mount->source, &info) < 0 || !S_ISBLK(info.st_mode))
            return -ENOTBLK;
        *major_number = major(info.st_rdev);
        *minor_number = minor(info.st_rdev);
        return 0;
    }
    *major_number = mount->major_number;
    *minor_number = mount->minor_number;
    return 0;
}

/* A number from a file of a folder of sysfs; false where there is none. */
static bool read_number(const char *folder, const char *name, unsigned long long *number)
{
    char text[NUMBER_MAX] = "", *path = text_format("%s/%s", folder, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    if (fd >= 0)
        close(fd);
    free(path);
    *number = size > 0 ? strtoull(text, NULL, 10) : 0;
    return size > 0;
}

static bool has_folder(const char *folder, const char *name)
{
    char *path = text_format("%s/%s", folder, name);
    bool has = access(path, F_OK) == 0;

    free(path);
    return has;
}

/* Whether one of the disk's partitions begins behind this one. */
static bool is_followed(const char *disk, unsigned long long start)
{
    DIR *folder = opendir(disk);
    const struct dirent *entry;
    unsigned long long other;
    bool followed = false;

    while (folder && !followed && (entry = readdir(folder))) {
        char *path = text_format("%s/%s", disk, entry->d_name);

        followed = *entry->d_name != '.' && has_folder(path, "partition") &&
                   read_number(path, "start", &other) && other > start;
        free(path);
    }
    if (folder)
        closedir(folder);
    return followed;
}

static void take_name(char name[static DISK_TEXT_MAX], const char *folder)
{
    const char *slash = strrchr(folder, '/');

    snprintf(name, DISK_TEXT_MAX, "%s", slash ? slash + 1 : folder);
}

int disk_read(unsigned major_number, unsigned minor_number, struct disk_partition *partition)
{
    char *link = text_format("/sys/dev/block/%u:%u", major_number, minor_number);
    char *folder = realpath(link, NULL), *disk;
    unsigned long long number = 0;

    free(link);
    *partition = (struct disk_partition){.number = 0};
    if (!folder)
        return -errno;
    take_name(partition->name, folder);
    read_number(folder, "size", &partition->size);
    partition->mapped = has_folder(folder, "dm") || has_folder(folder, "md");
    if (read_number(folder, "partition", &number)) {
        read_number(folder, "start", &partition->start);
        disk = text_format("%.*s", (int)(strrchr(folder, '/') - folder), folder);
        take_name(partition->disk, disk);
        read_number(disk, "size", &partition->disk_size);
        partition->number = (unsigned)number;
        partition->followed = is_followed(disk, partition->start);
        free(disk);
    }
    free(folder);
    return 0;
}

unsigned long long disk_room(const struct disk_partition *partition)
{
    unsigned long long end = partition->start + partition->size;

    if (!partition->number || partition->followed || partition->disk_size < end + LEAST_ROOM)
        return 0;
    return partition->disk_size - end;
}
