/*
 * script: runs the user's own `#!` scripts, and <script> blocks.
 *
 * A `#!` script is executed as it is. A <script> block runs under its own `#!` line or else under
 * /bin/sh. Exit code or signal are the step's; nobody's time limit but one that was asked for.
 */
#include <bootlace/module.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FIRST_LINE_MAX = 256 }; /* what the kernel reads of a `#!` line (binfmt_script) */

struct script {
    const char *file;
    int detach;
    char line[FIRST_LINE_MAX]; /* the `#!` line without `#!`, cut into the next two */
    const char *interpreter;   /* NULL where there is no such line */
    const char *argument;      /* or NULL */
};

/* The first line, as the kernel reads it: an interpreter and at most one argument. */
static int read_first_line(struct script *script)
{
    int fd = open(script->file, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, script->line, sizeof script->line - 1);
    char *word;

    if (fd >= 0)
        close(fd);
    if (size < 0)
        return -errno;
    script->line[size] = '\0';
    if (strncmp(script->line, "#!", 2) != 0)
        return 0;
    script->line[strcspn(script->line, "\n")] = '\0';
    word = script->line + 2 + strspn(script->line + 2, " \t");
    script->interpreter = word;
    word += strcspn(word, " \t");
    if (*word) {
        *word++ = '\0';
        word += strspn(word, " \t");
        for (char *end = word + strlen(word); end > word && strchr(" \t", end[-1]);)
            *--end = '\0';
        script->argument = *word ? word : NULL;
    }
    return 0;
}

static int run_vector(const struct bootlace_host *host, const struct script *script,
                      const char *const *argv, struct bootlace_ending *ending)
{
    const struct bootlace_program program = {
        .size = sizeof program, .argv = argv, .effect = BOOTLACE_CHANGES, .detach = script->detach};

    return host->run_program(host, &program, ending);
}

/*
 * Executes the file; where the kernel does not (a folder mounted noexec, as hardened images have
 * /var), the interpreter is given the file, which comes to the same.
 */
static int run_script(const struct bootlace_host *host, const struct script *script,
                      struct bootlace_ending *ending)
{
    const char *const itself[] = {script->file, NULL};
    const char *const interpreted[] = {script->interpreter ? script->interpreter : "/bin/sh",
                                       script->argument ? script->argument : script->file,
                                       script->argument ? script->file : NULL, NULL};
    int result = -EACCES;

    if (script->interpreter)
        result = run_vector(host, script, itself, ending);
    if (result == -EACCES && (!script->interpreter || access(script->interpreter, X_OK) == 0))
        result = run_vector(host, script, interpreted, ending);
    return result;
}

static int explain(const struct bootlace_host *host, const struct script *script, int result)
{
    const char *interpreter = script->interpreter ? script->interpreter : "/bin/sh";

    if (result == -ENOENT)
        return host->fail(host, ENOENT, "its interpreter %s is not installed", interpreter);
    if (result == -EACCES)
        return host->fail(host, EACCES, "its interpreter %s cannot be executed", interpreter);
    return host->fail(host, -result, "cannot be started: %s", strerror(-result));
}

static int run(const struct bootlace_host *host, const char *input)
{
    json_t *object = json_loads(input, 0, NULL);
    const json_t *part = json_object_get(object, "part");
    struct script script = {.file = json_string_value(json_object_get(part, "file")),
                            .detach = json_is_true(json_object_get(part, "detach"))};
    struct bootlace_ending ending = {0};
    int result = script.file ? read_first_line(&script) : -EINVAL;

    if (result < 0)
        return host->fail(host, -result, "its file cannot be read: %s", strerror(-result));
    if (script.interpreter && !*script.interpreter)
        return host->fail(host, ENOEXEC, "its first line names no interpreter; write #!/bin/sh");
    result = run_script(host, &script, &ending);
    if (result < 0)
        return explain(host, &script, result);
    if (host->dry_run)
        return 1;
    if (script.detach) {
        host->note(host, "started as process %d, not waited for", (int)ending.pid);
        return 1;
    }
    host->ended(host, &ending);
    if (ending.signal)
        return host->fail(host, EINTR, "ended by signal %d (%s)", ending.signal,
                          strsignal(ending.signal));
    if (ending.exit_code != 0)
        return host->fail(host, EIO, "ended with exit code %d", ending.exit_code);
    return 1;
}

static const char *const types[] = {"text/x-shellscript", "text/x-windows-script", NULL};

/* What scripts see as BOOTLACE_* variables. */
static const char *const metadata[] = {"placement/region", "placement/availability-zone",
                                       "local-ipv4",       "public-ipv4",
                                       "hostname",         "ami-id",
                                       "instance-type",    NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "script",
    .version = BOOTLACE_VERSION,
    .summary = "runs #! scripts and <script> blocks",
    .types = types,
    .metadata = metadata,
    .frequency = BOOTLACE_PER_INSTANCE,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 900,
    .flags = BOOTLACE_NO_LIMIT,
    .run = run,
};
