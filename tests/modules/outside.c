/*
 * outside: a module that is built outside of bootlace's tree, against the installed header alone:
 *
 *     cc -shared -fPIC $(pkg-config --cflags bootlace) outside.c -o outside.so
 *
 * Its key `outside` names a folder; there it uses everything that the host lends, and says in the
 * log what came of it; with `outside_slow` a program beyond its time limit, too.
 *
 * OUTSIDE_ASKED, where the compiler is given it, is a file that grows by one byte whenever the
 * module is loaded.
 */
#include <bootlace/module.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 512, TEXT_BYTES = 64, DESCRIPTORS_MAX = 1024 };

#ifdef OUTSIDE_ASKED
__attribute__((constructor)) static void count_loading(void)
{
    int fd = open(OUTSIDE_ASKED, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);

    if (write(fd, "x", 1) != 1)
        _exit(1);
    close(fd);
}
#endif

/* The text of a setting; enough for text without quotes in it. */
static void text_of(const char *input, const char *name, char text[PATH_BYTES])
{
    char pattern[TEXT_BYTES];
    const char *found;

    snprintf(pattern, sizeof pattern, "\"%s\":\"", name);
    found = strstr(input, pattern);
    found = found ? found + strlen(pattern) : "";
    snprintf(text, PATH_BYTES, "%.*s", (int)strcspn(found, "\""), found);
}

static void log_descriptors(const struct bootlace_host *host)
{
    char text[TEXT_BYTES] = "";

    for (int fd = 0; fd < DESCRIPTORS_MAX; fd++) {
        size_t length = strlen(text);

        if (fcntl(fd, F_GETFD) >= 0)
            snprintf(text + length, sizeof text - length, " %d", fd);
    }
    host->log(host, BOOTLACE_INFO, "descriptors:%s", text);
}

static void log_item(const struct bootlace_host *host, const char *path)
{
    const char *value = host->metadata(host, path);

    host->log(host, BOOTLACE_INFO, "%s: %s", path, value ? value : "(none)");
}

static int put(const struct bootlace_host *host, const char *folder)
{
    static const char content[] = "from outside\n";
    const struct bootlace_file how = {
        .size = sizeof how, .mode = 0640, .owner = geteuid(), .group = getegid()};
    char path[PATH_BYTES + TEXT_BYTES];
    int result;

    snprintf(path, sizeof path, "%s/made/file", folder);
    result = host->put_file(host, path, content, strlen(content), &how);
    host->item(host, path, result > 0 ? "changed" : result < 0 ? "failed" : "unchanged", -1, NULL);
    return result;
}

static void read_program(const struct bootlace_host *host, const char *folder)
{
    const char *const argv[] = {"sh", "-c", "echo \"$OUTSIDE $(cat) $(pwd)\"", NULL};
    const char *const variables[] = {"OUTSIDE=variable", NULL};
    char text[PATH_BYTES];
    struct bootlace_program program = {.size = sizeof program,
                                       .argv = argv,
                                       .environ_add = variables,
                                       .folder = folder,
                                       .input = "input",
                                       .input_size = strlen("input"),
                                       .effect = BOOTLACE_READS,
                                       .capture = text,
                                       .capture_size = sizeof text};
    struct bootlace_ending ending;

    if (host->run_program(host, &program, &ending) == 0)
        host->log(host, BOOTLACE_INFO, "read: %d %s", ending.exit_code, text);
}

static void change_program(const struct bootlace_host *host, const char *folder)
{
    const char *const argv[] = {"touch", "a file", NULL};
    const struct bootlace_program program = {
        .size = sizeof program, .argv = argv, .folder = folder, .effect = BOOTLACE_CHANGES};
    struct bootlace_ending ending;

    if (host->run_program(host, &program, &ending) == 0)
        host->log(host, BOOTLACE_INFO, "change: %d", ending.exit_code);
}

static void missing_program(const struct bootlace_host *host)
{
    const char *const argv[] = {"no-program-has-this-name", NULL};
    const struct bootlace_program program = {
        .size = sizeof program, .argv = argv, .effect = BOOTLACE_READS};
    struct bootlace_ending ending;

    if (host->run_program(host, &program, &ending) == -ENOENT)
        host->log(host, BOOTLACE_INFO, "missing: ENOENT");
}

static void slow_program(const struct bootlace_host *host)
{
    const char *const argv[] = {"sh", "-c", "sleep 60 & wait", NULL};
    const struct bootlace_program program = {
        .size = sizeof program, .argv = argv, .effect = BOOTLACE_READS, .time_limit = 1};
    struct bootlace_ending ending;

    if (host->run_program(host, &program, &ending) == 0)
        host->log(host, BOOTLACE_INFO, "slow: timed out %d, signal %d", ending.timed_out,
                  ending.signal);
}

static int prepare(const struct bootlace_host *host, const char *input)
{
    (void)input;
    host->log(host, BOOTLACE_INFO, "prepares");
    return 0;
}

static int run(const struct bootlace_host *host, const char *input)
{
    char folder[PATH_BYTES];
    int result;

    text_of(input, "outside", folder);
    if (!*folder)
        return host->fail(host, EINVAL, "the setting outside names no folder");
    log_descriptors(host);
    log_item(host, "placement/region");
    log_item(host, "tags/instance/role");
    log_item(host, "no/such/item");
    read_program(host, folder);
    change_program(host, folder);
    missing_program(host);
    if (strstr(input, "\"outside_slow\":true"))
        slow_program(host);
    host->progress(host, 0.5, "half of it");
    result = put(host, folder);
    if (result < 0)
        return host->fail(host, -result, "cannot write: %s", strerror(-result));
    host->note(host, "%d of 1 changed", result);
    return result;
}

static const char *const keys[] = {"outside", "outside_slow", NULL};
static const char *const metadata[] = {"placement/region", NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "outside",
    .version = "1",
    .summary = "a module from outside of the tree",
    .keys = keys,
    .metadata = metadata,
    .schema = "{\"type\":\"object\",\"properties\":{\"outside\":{\"type\":\"string\"}}}",
    .order = 400,
    .flags = BOOTLACE_REPEATABLE,
    .prepare = prepare,
    .run = run,
};
