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

enum { COMPARE_CHUNK = 65536 };

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

/* The folder of a path ("/a/b") below root; where make says so, what is missing is made 0755. */
static int open_folder(int root, const char *folder, bool make)
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
        if (next < 0 && errno == ENOENT && make && make_folder(current, name) == 0)
            next = open_in_root(root, path, O_PATH | O_DIRECTORY);
        memory_close_fd(&current);
        current = next;
    }
    return memory_take_fd(&current);
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

static int write_new(int folder, const char *name, const struct place *place)
{
    AUTO_FREE char *temporary = memory_format("%.200s.bootlace-%d", name, (int)getpid());
    AUTO_CLOSE int fd = -1;

    unlinkat(folder, temporary, 0); /* of a process of this id that was killed */
    fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                place->mode & 0700);
    if (fd < 0)
        return -errno;
    if (fchown(fd, place->owner, place->group) < 0 || fchmod(fd, place->mode) < 0 ||
        file_write_all(fd, place->bytes, place->size) < 0 || fdatasync(fd) < 0 ||
        renameat(folder, temporary, folder, name) < 0) {
        int saved = errno;

        unlinkat(folder, temporary, 0);
        return -saved;
    }
    return 1;
}

int place_file(const struct place *place)
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
    if (is_same(folder, name, place))
        return 0;
    return place->dry_run ? 1 : write_new(folder, name, place);
}
