/* A part that is a program; see executable.h. */
#include <support/executable.h>

#include <support/input.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { FIRST_LINE_MAX = 256 }; /* what the kernel reads of a `#!` line (binfmt_script) */

struct executable {
    const char *file;
    bool detach;
    char line[FIRST_LINE_MAX]; /* the first line, cut into the next two */
    const char *interpreter;   /* NULL where there is no `#!` line */
    const char *argument;      /* at most one, as for the kernel; or NULL */
};

static void cut_line(struct executable *executable)
{
    char *word = executable->line + 2 + strspn(executable->line + 2, " \t");

    executable->interpreter = word;
    word += strcspn(word, " \t");
    if (!*word)
        return;
    *word++ = '\0';
    word += strspn(word, " \t");
    for (char *end = word + strlen(word); end > word && strchr(" \t", end[-1]);)
        *--end = '\0';
    executable->argument = *word ? word : NULL;
}

static int read_first_line(struct executable *executable)
{
    int fd = open(executable->file, O_RDONLY | O_CLOEXEC);
    ssize_t size;

    if (fd < 0)
        return -errno;
    size = read(fd, executable->line, sizeof executable->line - 1);
    close(fd);
    if (size < 0)
        return -EIO;
    executable->line[size] = '\0';
    executable->line[strcspn(executable->line, "\r\n")] = '\0';
    if (strncmp(executable->line, "#!", 2) == 0)
        cut_line(executable);
    return 0;
}

static int run_vector(const struct bootlace_host *host, const struct executable *executable,
                      const char *const *argv, struct bootlace_ending *ending)
{
    const struct bootlace_program program = {.size = sizeof program,
                                             .argv = argv,
                                             .effect = BOOTLACE_CHANGES,
                                             .detach = executable->detach};

    return host->run_program(host, &program, ending);
}

/* On a file system mounted noexec, as hardened images have /var, the interpreter is given the file,
 * which comes to the same. */
static int start(const struct bootlace_host *host, const struct executable *executable,
                 const char *interpreter, struct bootlace_ending *ending)
{
    const char *argument = executable->argument, *file = executable->file;
    const char *const itself[] = {file, NULL};
    const char *const interpreted[] = {interpreter, argument ? argument : file,
                                       argument ? file : NULL, NULL};
    int result = -EACCES;

    if (executable->interpreter)
        result = run_vector(host, executable, itself, ending);
    if (result == -EACCES && access(interpreter, X_OK) == 0)
        result = run_vector(host, executable, interpreted, ending);
    return result;
}

int executable_end(const struct bootlace_host *host, const struct bootlace_ending *ending,
                   bool detached)
{
    if (host->dry_run)
        return 1;
    if (detached) {
        host->note(host, "started as process %d, not waited for", (int)ending->pid);
        return 1;
    }
    host->ended(host, ending);
    if (ending->signal)
        return host->fail(host, EINTR, "ended by signal %d (%s)", ending->signal,
                          strsignal(ending->signal));
    if (ending->exit_code != 0)
        return host->fail(host, EIO, "ended with exit code %d", ending->exit_code);
    return 1;
}

int executable_run(const struct bootlace_host *host, const char *input)
{
    struct executable executable = {0};
    struct bootlace_ending ending = {0};
    const char *interpreter;
    struct input given;
    int result = input_read(host, input, &given);

    if (result < 0)
        return result;
    executable.file = json_string_value(json_object_get(given.part, "file"));
    executable.detach = json_is_true(json_object_get(given.part, "detach"));
    result = executable.file ? read_first_line(&executable) : -EINVAL;
    if (result < 0)
        return host->fail(host, -result, "its file cannot be read: %s", strerror(-result));
    interpreter = executable.interpreter ? executable.interpreter : "/bin/sh";
    if (!*interpreter)
        return host->fail(host, ENOEXEC, "its first line names no interpreter; write #!/bin/sh");
    result = start(host, &executable, interpreter, &ending);
    if (result == -ENOENT)
        return host->fail(host, ENOENT, "its interpreter %s is not installed", interpreter);
    if (result == -EACCES)
        return host->fail(host, EACCES, "its interpreter %s cannot be executed", interpreter);
    if (result < 0)
        return host->fail(host, -result, "cannot be started by %s: %s", interpreter,
                          strerror(-result));
    return executable_end(host, &ending, executable.detach);
}
