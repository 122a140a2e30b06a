/* Whether a file is the copy of an object; see local.h. */
#include <s3/local.h>

#include <s3/hashing.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { MODE_BITS = 07777, NS_PER_S = 1000000000 };

static int open_file(struct copy *copy, const char *path)
{
    const char *name;
    int folder = places_folder_of(&copy->target, path, false, &name), fd;

    if (folder < 0)
        return folder;
    fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static bool has_content(int fd, const struct object *object)
{
    struct checksum expected, sum;

    return checksum_of_etag(object->etag, &expected) &&
           hashing_file(fd, object->size, CHECKSUM_MD5, &sum) == 0 &&
           checksum_equal(&sum, &expected);
}

/* Of the file's name, so that nothing is opened where the record tells it all. */
static int look_at(struct copy *copy, const char *path, struct stat *info)
{
    const char *name;
    int folder = places_folder_of(&copy->target, path, false, &name);

    if (folder < 0)
        return folder;
    return fstatat(folder, name, info, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

enum local_state local_compare(struct copy *copy, const struct object *object, const char *path,
                               int64_t *modified_ns)
{
    const struct record_line *line = record_find(&copy->record, path);
    const struct rights *rights = &copy->item->rights;
    struct stat info;
    bool same;
    int fd;

    if (!copy->item->if_changed || look_at(copy, path, &info) < 0 || !S_ISREG(info.st_mode) ||
        (uint64_t)info.st_size != object->size)
        return LOCAL_OTHER;
    *modified_ns = info.st_mtim.tv_sec * (int64_t)NS_PER_S + info.st_mtim.tv_nsec;
    same = line && strcmp(line->etag, object->etag) == 0 && line->size == info.st_size &&
           line->modified_ns == *modified_ns;
    if (!same) {
        fd = open_file(copy, path);
        same = fd >= 0 && has_content(fd, object);
        if (fd >= 0)
            close(fd);
    }
    if (!same)
        return LOCAL_OTHER;
    return (info.st_mode & MODE_BITS) == rights->mode && info.st_uid == rights->owner &&
                   info.st_gid == rights->group_id
               ? LOCAL_SAME
               : LOCAL_UNDRESSED;
}

int local_dress(struct copy *copy, const char *path)
{
    const struct rights *rights = &copy->item->rights;
    int fd = open_file(copy, path), result = 0;

    if (fd < 0)
        return fd;
    if (fchown(fd, rights->owner, rights->group_id) < 0 || fchmod(fd, rights->mode) < 0)
        result = -errno;
    close(fd);
    return result;
}
