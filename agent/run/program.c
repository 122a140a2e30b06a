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

enum { MS_PER_S = 1000, READ_CHUNK = 4096, GROUP_POLL_MS = 10 };

static volatile sig_atomic_t group_to_end;

static void pass_on(int signal_number)
{
    if (group_to_end > 1)
        killpg((pid_t)group_to_end, signal_number);
}

/* One word, in quotes where a shell would want them; control characters as a question mark. */
static void add_word(struct buffer *text, const char *word)
{
    static const char special[] = " \t\r\n'\"\\$`;&|<>*?()[]{}#!";
    bool plain = *word && !word[strcspn(word, special)];

    buffer_append_text(text, plain ? "" : "'");
    for (; *word; word++) {
        char shown = (unsigned char)*word < ' ' || *word == 0x7f ? '?' : *word;

        if (shown == '\'')
            buffer_append_text(text, "'\\''");
        else
            buffer_append(text, &shown, 1);
    }
    buffer_append_text(text, plain ? "" : "'");
}

char *program_text(const char *const *argv)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(1 << 20);

    for (const char *const *word = argv; *word; word++) {
        buffer_append_text(&text, word == argv ? "" : " ");
        add_word(&text, *word);
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

/* Ends the whole group: politely, and after the grace whatever of it is left. Its status. */
static int end_group(pid_t pid)
{
    int64_t end = clock_milliseconds() + PROGRAM_GRACE_MS;
    bool reaped = false;
    int status = 0;

    process_kill_group(pid, SIGTERM);
    while (clock_milliseconds() < end) {
        reaped = reaped || waitpid(pid, &status, WNOHANG) == pid;
        if (reaped && killpg(pid, 0) < 0)
            return status;
        clock_sleep(GROUP_POLL_MS);
    }
    process_kill_group(pid, SIGKILL);
    if (!reaped)
        waitpid(pid, &status, 0);
    return status;
}

static void wait_and_tell(pid_t pid, int pidfd, int *out, const struct bootlace_program *program,
                          struct bootlace_ending *ending)
{
    int status = 0;

    if (!wait_for(pidfd, out, program, (int64_t)program->time_limit * MS_PER_S)) {
        ending->timed_out = 1;
        status = end_group(pid);
    } else {
        waitpid(pid, &status, 0);
    }
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
        .dies_with_us = program->time_limit && !program->detach,
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
