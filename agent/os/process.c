/* Child processes: started by argument vector, with named descriptors and nothing else inherited.
 */
#include "os/process.h"

#include "base/banned.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { NOT_EXECUTED = 127, READ_CHUNK = 16384, STAT_MAX = 4096, STAT_STARTED = 22 };

/* The PATH of a login on Debian; systemd gives its services the same. */
#define STANDARD_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Puts fds at 0, 1, 2, … without one overwriting another, and closes everything else. */
static int place_descriptors(const int fds[PROCESS_FDS_MAX])
{
    int high[PROCESS_FDS_MAX];

    for (int i = 0; i < PROCESS_FDS_MAX; i++) {
        high[i] = -1;
        if (fds[i] >= 0)
            high[i] = fcntl(fds[i], F_DUPFD, PROCESS_FDS_MAX);
        else if (i <= 2)
            high[i] = open("/dev/null", O_RDWR);
        if (high[i] < 0 && (fds[i] >= 0 || i <= 2))
            return -1;
    }
    for (int i = 0; i < PROCESS_FDS_MAX; i++) {
        if (high[i] < 0)
            close(i);
        else if (dup2(high[i], i) < 0)
            return -1;
    }
    return close_range(PROCESS_FDS_MAX, ~0U, 0);
}

/*
 * Executing a program resets what is caught, not what is ignored: and systemd starts us with
 * SIGPIPE ignored, a terminal's job control or nohup with some of the others.
 */
static void restore_signals(void)
{
    sigset_t none;

    for (int i = 1; i < SIGRTMIN; i++)
        signal(i, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int become_child(const struct process_start *start)
{

    if (start->group == PROCESS_OWN_GROUP)
        setpgid(0, 0);
    else if (start->group == PROCESS_OWN_SESSION)
        setsid();
    restore_signals();
    if (start->dies_with_us)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (place_descriptors(start->fds) < 0)
        return -1;
    return start->folder ? chdir(start->folder) : 0;
}

/* Variables that systemd meant for us alone. */
static bool is_private(const char *variable)
{
    static const char *const names[] = {"JOURNAL_STREAM=", "NOTIFY_SOCKET=", "INVOCATION_ID=",
                                        "LISTEN_FDS=",     "LISTEN_PID=",    "SYSTEMD_EXEC_PID="};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (strncmp(variable, names[i], strlen(names[i])) == 0)
            return true;
    }
    return false;
}

static bool is_overridden(const char *variable, const char *const *over)
{
    size_t name = strcspn(variable, "=") + 1;

    for (; over && *over; over++) {
        if (strncmp(variable, *over, name) == 0)
            return true;
    }
    return false;
}

/* Our environment without what is private, with a PATH, and what is given over it; to be freed. */
static const char **make_environment(const char *const *over)
{
    static const char path[] = "PATH=" STANDARD_PATH;
    size_t count = 0, extra = 0;
    const char **made;

    while (environ && environ[count])
        count++;
    while (over && over[extra])
        extra++;
    made = memory_zeroed(count + extra + 2, sizeof *made);
    extra = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_private(environ[i]) && !is_overridden(environ[i], over))
            made[extra++] = environ[i];
    }
    for (size_t i = 0; over && over[i]; i++)
        made[extra++] = over[i];
    if (!getenv("PATH") && !is_overridden(path, over))
        made[extra++] = path;
    return made;
}

/*
 * A program is executed from a vfork: the address space is not copied, which matters once libcurl
 * is mapped, and the child can tell why it could not be executed by a plain variable.
 */
static pid_t start_program(const struct process_start *start)
{
    AUTO_FREE const char **variables = make_environment(start->environment);
    volatile int failure = 0;
    pid_t pid = vfork();

    if (pid == 0) {
        if (become_child(start) == 0)
            execve(start->argv[0], (char *const *)start->argv, (char *const *)variables);
        failure = errno;
        _exit(NOT_EXECUTED);
    }
    if (pid > 0 && failure) {
        waitpid(pid, NULL, 0);
        errno = failure;
        return -1;
    }
    return pid;
}

static pid_t start_function(const struct process_start *start)
{
    pid_t pid;

    fflush(NULL); /* or the child would write what we have buffered a second time */
    pid = fork();
    if (pid == 0) {
        if (become_child(start) < 0)
            _exit(NOT_EXECUTED);
        for (const char *const *variable = start->environment; variable && *variable; variable++)
            putenv((char *)*variable);
        _exit(start->function(start->context));
    }
    /* Both sides set it, so that it is set whoever comes first. */
    if (pid > 0 && start->group == PROCESS_OWN_GROUP)
        setpgid(pid, pid);
    return pid;
}

pid_t process_start(const struct process_start *start, int *pidfd, struct error *error)
{
    pid_t pid = start->function ? start_function(start) : start_program(start);
    int saved;

    if (pid < 0) {
        saved = errno;
        error_errno(error, ERROR_INTERNAL, saved, "cannot start %s",
                    start->function ? "a process" : start->argv[0]);
        errno = saved;
        return -1;
    }
    *pidfd = (int)syscall(SYS_pidfd_open, pid, 0); /* glibc has a function for it from 2.36 on */
    if (*pidfd < 0) {
        saved = errno;
        error_errno(error, ERROR_INTERNAL, saved, "cannot watch a process");
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        errno = saved;
        return -1;
    }
    return pid;
}

