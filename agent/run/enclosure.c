/* A program inside a tree that is not running; see enclosure.h. */
#include "run/enclosure.h"

#include "base/banned.h"
#include "base/memory.h"
#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>

enum { NOT_EXECUTED = 127 };

struct enclosure_ending *enclosure_ending_new(void)
{
    void *shared = mmap(NULL, sizeof(struct enclosure_ending), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return shared == MAP_FAILED ? NULL : shared;
}

void enclosure_ending_free(struct enclosure_ending *ending)
{
    if (ending)
        munmap(ending, sizeof *ending);
}

static int give_up(const struct enclosure *enclosure)
{
    enclosure->ending->failure = errno;
    return NOT_EXECUTED;
}

/* Mounts on a folder of the tree where it has that folder; no link leads out of it. */
static int mount_inside(const struct enclosure *enclosure, const char *name, const char *source,
                        const char *type, unsigned long flags)
{
    AUTO_FREE char *path = memory_format("%s%s", enclosure->root, name);
    AUTO_CLOSE int folder = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    AUTO_FREE char *target = memory_format("/proc/self/fd/%d", folder);

    return folder < 0 ? 0 : mount(source, target, type, flags, NULL);
}

static int mount_all(const struct enclosure *enclosure)
{
    if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ||
        mount_inside(enclosure, "/dev", "/dev", NULL, MS_BIND | MS_REC) < 0 ||
        mount_inside(enclosure, "/sys", "/sys", NULL, MS_BIND | MS_REC) < 0 ||
        mount_inside(enclosure, "/run", "tmpfs", "tmpfs", MS_NOSUID | MS_NODEV) < 0)
        return -1;
    /* The last one: the others are found by way of the machine's own. */
    return mount_inside(enclosure, "/proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC);
}

static int execute(const struct enclosure *enclosure)
{
    char *path;

    if (chroot(enclosure->root) < 0 || chdir(enclosure->folder) < 0 ||
        setenv("SYSTEMD_OFFLINE", "1", 1) < 0)
        return give_up(enclosure);
    errno = ENOENT;
    path = process_find(enclosure->argv[0]);
    if (path)
        execve(path, (char *const *)enclosure->argv, environ);
    return give_up(enclosure);
}

static int wait_for(pid_t pid)
{
    int status = 0;
    pid_t ended;

    do
        ended = wait(&status);
    while (ended != pid && (ended >= 0 || errno == EINTR));
    return ended == pid ? status : 0;
}

/* The first process of its namespace: when it ends, everything in there does. */
static int first_process(const struct enclosure *enclosure)
{
    pid_t pid;

    if (mount_all(enclosure) < 0)
        return give_up(enclosure);
    pid = fork();
    if (pid < 0)
        return give_up(enclosure);
    if (pid == 0)
        _exit(execute(enclosure));
    enclosure->ending->status = wait_for(pid);
    return 0;
}

int enclosure_main(void *context)
{
    const struct enclosure *enclosure = context;
    pid_t pid;
    int status;

    if (unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC) < 0)
        return give_up(enclosure);
    pid = fork();
    if (pid < 0)
        return give_up(enclosure);
    if (pid == 0)
        _exit(first_process(enclosure));
    status = wait_for(pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : NOT_EXECUTED;
}
