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
#include "base/file.h"
#include "base/memory.h"
#include "os/process.h"
#include "run/enclosure.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

enum { MS_PER_S = 1000, READ_CHUNK = 4096, GROUP_POLL_MS = 10, LINE_ROOM = 4096 };

/* What becomes of a program's output that is not the log's alone. */
struct taker {
    const struct bootlace_program *program;
    size_t used; /* of the capture, or of the line */
    char line[LINE_ROOM];
};

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

static void keep(struct taker *taker, const char *bytes, size_t size)
{
    const struct bootlace_program *program = taker->program;
    size_t room = program->capture_size - 1 - taker->used;

    if (size < room)
        room = size;
    memcpy(program->capture + taker->used, bytes, room);
    taker->used += room;
    program->capture[taker->used] = '\0';
}

static void end_line(struct taker *taker)
{
    taker->line[taker->used] = '\0';
    if (taker->used)
        taker->program->line(taker->program->line_context, taker->line);
    taker->used = 0;
}

/* Into the log as it is, and to the module line by line; what a progress bar writes over, by
 * carriage returns, are lines. */
static void split(struct taker *taker, const char *bytes, size_t size)
{
    file_write_all(STDOUT_FILENO, bytes, size);
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\n' || bytes[i] == '\r')
            end_line(taker);
        else if (bytes[i] && taker->used < LINE_ROOM - 1)
            taker->line[taker->used++] = bytes[i];
    }
}

/* Takes what the program printed; returns false at the end of the output. */
static bool take(int fd, struct taker *taker)
{
    char chunk[READ_CHUNK];
    ssize_t count = read(fd, chunk, sizeof chunk);

    if (count < 0)
        return errno == EINTR || errno == EAGAIN;
    if (taker->program->capture)
        keep(taker, chunk, (size_t)count);
    else
        split(taker, chunk, (size_t)count);
    return count > 0;
}

/* Waits for the end of the process, taking its output, up to the limit; false = it is over. */
static bool wait_for(int pidfd, int *out, struct taker *taker, int64_t limit_ms)
{
    int64_t end = clock_milliseconds() + limit_ms;

    for (;;) {
        struct pollfd fds[2] = {{.fd = pidfd, .events = POLLIN}, {.fd = *out, .events = POLLIN}};
        int64_t left = limit_ms ? end - clock_milliseconds() : -1;

        if (limit_ms && left <= 0)
            return false;
        if (poll(fds, 2, (int)left) < 0)
            continue;
        if (fds[1].revents && !take(*out, taker)) {
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

static void tell(int status, struct bootlace_ending *ending)
{
    ending->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    ending->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void wait_and_tell(pid_t pid, int pidfd, int *out, const struct bootlace_program *program,
                          struct bootlace_ending *ending)
{
    struct taker taker = {.program = program};
    int status = 0;

    if (program->capture)
        program->capture[0] = '\0';
    if (!wait_for(pidfd, out, &taker, (int64_t)program->time_limit * MS_PER_S)) {
        ending->timed_out = 1;
        status = end_group(pid);
    } else {
        waitpid(pid, &status, 0);
    }
    if (!program->capture)
        end_line(&taker);
    tell(status, ending);
}

/* Both ends of the pipe for what is captured or looked at; -1 where nothing is. */
static int open_output(const struct bootlace_program *program, int out[2])
{
    out[0] = out[1] = -1;
    if (program->capture && !program->capture_size)
        return -EINVAL;
    if (program->line && (program->capture || program->detach))
        return -EINVAL;
    return (program->capture || program->line) && pipe2(out, O_CLOEXEC) < 0 ? -errno : 0;
}

/* Starts what is described and waits for its end, unless it is detached. */
static int start_and_wait(const struct bootlace_program *program, struct process_start *start,
                          struct bootlace_ending *ending)
{
    struct error error = ERROR_INIT;
    AUTO_CLOSE int input =
        program->input ? process_input(program->input, program->input_size, &error) : -1;
    int out[2], pidfd, result = open_output(program, out);
    AUTO_CLOSE int out_read = out[0];
    AUTO_CLOSE int out_write = out[1];
    pid_t pid;

    if (result < 0)
        return result;
    start->environment = program->environ_add;
    start->group = program->detach       ? PROCESS_OWN_SESSION
                   : program->time_limit ? PROCESS_OWN_GROUP
                                         : PROCESS_SAME_GROUP;
    start->dies_with_us = program->time_limit && !program->detach;
    start->fds[0] = input;
    start->fds[1] = out_write >= 0 ? out_write : STDOUT_FILENO;
    start->fds[2] = program->line && out_write >= 0 ? out_write : STDERR_FILENO;
    start->fds[3] = start->fds[4] = -1;
    pid = process_start(start, &pidfd, &error);
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

static int run_here(const struct bootlace_program *program, struct bootlace_ending *ending)
{
    AUTO_FREE char *path = process_find(program->argv[0]);
    struct process_start start = {.folder = program->folder ? program->folder : "/"};
    size_t count = 0;

    if (!path)
        return -ENOENT;
    while (program->argv[count])
        count++;
    AUTO_FREE const char **argv = memory_zeroed(count + 1, sizeof *argv);
    memcpy(argv, program->argv, count * sizeof *argv);
    argv[0] = path;
    start.argv = argv;
    return start_and_wait(program, &start, ending);
}

static int run_inside(const char *root, const struct bootlace_program *program,
                      struct bootlace_ending *ending)
{
    struct enclosure enclosure = {.root = root,
                                  .argv = program->argv,
                                  .folder = program->folder ? program->folder : "/",
                                  .ending = enclosure_ending_new()};
    struct process_start start = {.function = enclosure_main, .context = &enclosure};
    int result = program->detach ? -ENOTSUP : !enclosure.ending ? -ENOMEM : 0;

    if (result == 0)
        result = start_and_wait(program, &start, ending);
    if (result == 0 && enclosure.ending->failure)
        result = -enclosure.ending->failure;
    else if (result == 0 && !ending->timed_out && ending->exit_code == 0)
        tell(enclosure.ending->status, ending);
    enclosure_ending_free(enclosure.ending);
    return result;
}

int program_run(const char *root, const struct bootlace_program *program,
                struct bootlace_ending *ending)
{
    if (strcmp(root, "/") == 0 || program->outside)
        return run_here(program, ending);
    return run_inside(root, program, ending);
}
