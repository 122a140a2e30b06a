/* Puts a file below a root, atomically, without following any link out of it; see place.h. */
#include "run/place.h"

#include "base/banned.h"
#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum { COMPARE_CHUNK = 65536, TEMPORARY_STEM_MAX = 200, FLUSHED_ONE_BY_ONE = 4 };

static int open_in_root(int root, const char *path, uint64_t flags)
{
    struct open_how how = {.flags = flags | O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};

    return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

/* Makes a folder of just that mode, whatever the umask is; that it is there is well. */
static int make_folder(int parent, const char *name)
{
    AUTO_CLOSE int made = -1;

    if (mkdirat(parent, name, PLACE_FOLDER_MODE) < 0)
        return errno == EEXIST ? 0 : -1;
    made = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return made < 0 ? -1 : fchmod(made, PLACE_FOLDER_MODE);
}

/* The folder of a path ("/a/b") below root, component by component: what is missing is made. */
static int make_folders(int root, const char *folder)
{
    AUTO_CLOSE int current = open_in_root(root, "/", O_PATH | O_DIRECTORY);

    for (const char *end = folder; current >= 0 && *end;) {
        const char *component = end + strspn(end, "/");
        AUTO_FREE char *path = NULL, *name = NULL;
        int next;

        end = component + strcspn(component, "/");
        if (end == component)
            break;
        path = memory_copy_bytes(folder, (size_t)(end - folder));
        name = memory_copy_bytes(component, (size_t)(end - component));
        next = open_in_root(root, path, O_PATH | O_DIRECTORY);
        if (next < 0 && errno == ENOENT && make_folder(current, name) == 0)
            next = open_in_root(root, path, O_PATH | O_DIRECTORY);
        memory_close_fd(&current);
        current = next;
    }
    return memory_take_fd(&current);
}

/* The same; where make says so, what is missing is made 0755. Mostly nothing is. */
static int open_folder(int root, const char *folder, bool make)
{
    int fd = open_in_root(root, *folder ? folder : "/", O_PATH | O_DIRECTORY);

    return fd < 0 && errno == ENOENT && make ? make_folders(root, folder) : fd;
}

/* Whether the file is there with just these bytes, mode and owner. */
static bool is_same(int folder, const char *name, const struct place *place)
{
    AUTO_CLOSE int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    const char *expected = place->bytes;
    size_t left = place->size;
    struct stat info;
    char chunk[COMPARE_CHUNK];

    if (fd < 0 || fstat(fd, &info) < 0 || !S_ISREG(info.st_mode) ||
        (size_t)info.st_size != place->size || (info.st_mode & 07777) != place->mode ||
        info.st_uid != place->owner || info.st_gid != place->group)
        return false;
    while (left) {
        ssize_t count = read(fd, chunk, left < sizeof chunk ? left : sizeof chunk);

        if (count <= 0 || memcmp(chunk, expected, (size_t)count) != 0)
            return false;
        expected += count;
        left -= (size_t)count;
    }
    return true;
}

/* The same whoever writes the file: what a power cut left behind goes with the next try. */
static char *temporary_name(const char *name)
{
    return memory_format("%.*s.bootlace-new", TEMPORARY_STEM_MAX, name);
}

/* Writes the file under its temporary name: its descriptor, or a negative errno. */
static int write_new(int folder, const char *name, const struct place *place)
{
    AUTO_FREE char *temporary = temporary_name(name);
    AUTO_CLOSE int fd = -1;

    unlinkat(folder, temporary, 0);
    fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                place->mode & 0700);
    if (fd < 0)
        return -errno;
    if (fchown(fd, place->owner, place->group) < 0 || fchmod(fd, place->mode) < 0 ||
        file_write_all(fd, place->bytes, place->size) < 0) {
        int saved = errno;

        unlinkat(folder, temporary, 0);
        return -saved;
    }
    return memory_take_fd(&fd);
}

static bool is_first_on(const struct place_batch *batch, size_t i, bool folders)
{
    const struct place_waiting *items = batch->items;

    for (size_t j = 0; j < i; j++) {
        if (items[j].device == items[i].device &&
            (!folders || items[j].folder_inode == items[i].folder_inode))
            return false;
    }
    return true;
}

/*
 * Brings what was written to the disk. A few files are flushed one by one; for many, the file
 * system is, which takes one turn of the disk, but takes along what others have just written.
 */
static int flush_files(struct place_batch *batch, size_t *failed)
{
    for (size_t i = 0; i < batch->count; i++) {
        int result = 0;

        if (batch->count <= FLUSHED_ONE_BY_ONE)
            result = fdatasync(batch->items[i].fd);
        else if (is_first_on(batch, i, false))
            result = syncfs(batch->items[i].fd);
        if (result < 0) {
            *failed = i;
            return -errno;
        }
    }
    return 0;
}

