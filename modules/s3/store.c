/* What has been fetched ahead; see store.h. */
#include <s3/store.h>

#include <support/text.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { ROOM_PART = 4 /* of what is free, one in so many may be used */ };

void store_name(const struct copy *copy, const struct object *object,
                char name[REMEMBER_DIGEST_MAX])
{
    const struct item *item = copy->item;
    char number[32], hex[CHECKSUM_HEX_MAX];
    const char *const texts[] = {
        item->endpoint ? item->endpoint : "", item->bucket, object->key, object->etag, number, hex};
    size_t sizes[sizeof texts / sizeof *texts];

    snprintf(number, sizeof number, "%" PRIu64, object->size);
    checksum_hex(&item->checksum, hex);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        sizes[i] = strlen(texts[i]);
    remember_digest(name, texts, sizes, sizeof texts / sizeof *texts);
}

uint64_t store_room(const struct copy *copy)
{
    struct statvfs info;

    if (copy->store->top < 0 || fstatvfs(copy->store->top, &info) < 0)
        return 0;
    return (uint64_t)info.f_bavail * info.f_frsize / ROOM_PART;
}

int store_open(const struct copy *copy, const struct object *object)
{
    char name[REMEMBER_DIGEST_MAX];
    struct stat info;
    int fd;

    if (copy->store->top < 0)
        return -ENOENT;
    store_name(copy, object, name);
    fd = openat(copy->store->top, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (fstat(fd, &info) == 0 && (uint64_t)info.st_size == object->size)
        return fd;
    close(fd);
    return -ENOENT;
}

/* Between file systems of two kinds, sendfile(2) alone does it. */
static ssize_t copy_some(int from, int to, size_t size)
{
    ssize_t count = copy_file_range(from, NULL, to, NULL, size, 0);

    if (count >= 0 || (errno != EXDEV && errno != EINVAL && errno != EOPNOTSUPP && errno != ENOSYS))
        return count;
    return sendfile(to, from, NULL, size);
}

static int copy_bytes(int from, int to, uint64_t size)
{
    uint64_t done = 0;

    while (done < size) {
        ssize_t count = copy_some(from, to, (size_t)(size - done));

        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count < 0 ? -errno : -ENODATA;
        done += (uint64_t)count;
    }
    return 0;
}

int store_take(const struct copy *copy, const struct object *object, struct places *into,
               const char *path)
{
    char name[REMEMBER_DIGEST_MAX], temporary[PLACES_TEMPORARY_MAX];
    int from = store_open(copy, object), folder, to, result;
    const char *last;

    if (from < 0)
        return from;
    folder = places_folder_of(into, path, true, &last);
    if (folder < 0) {
        close(from);
        return folder;
    }
    store_name(copy, object, name);
    places_temporary(path, temporary);
    if (renameat(copy->store->top, name, folder, temporary) == 0)
        return from;
    /* On another file system. */
    to = places_create(into, path);
    result = to < 0 ? to : copy_bytes(from, to, object->size);
    close(from);
    if (result < 0 && to >= 0) {
        close(to);
        places_discard(into, path);
    }
    return result < 0 ? result : to;
}

void store_clear(const struct copy *copy)
{
    int fd = copy->store->top < 0
                 ? -1
                 : openat(copy->store->top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    while (stream && (entry = readdir(stream)))
        unlinkat(copy->store->top, entry->d_name, 0); /* "." and ".." are folders, and stay */
    if (stream)
        closedir(stream);
    if (copy->state->top >= 0)
        unlinkat(copy->state->top, "ahead", AT_REMOVEDIR);
}
