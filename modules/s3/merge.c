/* A folder's content moved into another; see merge.h. */
#include <s3/merge.h>

#include <support/text.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

struct merging {
    bool move; /* false: only look whether it can be */
    char *why;
    size_t why_size;
};

static DIR *open_stream(int folder)
{
    int fd = openat(folder, ".", FOLDER_FLAGS);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);

    if (!stream && fd >= 0)
        close(fd);
    return stream;
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int merge(const struct merging *merging, int from, int to, const char *path);

static int merge_folders(const struct merging *merging, int from, int to, const char *name,
                         const char *path)
{
    int below = openat(from, name, FOLDER_FLAGS), there = openat(to, name, FOLDER_FLAGS);
    int result = below < 0 || there < 0 ? -errno : merge(merging, below, there, path);

    if (below >= 0)
        close(below);
    if (there >= 0)
        close(there);
    return result;
}

static int merge_name(const struct merging *merging, int from, int to, const char *name,
                      const char *path)
{
    struct stat new, old;
    bool is_there;

    if (fstatat(from, name, &new, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    is_there = fstatat(to, name, &old, AT_SYMLINK_NOFOLLOW) == 0;
    if (is_there && S_ISDIR(new.st_mode) != S_ISDIR(old.st_mode)) {
        snprintf(merging->why, merging->why_size, "%s is %s, and the archive has %s there", path,
                 S_ISDIR(old.st_mode)   ? "a directory"
                 : S_ISLNK(old.st_mode) ? "a link"
                                        : "no directory",
                 S_ISDIR(new.st_mode) ? "a directory" : "a file");
        return S_ISDIR(new.st_mode) ? -ENOTDIR : -EISDIR;
    }
    if (is_there && S_ISDIR(new.st_mode))
        return merge_folders(merging, from, to, name, path);
    return merging->move && renameat(from, name, to, name) < 0 ? -errno : 0;
}

static int merge(const struct merging *merging, int from, int to, const char *path)
{
    DIR *stream = open_stream(from);
    const struct dirent *entry;
    int result = stream ? 0 : -errno;

    while (result == 0 && (entry = readdir(stream))) {
        char *below;

        if (is_dots(entry->d_name))
            continue;
        below = text_format("%s%s%s", path, *path ? "/" : "", entry->d_name);
        result = merge_name(merging, from, to, entry->d_name, below);
        free(below);
    }
    if (stream)
        closedir(stream);
    return result;
}

int merge_into(int from, int to, char *why, size_t why_size)
{
    struct merging merging = {false, why, why_size};
    int result = merge(&merging, from, to, "");

    merging.move = true;
    return result < 0 ? result : merge(&merging, from, to, "");
}

void merge_remove(int folder, const char *name)
{
    const struct dirent *entry;
    DIR *stream;
    int fd;

    if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
        return;
    fd = openat(folder, name, FOLDER_FLAGS);
    stream = fd < 0 ? NULL : open_stream(fd);
    while (stream && (entry = readdir(stream))) {
        if (!is_dots(entry->d_name))
            merge_remove(fd, entry->d_name);
    }
    if (stream)
        closedir(stream);
    if (fd >= 0)
        close(fd);
    unlinkat(folder, name, AT_REMOVEDIR);
}
