/* Child processes: their descriptors, environment, signals and groups; output that is captured. */
#include "folder.h"

#include "check.h"

#include "base/banned.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "os/process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

enum { PATIENCE_MS = 15000 };

#define SHELL(text_) ((const char *const[]){"/bin/sh", "-c", (text_), NULL})

static char *own_path;

static int make(void **state)
{
    const char *path = getenv("PATH");

    own_path = memory_copy_string(path ? path : "/usr/bin:/bin");
    return folder_make(state);
}

static int unmake(void **state)
{
    free(own_path);
    return folder_unmake(state);
}

/* After each test. */
static int clean(void **state)
{
    setenv("PATH", own_path, 1);
    return folder_empty(state);
}

/* Starts it and waits for its end; its wait status. */
static int finish(const struct process_start *start)
{
    struct error error = ERROR_INIT;
    struct pollfd fd = {.events = POLLIN};
    int status = -1;
    pid_t pid = process_start(start, &fd.fd, &error);

    if (pid < 0)
        fail_msg("%s", error.message);
    assert_true(fcntl(fd.fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    close(fd.fd);
    return status;
}

/* What a shell prints that is started so. */
static char *printed_by(struct process_start start)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(1 << 16);
    struct error error = ERROR_INIT;
    int fd;

    folder_put("out", "");
    fd = open(folder_at("out"), O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_true(fd >= 0);
    start.fds[1] = fd;
    assert_int_equal(finish(&start), 0);
    close(fd);
    assert_int_equal(file_read(AT_FDCWD, folder_at("out"), &out, &error), 1);
    return buffer_take(&out);
}

static void assert_prints(struct process_start start, const char *expected)
{
    AUTO_FREE char *text = printed_by(start);

    assert_string_equal(text, expected);
}

static struct process_start shell(const char *const *argv)
{
    return (struct process_start){.argv = argv, .fds = {-1, -1, -1, -1, -1}};
}

static void descriptors_may_be_crossed(void **state)
{
    struct process_start start =
        shell(SHELL("echo out; echo err >&2; echo three >&3; echo four >&4"));
    char text[5][16] = {""};
    int fds[5];

    (void)state;
    close(open("/dev/null", O_RDONLY)); /* the lowest free one is no matter */
    for (int i = 1; i < 5; i++) {
        AUTO_FREE char *name = memory_format("file%d", i);

        folder_put(name, "");
        fds[i] = open(folder_at(name), O_RDWR | O_CLOEXEC);
        assert_true(fds[i] >= 0);
    }
    /* 1..4 of the child are our 4..1, whatever numbers those have. */
    for (int i = 1; i < 5; i++)
        start.fds[i] = fds[5 - i];
    assert_int_equal(finish(&start), 0);
    for (int i = 1; i < 5; i++) {
        assert_true(pread(fds[i], text[i], sizeof text[i] - 1, 0) > 0);
        close(fds[i]);
    }
    assert_string_equal(text[4], "out\n");
    assert_string_equal(text[3], "err\n");
    assert_string_equal(text[2], "three\n");
    assert_string_equal(text[1], "four\n");
}

static void own_numbers_may_be_the_childs(void **state)
{
    int saved = fcntl(1, F_DUPFD_CLOEXEC, 10), status;
    struct process_start start = shell(SHELL("echo out; echo err >&2"));
    char out[16] = "", err[16] = "";
    int first, second;

    (void)state;
    folder_put("first", "");
    folder_put("second", "");
    first = open(folder_at("first"), O_RDWR | O_CLOEXEC);
    second = open(folder_at("second"), O_RDWR | O_CLOEXEC);
    /* Our 1 is to be its 2, and its 1 is something else: neither may be overwritten first. */
    assert_int_equal(dup2(first, 1), 1);
    start.fds[1] = second;
    start.fds[2] = 1;
    status = finish(&start);
    assert_int_equal(dup2(saved, 1), 1);
    close(saved);
    assert_int_equal(status, 0);
    assert_true(pread(first, err, sizeof err - 1, 0) > 0);
    assert_true(pread(second, out, sizeof out - 1, 0) > 0);
    assert_string_equal(out, "out\n");
    assert_string_equal(err, "err\n");
    close(first);
    close(second);
}

/* A child of ours that has none of the three at first. */
static int without_descriptors(const char *path)
{
    struct process_start start = shell(SHELL("echo out; echo four >&4; [ ! -e /proc/$$/fd/3 ]"));
    struct error error = ERROR_INIT;
    int pidfd, status = -1, fd = fcntl(open(path, O_WRONLY | O_APPEND), F_DUPFD, 20);
    pid_t pid;

    for (int i = 0; i < 20; i++)
        close(i);
    start.fds[1] = start.fds[4] = fd;
    pid = process_start(&start, &pidfd, &error);
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static void own_descriptors_may_be_missing(void **state)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(64);
    struct error error = ERROR_INIT;
    int status = -1;
    pid_t child;

    (void)state;
    folder_put("out", "");
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(without_descriptors(folder_at("out")) ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(file_read(AT_FDCWD, folder_at("out"), &out, &error), 1);
    assert_string_equal(buffer_text(&out), "out\nfour\n");
}

static void nothing_else_is_inherited(void **state)
{
    int leak = open("/dev/null", O_RDONLY); /* not close-on-exec */
    int high = fcntl(leak, F_DUPFD, 200);

    (void)state;
    assert_true(high >= 200);
    assert_prints(shell(SHELL("cd /proc/$$/fd && for i in *; do [ $i -gt 2 ] && "
                              "[ \"$(readlink $i)\" = /dev/null ] && echo $i; done; "
                              "[ /dev/null -ef 0 ] && [ /dev/null -ef 2 ] && echo null")),
                  "null\n");
    close(leak);
    close(high);
}

static void environment_is_ours_with_changes(void **state)
{
    static const char *const over[] = {"B=over", "C=new", "AX=longer", NULL};
    struct process_start start =
        shell(SHELL("echo \"$A $B $C\"; env | grep -c '^B='; echo \"${NOTIFY_SOCKET-unset} "
                    "${JOURNAL_STREAM-unset} ${INVOCATION_ID-unset} ${LISTEN_FDS-unset}\""));

    (void)state;
    setenv("A", "ours", 1);
    setenv("B", "ours", 1);
    setenv("BB", "other", 1);
    setenv("NOTIFY_SOCKET", "x", 1);
    setenv("JOURNAL_STREAM", "x", 1);
    setenv("INVOCATION_ID", "x", 1);
    setenv("LISTEN_FDS", "1", 1);
    start.environment = over;
    assert_prints(start, "ours over new\n1\nunset unset unset unset\n");
    unsetenv("A");
    unsetenv("B");
    unsetenv("BB");
    unsetenv("NOTIFY_SOCKET");
    unsetenv("JOURNAL_STREAM");
    unsetenv("INVOCATION_ID");
    unsetenv("LISTEN_FDS");
}

static void there_is_always_a_path(void **state)
{
    static const char *const over[] = {"PATH=/over", NULL};
    struct process_start start = shell(SHELL("echo \"$PATH\""));

    (void)state;
    setenv("PATH", "/ours", 1);
    assert_prints(start, "/ours\n");
    start.environment = over;
    assert_prints(start, "/over\n");
    unsetenv("PATH");
    assert_prints(start, "/over\n");
    start.environment = NULL;
    assert_prints(start, "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n");
}

static void signals_are_the_default_ones(void **state)
{
    sigset_t blocked, before;
    char *text;

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    text = printed_by(shell(
        (const char *const[]){"/bin/grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status", NULL}));
    sigprocmask(SIG_SETMASK, &before, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    assert_string_equal(text, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
    free(text);
}

static void groups_and_sessions(void **state)
{
    static const char ids[] = "cut -d' ' -f5,6 /proc/$$/stat | sed \"s/\\b$$\\b/own/g\"";
    AUTO_FREE char *same = memory_format("%d %d\n", (int)getpgrp(), (int)getsid(0));
    AUTO_FREE char *group = memory_format("own %d\n", (int)getsid(0));
    struct process_start start = shell(SHELL(ids));

    (void)state;
    start.group = PROCESS_SAME_GROUP;
    assert_prints(start, same);
    start.group = PROCESS_OWN_GROUP;
    assert_prints(start, group);
    start.group = PROCESS_OWN_SESSION;
    assert_prints(start, "own own\n");
}

static void folder_is_where_it_starts(void **state)
{
    struct process_start start = shell(SHELL("pwd"));

    (void)state;
    start.folder = "/usr";
    assert_prints(start, "/usr\n");
}

static int function(void *context)
{
    const char *variable = getenv("VARIABLE");

    if (!variable || strcmp(variable, "value") != 0 || getpgrp() != getpid() ||
        write(1, context, strlen(context)) < 0)
        return 1;
    return fcntl(3, F_GETFD) < 0 ? 7 : 2;
}

static void functions_are_children_too(void **state)
{
    static const char *const environment[] = {"VARIABLE=value", NULL};
    struct process_start start = {.function = function,
                                  .context = (void *)"text",
                                  .environment = environment,
                                  .fds = {-1, -1, -1, -1, -1}};
    int fds[2], status;
    char text[16] = "";

    (void)state;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    start.fds[1] = fds[1];
    status = finish(&start);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    assert_int_equal(read(fds[0], text, sizeof text - 1), 4);
    assert_string_equal(text, "text");
    close(fds[0]);
    close(fds[1]);
}

static void assert_does_not_start(const char *path, int number)
{
    const char *argv[] = {path, NULL};
    struct process_start start = shell(argv);
    struct error error = ERROR_INIT;
    int pidfd = -1;

    errno = 0;
    assert_int_equal(process_start(&start, &pidfd, &error), -1);
    assert_int_equal(errno, number);
    assert_says(&error, "cannot start");
    assert_says(&error, strerror(number));
    /* Nothing is left to wait for. */
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void what_cannot_be_executed_says_why(void **state)
{
    (void)state;
    folder_put("plain", "#!/bin/sh\n");
    folder_put("strange", "no program\n");
    assert_int_equal(chmod(folder_at("strange"), 0755), 0);
    assert_does_not_start("/no/such/program", ENOENT);
    assert_does_not_start(folder_at("plain"), EACCES);
    assert_does_not_start(folder_at("strange"), ENOEXEC);
    assert_does_not_start(folder_path, EACCES);
}

static void assert_found(const char *name, const char *expected)
{
    AUTO_FREE char *path = process_find(name);

    if (!expected)
        assert_null(path);
    else
        assert_string_equal(path ? path : "nothing", expected);
}

static void programs_are_found_in_the_path(void **state)
{
    AUTO_FREE char *path = memory_format("/nonexistent::%s:%s", folder_at("a"), folder_at("b"));
    char first[PATH_MAX], second[PATH_MAX];

    (void)state;
    folder_put("a/other", "");
    folder_put("a/prog", "");
    folder_put("b/prog", "");
    chmod(folder_at("b/prog"), 0755);
    snprintf(first, sizeof first, "%s", folder_at("a/prog"));
    snprintf(second, sizeof second, "%s", folder_at("b/prog"));
    setenv("PATH", path, 1);
    assert_found("prog", second); /* the first is not executable */
    chmod(first, 0755);
    assert_found("prog", first);
    assert_found("other", NULL);
    assert_found("none", NULL);
    assert_found("./none", "./none");
    assert_found("/no/such", "/no/such");
    unsetenv("PATH");
    assert_found("sh", access("/usr/bin/sh", X_OK) == 0 ? "/usr/bin/sh" : "/bin/sh");
}

/* A folder can be "executed" in access(2)'s sense, too. */
static void folders_are_no_programs(void **state)
{
    AUTO_FREE char *path = memory_format("%s:%s", folder_at("a"), folder_at("b"));
    char program[PATH_MAX];

    (void)state;
    folder_put("a/prog/file", "");
    folder_put("b/prog", "");
    chmod(folder_at("b/prog"), 0755);
    snprintf(program, sizeof program, "%s", folder_at("b/prog"));
    setenv("PATH", path, 1);
    assert_found("prog", program);
}

struct captured {
    struct buffer out, complaint;
    struct error error;
    int code;
};

static struct captured capture(const char *text, size_t maximum, int64_t limit_ms)
{
    struct captured captured = {.out = BUFFER_INIT(maximum), .complaint = BUFFER_INIT(8)};
    const struct process_capture what = {.argv = SHELL(text),
                                         .out = &captured.out,
                                         .complaint = &captured.complaint,
                                         .limit_ms = limit_ms};

    captured.code = process_capture(&what, &captured.error);
    return captured;
}

static void captured_free(struct captured *captured)
{
    buffer_free(&captured->out);
    buffer_free(&captured->complaint);
}

#define AUTO_CAPTURED __attribute__((cleanup(captured_free)))

static void captures_tell_output_and_ending(void **state)
{
    AUTO_CAPTURED struct captured one = capture("echo out; echo err >&2; exit 3", 64, PATIENCE_MS);
    AUTO_CAPTURED struct captured two = capture("kill -KILL $$", 64, PATIENCE_MS);

    (void)state;
    assert_int_equal(one.code, 3);
    assert_string_equal(buffer_text(&one.out), "out\n");
    assert_string_equal(buffer_text(&one.complaint), "err\n");
    assert_int_equal(two.code, 128 + SIGKILL);
    assert_string_equal(buffer_text(&two.out), "");
}

static void too_much_output_is_an_error(void **state)
{
    AUTO_CAPTURED struct captured fits = capture("printf 12345678", 8, PATIENCE_MS);
    AUTO_CAPTURED struct captured more = capture("printf 123456789; sleep 60", 8, PATIENCE_MS);

    (void)state;
    assert_int_equal(fits.code, 0);
    assert_string_equal(buffer_text(&fits.out), "12345678");
    assert_int_equal(more.code, -1);
    assert_says(&more.error, "more than 8 bytes");
}

static void too_much_complaint_is_none(void **state)
{
    AUTO_CAPTURED struct captured captured =
        capture("i=0; while [ $i -lt 20000 ]; do echo complaint; i=$((i+1)); done >&2; echo out",
                64, PATIENCE_MS);

    (void)state;
    assert_int_equal(captured.code, 0);
    assert_string_equal(buffer_text(&captured.out), "out\n");
    assert_true(captured.complaint.size <= 8);
}

static void captures_have_a_time_limit(void **state)
{
    int64_t before = clock_milliseconds();
    AUTO_CAPTURED struct captured open_output = capture("echo x; sleep 60", 64, 300);
    AUTO_CAPTURED struct captured no_output = capture("exec >&- 2>&-; sleep 60", 64, 300);

    (void)state;
    assert_in_range(clock_milliseconds() - before, 600, PATIENCE_MS);
    assert_int_equal(open_output.code, -1);
    assert_says(&open_output.error, "did not end");
    assert_int_equal(no_output.code, -1);
    assert_says(&no_output.error, "did not end");
}

static void input_is_read_from_its_beginning(void **state)
{
    struct process_start start = shell(SHELL("cat"));
    struct error error = ERROR_INIT;

    (void)state;
    start.fds[0] = process_input("a\nb\n", 4, &error);
    assert_true(start.fds[0] >= 0);
    assert_prints(start, "a\nb\n");
    close(start.fds[0]);
    start.fds[0] = process_input("", 0, &error);
    assert_prints(start, "");
    close(start.fds[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(descriptors_may_be_crossed, clean),
        cmocka_unit_test_teardown(own_numbers_may_be_the_childs, clean),
        cmocka_unit_test_teardown(own_descriptors_may_be_missing, clean),
        cmocka_unit_test_teardown(nothing_else_is_inherited, clean),
        cmocka_unit_test_teardown(environment_is_ours_with_changes, clean),
        cmocka_unit_test_teardown(there_is_always_a_path, clean),
        cmocka_unit_test_teardown(signals_are_the_default_ones, clean),
        cmocka_unit_test_teardown(groups_and_sessions, clean),
        cmocka_unit_test_teardown(folder_is_where_it_starts, clean),
        cmocka_unit_test(functions_are_children_too),
        cmocka_unit_test_teardown(what_cannot_be_executed_says_why, clean),
        cmocka_unit_test_teardown(programs_are_found_in_the_path, clean),
        cmocka_unit_test_teardown(folders_are_no_programs, clean),
        cmocka_unit_test(captures_tell_output_and_ending),
        cmocka_unit_test(too_much_output_is_an_error),
        cmocka_unit_test(too_much_complaint_is_none),
        cmocka_unit_test(captures_have_a_time_limit),
        cmocka_unit_test_teardown(input_is_read_from_its_beginning, clean),
    };

    return cmocka_run_group_tests(tests, make, unmake);
}
