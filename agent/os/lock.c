/* One run at a time: a POSIX record lock on a file; see lock.h. */
#include "os/lock.h"

#include "base/banned.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>

static const struct flock whole_file = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

static pid_t ask_holder(int fd)
{
    struct flock lock = whole_file;

    return fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? lock.l_pid : 0;
}

int lock_take(const char *path, pid_t *holder, struct error *error)
{
    AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct flock lock = whole_file;

    if (fd < 0)
        return error_errno(error, ERROR_INTERNAL, errno, "cannot open the lock %s", path);
    if (fcntl(fd, F_SETLK, &lock) == 0)
        return memory_take_fd(&fd);
    if (errno != EACCES && errno != EAGAIN)
        return error_errno(error, ERROR_INTERNAL, errno, "cannot lock %s", path);
    *holder = ask_holder(fd);
    error_set(error, ERROR_BUSY, "another run is under way (process %d)", (int)*holder);
    return error_hint(error, "`bootlace status --wait` waits for it");
}

pid_t lock_holder(const char *path)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    return fd < 0 ? 0 : ask_holder(fd);
}
