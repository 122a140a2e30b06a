/*
 * The locks of the package managers; see locks.h.
 *
 * fcntl(2) tells who holds a lock of the kind that dpkg, apt and rpm use, unless it belongs to an
 * open file instead of a process; then, and for the others, it is who has the file open, by
 * proc(5).
 */
#include "locks.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/tree.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    POLL_MS = 250,
    MS_PER_S = 1000,
    NS_PER_MS = 1000000,
    PROC_PATH_MAX = 300, /* /proc/PID/fd/NUMBER */
    NAME_ROOM = 64,
    UNIT_ROOM = 256,
    STATE_ROOM = 4096,
    NUMBER_ROOM = 32
};

/* Who holds a lock; pid 0 where it cannot be told. */
struct holder {
    pid_t pid;
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
}

/* The first bytes of a file of proc(5), as a string. */
static const char *read_proc(pid_t pid, const char *name, char *room, size_t size)
{
    char path[PROC_PATH_MAX];
    ssize_t count = -1;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        count = read(fd, room, size - 1);
        close(fd);
    }
    room[count > 0 ? count : 0] = '\0';
    return room;
}

static bool has_open(pid_t pid, const struct stat *file)
{
    char path[PROC_PATH_MAX];
    struct dirent *entry;
    struct stat info;
    bool found = false;
    DIR *folder;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    folder = opendir(path);
    while (folder && !found && (entry = readdir(folder)))
        found = isdigit((unsigned char)*entry->d_name) &&
                fstatat(dirfd(folder), entry->d_name, &info, 0) == 0 &&
                info.st_dev == file->st_dev && info.st_ino == file->st_ino;
    if (folder)
        closedir(folder);
    return found;
}

/* The first process that has the file open, other than this one; 0: none. */
static pid_t find_opener(int fd)
{
    struct dirent *entry;
    struct stat info;
    pid_t found = 0;
    DIR *folder = fstat(fd, &info) == 0 ? opendir("/proc") : NULL;

    while (folder && !found && (entry = readdir(folder))) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

        if (pid > 0 && pid != getpid() && has_open(pid, &info))
            found = pid;
    }
    if (folder)
        closedir(folder);
    return found;
}

static bool is_locked(int fd, struct holder *holder)
{
    struct flock record = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    bool locked = fcntl(fd, F_GETLK, &record) == 0 && record.l_type != F_UNLCK;

    if (!locked && flock(fd, LOCK_EX | LOCK_NB) < 0)
        locked = errno == EWOULDBLOCK;
    else if (!locked)
        flock(fd, LOCK_UN);
    if (locked)
        holder->pid = record.l_type != F_UNLCK && record.l_pid > 0 ? record.l_pid : find_opener(fd);
    return locked;
}

/* Whether the file has the number of a process that lives. */
static bool names_process(int fd, struct holder *holder)
{
    char number[NUMBER_ROOM];
    ssize_t count = pread(fd, number, sizeof number - 1, 0);

    number[count > 0 ? count : 0] = '\0';
    holder->pid = (pid_t)strtol(number, NULL, 10);
    return holder->pid > 0 && (kill(holder->pid, 0) == 0 || errno == EPERM);
}

/* When this machine was started, by the clock on the wall. */
static time_t boot_time(void)
{
    struct timespec up, wall;

    clock_gettime(CLOCK_BOOTTIME, &up);
    clock_gettime(CLOCK_REALTIME, &wall);
    return wall.tv_sec - up.tv_sec;
}

/* A file of a lock that is left from before this boot is nobody's, and goes. */
static bool is_left_over(const struct work *work, const struct lock *lock, int fd)
{
    const struct bootlace_host *host = work->host;
    struct stat info;

    if (find_opener(fd) || fstat(fd, &info) < 0 || info.st_mtime >= boot_time())
        return false;
    host->log(host, BOOTLACE_WARNING,
              "%s was left by a program that is gone: it is from before this boot", lock->path);
    return tree_remove(host, lock->path) > 0;
}

static bool is_held(const struct work *work, const struct lock *lock, struct holder *holder)
{
    int fd = tree_open(work->host, lock->path, O_RDWR);
    bool held;

    *holder = (struct holder){0};
    if (fd < 0)
        return false;
    if (lock->kind == LOCK_HELD)
        held = is_locked(fd, holder);
    else if (lock->kind == LOCK_PROCESS)
        held = names_process(fd, holder);
    else {
        held = !is_left_over(work, lock, fd);
        holder->pid = held ? find_opener(fd) : 0;
    }
    close(fd);
    return held;
}

/* The systemd unit that a process belongs to, or "". */
static const char *unit_of(pid_t pid, char unit[UNIT_ROOM])
{
    char groups[STATE_ROOM];
    const char *found, *end;

    read_proc(pid, "cgroup", groups, sizeof groups);
    end = strstr(groups, ".service");
    *unit = '\0';
    if (!end)
        return unit;
    end += strlen(".service");
    for (found = end; found > groups && found[-1] != '/' && found[-1] != '\n';)
        found--;
    snprintf(unit, UNIT_ROOM, ", %.*s", (int)(end - found), found);
    return unit;
}

/* "apt-get (pid 123, apt-daily.service)" */
static const char *describe(const struct holder *holder)
{
    char name[NAME_ROOM], unit[UNIT_ROOM];

    if (!holder->pid)
        return "a program that cannot be told";
    read_proc(holder->pid, "comm", name, sizeof name);
    name[strcspn(name, "\n")] = '\0';
    return text_format("%s (pid %d%s)", *name ? name : "a process", (int)holder->pid,
                       unit_of(holder->pid, unit));
}

/* The first lock that is held, or NULL. */
static const struct lock *find_held(const struct work *work, struct holder *holder)
{
    for (const struct lock *lock = work->manager->locks; lock && lock->path; lock++) {
        if (is_held(work, lock, holder))
            return lock;
    }
    return NULL;
}

int locks_await(const struct work *work, const char **why)
{
    const struct timespec pause = {.tv_nsec = (long)POLL_MS * NS_PER_MS};
    const struct bootlace_host *host = work->host;
    int64_t end = now_ms() + (int64_t)work->wish.lock_wait_s * MS_PER_S;
    struct holder holder, told = {.pid = -1};
    const struct lock *lock;

    while ((lock = find_held(work, &holder))) {
        const char *who = describe(&holder);

        if (now_ms() >= end) {
            *why = text_format("%s is held by %s, after %u s still", lock->path, who,
                               work->wish.lock_wait_s);
            return -ETIMEDOUT;
        }
        if (holder.pid != told.pid) {
            char *words = text_format("waiting for %s, which holds %s", who, lock->path);

            host->log(host, BOOTLACE_INFO, "%s, up to %u s", words, work->wish.lock_wait_s);
            host->progress(host, 0, words);
            told = holder;
        }
        nanosleep(&pause, NULL);
    }
    return 0;
}
