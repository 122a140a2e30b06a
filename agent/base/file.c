/* Files of the agent's own: whole reads with a cap, atomic writes, appends. */
#include "base/file.h"

#include "base/banned.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/random.h>
#include <sys/stat.h>

enum { READ_CHUNK = 65536, SMALL_CHUNK = 4096, TEMPORARY_TRIES = 8 };

/* How much to read at a time: a file's whole size and a byte more, which finds its end at once. */
static size_t chunk_for(int fd)
{
    struct stat info;

    if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode) || info.st_size <= 0)
        return SMALL_CHUNK;
    return info.st_size < READ_CHUNK ? (size_t)info.st_size + 1 : READ_CHUNK;
}

int file_read(int folder, const char *path, struct buffer *out, struct error *error)
{
    AUTO_CLOSE int fd = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    size_t chunk;

    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (fd < 0)
        return error_errno(error, ERROR_INTERNAL, errno, "cannot open %s", path);
    chunk = chunk_for(fd);
    for (;;) {
        size_t left = out->maximum - out->size;
        size_t wanted = left < chunk ? left : chunk;
        /* One byte more than may come, so that a file of exactly the maximum is no error. */
        char last;
        char *room = left ? buffer_room(out, wanted) : &last;
        ssize_t count = read(fd, room, left ? wanted : 1);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return error_errno(error, ERROR_INTERNAL, errno, "cannot read %s", path);
        if (count == 0)
            return 1;
        if (!left)
            return error_set(error, ERROR_INPUT, "%s is larger than %zu bytes", path, out->maximum);
        buffer_grown(out, (size_t)count);
    }
}

int file_write_all(int fd, const void *bytes, size_t size)
{
    const char *next = bytes;

    while (size) {
        ssize_t count = write(fd, next, size);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        next += count;
        size -= (size_t)count;
    }
    return 0;
}

/* Opens a new file beside path under a name that nobody can guess; the name goes to temporary. */
static int open_temporary(int folder, const char *path, mode_t mode, char temporary[PATH_MAX])
{
    for (int i = 0; i < TEMPORARY_TRIES; i++) {
        unsigned long long random = 0;
        int fd;

        if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0)
            random = (unsigned long long)getpid();
        if (snprintf(temporary, PATH_MAX, "%s.%016llx", path, random) >= PATH_MAX) {
            errno = ENAMETOOLONG;
            return -1;
        }
        fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        if (fd >= 0 && fchmod(fd, mode) < 0) {
            close(fd);
            unlinkat(folder, temporary, 0);
            return -1;
        }
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

int file_write(int folder, const char *path, const void *bytes, size_t size, mode_t mode,
               struct error *error)
{
    char temporary[PATH_MAX];
    AUTO_CLOSE int fd = open_temporary(folder, path, mode, temporary);

    if (fd < 0)
        return error_errno(error, ERROR_INTERNAL, errno, "cannot make a file beside %s", path);
    if (file_write_all(fd, bytes, size) < 0 || renameat(folder, temporary, folder, path) < 0) {
        int saved = errno;

        unlinkat(folder, temporary, 0);
        return error_errno(error, ERROR_INTERNAL, saved, "cannot write %s", path);
    }
    return 0;
}

int file_make_folders(int folder, const char *path, mode_t mode, struct error *error)
{
    char part[PATH_MAX];
    size_t length = strlen(path);

    if (length >= sizeof part)
        return error_errno(error, ERROR_INTERNAL, ENAMETOOLONG, "cannot make a folder");
    /* Nearly always it is there already: one call tells. */
    if (mkdirat(folder, path, mode) == 0 || errno == EEXIST)
        return 0;
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdirat(folder, part, mode) < 0 && errno != EEXIST)
            return error_errno(error, ERROR_INTERNAL, errno, "cannot make the folder %s", part);
    }
    return 0;
}

int file_open_folder(int folder, const char *path, struct error *error)
{
    int fd = openat(folder, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        error_errno(error, ERROR_INTERNAL, errno, "cannot open the folder %s", path);
    return fd;
}

int file_remove(int folder, const char *path, struct error *error)
{
    if (unlinkat(folder, path, 0) < 0 && errno != ENOENT)
        return error_errno(error, ERROR_INTERNAL, errno, "cannot remove %s", path);
    return 0;
}

bool file_exists(int folder, const char *path)
{
    return faccessat(folder, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool file_name_is_plain(const char *name, size_t maximum)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789._-";
    size_t length = strlen(name);

    return length && length <= maximum && name[0] != '.' && strspn(name, allowed) == length;
}
