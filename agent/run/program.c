/*
 * Programs that a native module runs, in the step's own process.
 *
 * A program without a time limit of its own stays in the step's process group, so that the step's
 * end reaches it. One with a limit gets its own group, which the limit ends whole; should the step
 * itself be told to end meanwhile (SIGTERM), that is passed on.
 */
#include "run/program.h"

#include "base/banned.h"
#include "base/clock.h"
#include "base/memory.h"
#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

enum { MS_PER_S = 1000, READ_CHUNK = 4096 };

static volatile sig_atomic_t group_to_end;

static void pass_on(int signal_number)
{
    if (group_to_end > 1)
        killpg((pid_t)group_to_end, signal_number);
}

char *program_text(const char *const *argv)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(1 << 20);

    for (const char *const *word = argv; *word; word++) {
        bool plain = **word && !(*word)[strcspn(*word, " \t\n'\"\\$`;&|<>*?()[]{}#!")];

        buffer_format(&text, plain ? "%s%s" : "%s'%s'", word == argv ? "" : " ", *word);
    }
    return buffer_take(&text);
}

/* Takes what the program printed into capture; returns false at the end of the output. */
static bool take_capture(int fd, const struct bootlace_program *program, size_t *used)
{
    char chunk[READ_CHUNK];
    ssize_t count = read(fd, chunk, sizeof chunk);
    size_t room = program->capture_size - 1 - *used;

    if (count < 0)
        return errno == EINTR || errno == EAGAIN;
    if ((size_t)count < room)
        room = (size_t)count;
    memcpy(program->capture + *used, chunk, room);
    *used += room;
    program->capture[*used] = '\0';
    return count > 0;
}

/* Waits for the end of the process, taking its output, up to the limit; false = it is over. */
static bool wait_for(int pidfd, int *out, const struct bootlace_program *program, int64_t limit_ms)
{
    int64_t end = clock_milliseconds() + limit_ms;
    size_t used = 0;

    if (program->capture && program->capture_size)
        program->capture[0] = '\0';
    for (;;) {
        struct pollfd fds[2] = {{.fd = pidfd, .events = POLLIN}, {.fd = *out, .events = POLLIN}};
        int64_t left = limit_ms ? end - clock_milliseconds() : -1;

        if (limit_ms && left <= 0)
            return false;
        if (poll(fds, 2, (int)left) < 0)
            continue;
        if (fds[1].revents && !take_capture(*out, program, &used)) {
            close(*out);
            *out = -1;
        }
        if (fds[0].revents && !(fds[1].revents & POLLIN))
            return true;
    }
}

static void end_group(pid_t pid, int pidfd)
{
    struct pollfd fd = {.fd = pidfd, .events = POLLIN};

    process_kill_group(pid, SIGTERM);
    if (poll(&fd, 1, PROGRAM_GRACE_MS) <= 0)
        process_kill_group(pid, SIGKILL);
}

static void wait_and_tell(pid_t pid, int pidfd, int *out, const struct bootlace_program *program,
                          struct bootlace_ending *ending)
{
    int status;

    if (!wait_for(pidfd, out, program, (int64_t)program->time_limit * MS_PER_S)) {
        ending->timed_out = 1;
        end_group(pid, pidfd);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    ending->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    ending->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

int program_run(const struct bootlace_program *program, struct bootlace_ending *ending)
{
    struct error error = ERROR_INIT;
    AUTO_FREE char *path = process_find(program->argv[0]);
    size_t count = 0;
    int out[2] = {-1, -1}, pidfd;
    pid_t pid;

    if (!path)
        return -ENOENT;
    while (program->argv[count])
        count++;
    AUTO_FREE const char **argv = memory_zeroed(count + 1, sizeof *argv);
    memcpy(argv, program->argv, count * sizeof *argv);
    argv[0] = path;
    AUTO_CLOSE int input =
        program->input ? process_input(program->input, program->input_size, &error) : -1;
    if (program->capture && (!program->capture_size || pipe2(out, O_CLOEXEC) < 0))
        return -EINVAL;
    AUTO_CLOSE int out_read = out[0];
    AUTO_CLOSE int out_write = out[1];
    struct process_start start = {
        .argv = argv,
        .environment = program->environ_add,
        .folder = program->folder ? program->folder : "/",
        .group = program->detach       ? PROCESS_OWN_SESSION
                 : program->time_limit ? PROCESS_OWN_GROUP
                                       : PROCESS_SAME_GROUP,
        .fds = {input, out_write >= 0 ? out_write : STDOUT_FILENO, STDERR_FILENO, -1, -1}};
    pid = process_start(&start, &pidfd, &error);
    if (pid < 0)
        return errno ? -errno : -EIO;
    AUTO_CLOSE int watch = pidfd;
    close(memory_take_fd(&out_write));
    ending->pid = pid;
    ending->exit_code = -1;
    if (program->detach)
        return 0;
    group_to_end = program->time_limit ? pid : 0;
    signal(SIGTERM, program->time_limit ? pass_on : SIG_DFL);
    wait_and_tell(pid, watch, &out_read, program, ending);
    group_to_end = 0;
    signal(SIGTERM, SIG_DFL);
    return 0;
}