char *process_find(const char *name)
{
    const char *path = getenv("PATH");
    struct stat info;

    if (strchr(name, '/'))
        return memory_copy_string(name);
    if (!path || !*path)
        path = STANDARD_PATH;
    while (*path) {
        size_t length = strcspn(path, ":");

        if (length) {
            char *candidate = memory_format("%.*s/%s", (int)length, path, name);

            if (access(candidate, X_OK) == 0 && stat(candidate, &info) == 0 &&
                S_ISREG(info.st_mode))
                return candidate;
            free(candidate);
        }
        path += length + (path[length] == ':');
    }
    return NULL;
}

void process_kill_group(pid_t pid, int signal)
{
    if (pid > 1)
        killpg(pid, signal);
}

/* Takes what there is to read; 1 more may come, 0 the end, -1 it did not fit. */
static int take_output(int fd, struct buffer *out, bool must_fit)
{
    char chunk[READ_CHUNK];
    ssize_t count = read(fd, chunk, sizeof chunk);

    if (count < 0)
        return errno == EINTR || errno == EAGAIN;
    if (count == 0)
        return 0;
    if (!buffer_append(out, chunk, (size_t)count) && must_fit)
        return -1;
    return 1;
}

static int pump(const struct process_capture *capture, int out, int complaint, struct error *error)
{
    struct buffer nowhere = BUFFER_INIT(0);
    int64_t end = clock_milliseconds() + capture->limit_ms;
    struct pollfd fds[2] = {{.fd = out, .events = POLLIN}, {.fd = complaint, .events = POLLIN}};

    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        int64_t left = end - clock_milliseconds();
        int more;

        if (left <= 0 || poll(fds, 2, (int)left) == 0)
            return error_set(error, ERROR_INTERNAL, "it did not end within %lld s",
                             (long long)capture->limit_ms / 1000);
        if (fds[0].fd >= 0 && fds[0].revents) {
            more = take_output(out, capture->out, true);
            if (more < 0)
                return error_set(error, ERROR_INTERNAL, "it printed more than %zu bytes",
                                 capture->out->maximum);
            if (!more)
                fds[0].fd = -1;
        }
        if (fds[1].fd >= 0 && fds[1].revents &&
            !take_output(complaint, capture->complaint ? capture->complaint : &nowhere, false))
            fds[1].fd = -1;
    }
    return 0;
}

/* Whether the process of a pidfd ends before that time. */
static bool ends_before(int pidfd, int64_t end)
{
    struct pollfd fd = {.fd = pidfd, .events = POLLIN};
    int64_t left = end - clock_milliseconds();

    return poll(&fd, 1, left > 0 ? (int)left : 0) > 0;
}

int process_capture(const struct process_capture *capture, struct error *error)
{
    int64_t end = clock_milliseconds() + capture->limit_ms;
    int out[2], complaint[2], pidfd, status, result;
    struct process_start start = {.argv = capture->argv,
                                  .function = capture->function,
                                  .context = capture->context,
                                  .fds = {-1, -1, -1, -1, -1}};
    pid_t pid;

    if (pipe2(out, O_CLOEXEC) < 0)
        return error_errno(error, ERROR_INTERNAL, errno, "cannot make a pipe");
    AUTO_CLOSE int out_read = out[0];
    AUTO_CLOSE int out_write = out[1];
    if (pipe2(complaint, O_CLOEXEC) < 0)
        return error_errno(error, ERROR_INTERNAL, errno, "cannot make a pipe");
    AUTO_CLOSE int complaint_read = complaint[0];
    AUTO_CLOSE int complaint_write = complaint[1];
    start.fds[1] = out_write;
    start.fds[2] = complaint_write;
    pid = process_start(&start, &pidfd, error);
    if (pid < 0)
        return -1;
    AUTO_CLOSE int watch = pidfd;
    close(memory_take_fd(&out_write));
    close(memory_take_fd(&complaint_write));
    result = pump(capture, out_read, complaint_read, error);
    if (result == 0 && !ends_before(watch, end))
        result = error_set(error, ERROR_INTERNAL, "it closed its output but did not end");
    if (result < 0)
        process_kill_group(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (result < 0)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int process_input(const void *bytes, size_t size, struct error *error)
{
    int fd = memfd_create("input", MFD_CLOEXEC);

    if (fd < 0 || file_write_all(fd, bytes, size) < 0 || lseek(fd, 0, SEEK_SET) < 0) {
        if (fd >= 0)
            close(fd);
        return error_errno(error, ERROR_INTERNAL, errno, "cannot hand over the input");
    }
    return fd;
}

uint64_t process_started(pid_t pid)
{
    AUTO_FREE char *path = memory_format("/proc/%d/stat", (int)pid);
    AUTO_BUFFER struct buffer text = BUFFER_INIT(STAT_MAX);
    struct error ignored = ERROR_INIT;
    const char *field;

    if (file_read(AT_FDCWD, path, &text, &ignored) <= 0)
        return 0;
    /* The second field is the name, in brackets, and may hold anything. */
    field = strrchr(buffer_text(&text), ')');
    for (int i = 2; field && i < STAT_STARTED; i++)
        field = strchr(field + 1, ' ');
    return field ? strtoull(field, NULL, 10) : 0;
}

bool process_is_alive(pid_t pid, uint64_t started)
{
    uint64_t now = process_started(pid);

    /* Where /proc hides the processes of others, its id has to do. */
    return pid > 0 && (kill(pid, 0) == 0 || errno == EPERM) && (!now || now == started);
}

void process_adopt_orphans(void)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

void process_hide_memory(void)
{
    prctl(PR_SET_DUMPABLE, 0);
}