static int flush_folders(struct place_batch *batch, size_t *failed)
{
    for (size_t i = 0; i < batch->count; i++) {
        AUTO_CLOSE int folder = -1;

        if (!is_first_on(batch, i, true))
            continue;
        folder = openat(batch->items[i].folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder < 0 || fsync(folder) < 0) {
            *failed = i;
            return -errno;
        }
    }
    return 0;
}

/* One that cannot get its name keeps none of the others from it; the first such one is told. */
static int rename_files(struct place_batch *batch, size_t *failed)
{
    int result = 0;

    for (size_t i = 0; i < batch->count; i++) {
        const struct place_waiting *item = &batch->items[i];
        AUTO_FREE char *temporary = temporary_name(item->name);

        if (renameat(item->folder, temporary, item->folder, item->name) == 0 || result < 0)
            continue;
        *failed = i;
        result = -errno;
    }
    return result;
}

/* A temporary name that is still there belongs to a file that did not get its own. */
static void clear(struct place_batch *batch, bool give_up)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct place_waiting *item = &batch->items[i];
        AUTO_FREE char *temporary = temporary_name(item->name);

        if (give_up)
            unlinkat(item->folder, temporary, 0);
        close(item->fd);
        close(item->folder);
        free(item->name);
        free(item->path);
    }
    batch->count = 0;
}

int place_settle(struct place_batch *batch, char **failed)
{
    size_t at = 0, at_folder = 0;
    int result = flush_files(batch, &at), flushed;

    *failed = NULL;
    if (result == 0) {
        result = rename_files(batch, &at);
        flushed = flush_folders(batch, &at_folder);
        if (result == 0 && flushed < 0) {
            result = flushed;
            at = at_folder;
        }
    }
    if (result < 0)
        *failed = memory_copy_string(batch->items[at].path);
    clear(batch, result < 0);
    return result;
}

/* Whether the same file waits already, or one whose temporary name is the same. */
static bool waits(const struct place_batch *batch, const struct stat *folder, const char *name)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->items[i].device == folder->st_dev &&
            batch->items[i].folder_inode == folder->st_ino &&
            strncmp(batch->items[i].name, name, TEMPORARY_STEM_MAX) == 0)
            return true;
    }
    return false;
}

static bool is_folder(int folder, const char *name)
{
    struct stat info;

    return fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode);
}

/* Writes the file, which waits in the batch then; the folder's descriptor is taken over. */
static int add(struct place_batch *batch, int *folder, const struct stat *info, const char *name,
               const struct place *place)
{
    int fd = is_folder(*folder, name) ? -EISDIR : write_new(*folder, name, place);

    if (fd < 0)
        return fd;
    batch->items[batch->count++] = (struct place_waiting){.folder = memory_take_fd(folder),
                                                          .fd = fd,
                                                          .device = info->st_dev,
                                                          .folder_inode = info->st_ino,
                                                          .name = memory_copy_string(name),
                                                          .path = memory_copy_string(place->path)};
    return 1;
}

static int place_at(int *folder, const char *name, const struct place *place,
                    struct place_batch *batch)
{
    struct place_batch alone = {.count = 0};
    AUTO_FREE char *failed = NULL;
    struct stat info;
    int result;

    if (fstat(*folder, &info) < 0)
        return -errno;
    if (batch && (batch->count == PLACE_BATCH_MAX || waits(batch, &info, name)) &&
        (result = place_settle(batch, &failed)) < 0)
        return result;
    if (is_same(*folder, name, place))
        return 0;
    if (place->dry_run)
        return 1;
    result = add(batch ? batch : &alone, folder, &info, name, place);
    if (result > 0 && !batch) {
        int settled = place_settle(&alone, &failed);

        return settled < 0 ? settled : result;
    }
    return result;
}

int place_file(const struct place *place, struct place_batch *batch)
{
    AUTO_CLOSE int root = open(place->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    AUTO_FREE char *folder_path = memory_format("/%s", place->path);
    char *slash = strrchr(folder_path, '/');
    AUTO_FREE char *name = memory_copy_string(slash + 1);

    if (root < 0)
        return -errno;
    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return -EINVAL;
    *slash = '\0';
    AUTO_CLOSE int folder = open_folder(root, folder_path, !place->dry_run);
    if (folder < 0)
        return place->dry_run && errno == ENOENT ? 1 : -errno;
    return place_at(&folder, name, place, batch);
}
