/* Programs that a module runs: how they end, their limits, and what is told of them. */
#include "folder.h"

#include "check.h"

#include "base/banned.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "run/program.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

enum { PATIENCE_MS = 15000 };

#define SHELL(text_) ((const char *const[]){"sh", "-c", (text_), NULL})

static struct bootlace_program program_of(const char *const *argv)
{
    return (struct bootlace_program){.size = sizeof(struct bootlace_program), .argv = argv};
}

static int run(const char *const *argv, struct bootlace_ending *ending)
{
    struct bootlace_program program = program_of(argv);

    *ending = (struct bootlace_ending){0};
    return program_run("/", &program, ending);
}

static void assert_prints(struct bootlace_program program, const char *expected)
{
    char capture[1024] = "old";
    struct bootlace_ending ending = {0};

    program.capture = capture;
    program.capture_size = sizeof capture;
    assert_int_equal(program_run("/", &program, &ending), 0);
    assert_int_equal(ending.exit_code, 0);
    assert_string_equal(capture, expected);
}

static void exit_codes_are_told(void **state)
{
    struct bootlace_ending ending;

    (void)state;
    assert_int_equal(run(SHELL("exit 0"), &ending), 0);
    assert_int_equal(ending.exit_code, 0);
    assert_int_equal(ending.signal, 0);
    assert_int_equal(ending.timed_out, 0);
    assert_int_equal(run(SHELL("exit 255"), &ending), 0);
    assert_int_equal(ending.exit_code, 255);
    assert_int_equal(run(SHELL("exit 3"), &ending), 0);
    assert_int_equal(ending.exit_code, 3);
}

static void signals_are_told(void **state)
{
    struct bootlace_ending ending;

    (void)state;
    assert_int_equal(run(SHELL("kill -KILL $$"), &ending), 0);
    assert_int_equal(ending.exit_code, -1);
    assert_int_equal(ending.signal, SIGKILL);
    assert_int_equal(run(SHELL("kill -TERM $$"), &ending), 0);
    assert_int_equal(ending.signal, SIGTERM);
}

static void put_executable(const char *name, const char *text)
{
    folder_put(name, text);
    assert_int_equal(chmod(folder_at(name), 0755), 0);
}

static void what_cannot_be_started_says_why(void **state)
{
    struct bootlace_ending ending;

    (void)state;
    folder_put("plain", "#!/bin/sh\n");
    put_executable("no-interpreter", "#!/nonexistent/interpreter\n");
    put_executable("no-format", "no program at all\n");
    assert_int_equal(run((const char *const[]){"no-such-program", NULL}, &ending), -ENOENT);
    assert_int_equal(run((const char *const[]){"/no/such/program", NULL}, &ending), -ENOENT);
    assert_int_equal(run((const char *const[]){folder_at("plain"), NULL}, &ending), -EACCES);
    assert_int_equal(run((const char *const[]){folder_at("no-interpreter"), NULL}, &ending),
                     -ENOENT);
    assert_int_equal(run((const char *const[]){folder_at("no-format"), NULL}, &ending), -ENOEXEC);
}

static void arguments_are_no_shell_words(void **state)
{
    (void)state;
    assert_prints(
        program_of((const char *const[]){"printf", "<%s>", "a b", "$(id)", "", "'\"", "*", NULL}),
        "<a b><$(id)><><'\"><*>");
}

static void input_environment_and_folder(void **state)
{
    struct bootlace_program program = program_of(SHELL("cat; echo \"$A-$B\"; pwd"));

    (void)state;
    setenv("A", "ours", 1);
    setenv("B", "ours", 1);
    program.input = "in\n";
    program.input_size = 3;
    program.environ_add = (const char *const[]){"A=theirs", NULL};
    assert_prints(program, "in\ntheirs-ours\n/\n");
    program.input = NULL;
    program.folder = "/usr";
    assert_prints(program, "theirs-ours\n/usr\n");
}

static void nothing_but_the_three_descriptors_is_handed_on(void **state)
{
    int fd = open("/dev/null", O_RDONLY);

    (void)state;
    assert_true(fd >= 0);
    assert_prints(program_of(SHELL("for i in 3 4 5 6 7 8 9; do [ -e /proc/self/fd/$i ] && echo $i; "
                                   "done; [ /dev/null -ef /proc/self/fd/0 ]")),
                  "");
    close(fd);
}

static void capture_keeps_what_fits(void **state)
{
    char capture[9] = "12345678";
    struct bootlace_program program =
        program_of(SHELL("printf abc; i=0; while [ $i -lt 20000 ]; do echo 0123456789; "
                         "i=$((i+1)); done; exit 4"));
    struct bootlace_ending ending = {0};

    (void)state;
    program.capture = capture;
    program.capture_size = sizeof capture - 1;
    assert_int_equal(program_run("/", &program, &ending), 0);
    assert_int_equal(ending.exit_code, 4);
    assert_memory_equal(capture, "abc0123\0", 9);
}

static void capture_of_nothing_is_empty(void **state)
{
    (void)state;
    assert_prints(program_of(SHELL("true")), "");
    assert_prints(program_of(SHELL("echo complaint >/dev/null")), "");
}

/* Puts a line behind the others, with a bar between. */
static void note_line(void *context, const char *line)
{
    struct buffer *lines = context;

    buffer_append_text(lines, line);
    buffer_append_text(lines, "|");
}

static void lines_are_told(void **state)
{
    AUTO_BUFFER struct buffer lines = BUFFER_INIT(1 << 20);
    struct bootlace_program program = program_of(
        SHELL("echo one; echo two >&2; printf '\n10%%\r100%%\nlast'; yes long | head -n 2000 | "
              "tr -d '\n'; exit 3"));
    struct bootlace_ending ending = {0};
    static const char start[] = "one|two|10%|100%|lastlong";

    (void)state;
    program.line = note_line;
    program.line_context = &lines;
    assert_int_equal(program_run("/", &program, &ending), 0);
    assert_int_equal(ending.exit_code, 3);
    assert_int_equal(strncmp(buffer_text(&lines), start, strlen(start)), 0);
    /* The last one is cut. */
    assert_int_equal(lines.size, strlen("one|two|10%|100%|") + 4095 + strlen("|"));
}

static void lines_are_neither_captured_nor_detached(void **state)
{
    char capture[8];
    struct bootlace_program program = program_of(SHELL("echo x"));
    struct bootlace_ending ending = {0};

    (void)state;
    program.line = note_line;
    program.detach = 1;
    assert_int_equal(program_run("/", &program, &ending), -EINVAL);
    program.detach = 0;
    program.capture = capture;
    program.capture_size = sizeof capture;
    assert_int_equal(program_run("/", &program, &ending), -EINVAL);
}

static void capture_without_room_is_refused(void **state)
{
    char capture[1] = "x";
    struct bootlace_program program = program_of(SHELL("echo x"));
    struct bootlace_ending ending = {0};

    (void)state;
    program.capture = capture;
    assert_int_equal(program_run("/", &program, &ending), -EINVAL);
    program.capture_size = 1;
    assert_int_equal(program_run("/", &program, &ending), 0);
    assert_int_equal(capture[0], '\0');
}

static pid_t pid_in(const char *name)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(64);
    struct error error = ERROR_INIT;
    long pid;

    assert_int_equal(file_read(AT_FDCWD, folder_at(name), &text, &error), 1);
    pid = strtol(buffer_text(&text), NULL, 10);
    assert_true(pid > 1);
    return (pid_t)pid;
}

/* What a program leaves behind does not hold up the step, though it holds the pipe. */
static void survivors_are_not_waited_for(void **state)
{
    char capture[64];
    struct bootlace_program program = program_of(SHELL("sleep 30 & echo $! >\"$FILE\"; echo done"));
    AUTO_FREE char *variable = memory_format("FILE=%s", folder_at("pid"));
    struct bootlace_ending ending = {0};
    int64_t before = clock_milliseconds();

    (void)state;
    program.environ_add = (const char *const[]){variable, NULL};
    program.capture = capture;
    program.capture_size = sizeof capture;
    assert_int_equal(program_run("/", &program, &ending), 0);
    assert_in_range(clock_milliseconds() - before, 0, PATIENCE_MS);
    assert_string_equal(capture, "done\n");
    assert_int_equal(kill(pid_in("pid"), SIGKILL), 0);
}

/* Whether the process is gone, or only waits to be reaped by somebody. */
static bool is_gone(pid_t pid)
{
    AUTO_FREE char *path = memory_format("/proc/%d/stat", (int)pid);
    AUTO_BUFFER struct buffer text = BUFFER_INIT(4096);
    struct error error = ERROR_INIT;

    if (file_read(AT_FDCWD, path, &text, &error) <= 0)
        return true;
    return strstr(buffer_text(&text), ") Z ") != NULL;
}

/* Runs it with a limit of a second; its children tell their ids by files. */
static struct bootlace_ending run_limited(const char *text)
{
    AUTO_FREE char *variable = memory_format("FOLDER=%s", folder_path);
    struct bootlace_program program = program_of(SHELL(text));
    struct bootlace_ending ending = {0};
    int64_t before = clock_milliseconds();

    program.environ_add = (const char *const[]){variable, NULL};
    program.time_limit = 1;
    assert_int_equal(program_run("/", &program, &ending), 0);
    assert_in_range(clock_milliseconds() - before, 1000, PATIENCE_MS);
    return ending;
}

static void assert_gone_soon(const char *name)
{
    int64_t end = clock_milliseconds() + 1000;
    pid_t pid = pid_in(name);

    while (!is_gone(pid) && clock_milliseconds() < end)
        usleep(1000);
    if (!is_gone(pid)) {
        kill(pid, SIGKILL);
        fail_msg("%s is still there", name);
    }
}

static void time_limit_ends_the_group(void **state)
{
    struct bootlace_ending ending =
        run_limited("sleep 60 & echo $! >\"$FOLDER/child\"; wait; sleep 60");

    (void)state;
    assert_int_equal(ending.timed_out, 1);
    assert_int_equal(ending.signal, SIGTERM);
    assert_int_equal(ending.exit_code, -1);
    assert_gone_soon("child");
}

static void time_limit_ends_who_does_not_listen(void **state)
{
    int64_t before = clock_milliseconds();
    struct bootlace_ending ending =
        run_limited("trap '' TERM; echo $$ >\"$FOLDER/child\"; sleep 60; sleep 60");

    (void)state;
    assert_int_equal(ending.timed_out, 1);
    assert_int_equal(ending.signal, SIGKILL);
    assert_in_range(clock_milliseconds() - before, 1000 + PROGRAM_GRACE_MS, PATIENCE_MS);
    assert_gone_soon("child");
}

/* The first process of the group listens, another does not: the limit "ends the whole group". */
static void time_limit_ends_the_deaf_child_of_a_listener(void **state)
{
    struct bootlace_ending ending = run_limited(
        "(trap '' TERM; echo 1 >\"$FOLDER/ready\"; exec sleep 60) & echo $! >\"$FOLDER/child\"; "
        "wait; sleep 60");

    (void)state;
    assert_int_equal(ending.timed_out, 1);
    assert_true(file_exists(AT_FDCWD, folder_at("ready")));
    assert_gone_soon("child");
}

static void within_its_limit_a_program_is_left_alone(void **state)
{
    struct bootlace_program program = program_of(SHELL("echo ready; exit 5"));
    struct bootlace_ending ending = {0};
    char capture[16];

    (void)state;
    program.time_limit = 60;
    program.capture = capture;
    program.capture_size = sizeof capture;
    assert_int_equal(program_run("/", &program, &ending), 0);
    assert_int_equal(ending.timed_out, 0);
    assert_int_equal(ending.exit_code, 5);
    assert_string_equal(capture, "ready\n");
}

/* Process group and session of a program, by what it says of itself. */
static void groups_are_as_promised(void **state)
{
    struct bootlace_program program = program_of(SHELL("cut -d' ' -f5,6 /proc/$$/stat"));
    AUTO_FREE char *same = memory_format("%d %d\n", (int)getpgrp(), (int)getsid(0));

    (void)state;
    assert_prints(program, same);
    program = program_of(
        SHELL("set -- $(cut -d' ' -f5,6 /proc/$$/stat); [ $1 = $$ ] && [ $2 != $$ ] && echo own"));
    program.time_limit = 60;
    assert_prints(program, "own\n");
}

static void detached_programs_are_not_waited_for(void **state)
{
    struct bootlace_program program =
        program_of(SHELL("cut -d' ' -f5,6 /proc/$$/stat >\"$FOLDER/new\"; mv \"$FOLDER/new\" "
                         "\"$FOLDER/ids\"; sleep 30"));
    AUTO_FREE char *variable = memory_format("FOLDER=%s", folder_path);
    AUTO_BUFFER struct buffer ids = BUFFER_INIT(64);
    struct bootlace_ending ending = {0};
    int64_t before = clock_milliseconds();
    struct error error = ERROR_INIT;

    (void)state;
    program.environ_add = (const char *const[]){variable, NULL};
    program.detach = 1;
    assert_int_equal(program_run("/", &program, &ending), 0);
    assert_true(ending.pid > 1);
    assert_int_equal(ending.exit_code, -1);
    assert_int_equal(ending.signal, 0);
    while (!file_exists(AT_FDCWD, folder_at("ids")) && clock_milliseconds() - before < PATIENCE_MS)
        usleep(1000);
    assert_in_range(clock_milliseconds() - before, 0, PATIENCE_MS);
    assert_int_equal(file_read(AT_FDCWD, folder_at("ids"), &ids, &error), 1);
    {
        AUTO_FREE char *own = memory_format("%d %d\n", (int)ending.pid, (int)ending.pid);

        assert_string_equal(buffer_text(&ids), own);
    }
    assert_int_equal(killpg(ending.pid, SIGKILL), 0);
    assert_int_equal(waitpid(ending.pid, NULL, 0), ending.pid);
}

static void assert_text(const char *const *argv, const char *expected)
{
    AUTO_FREE char *text = program_text(argv);

    assert_string_equal(text, expected);
}

static void argument_vectors_as_text(void **state)
{
    (void)state;
    assert_text((const char *const[]){NULL}, "");
    assert_text((const char *const[]){"/bin/ls", "-l", "a.b_c,d:e=f/%@^+~", NULL},
                "/bin/ls -l a.b_c,d:e=f/%@^+~");
    assert_text((const char *const[]){"echo", "", "a b", "$x", "*", "a;b", NULL},
                "echo '' 'a b' '$x' '*' 'a;b'");
    assert_text((const char *const[]){"a b", NULL}, "'a b'");
}

/* One line for people that reads as what is run: no second line, no quote that ends too early. */
static void argument_vectors_with_quotes_and_line_ends(void **state)
{
    (void)state;
    assert_text((const char *const[]){"echo", "it's", NULL}, "echo 'it'\\''s'");
    assert_text((const char *const[]){"sh", "-c", "a\nb", NULL}, "sh -c 'a?b'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_codes_are_told),
        cmocka_unit_test(signals_are_told),
        cmocka_unit_test_teardown(what_cannot_be_started_says_why, folder_empty),
        cmocka_unit_test(arguments_are_no_shell_words),
        cmocka_unit_test(input_environment_and_folder),
        cmocka_unit_test(nothing_but_the_three_descriptors_is_handed_on),
        cmocka_unit_test(capture_keeps_what_fits),
        cmocka_unit_test(capture_of_nothing_is_empty),
        cmocka_unit_test(capture_without_room_is_refused),
        cmocka_unit_test(lines_are_told),
        cmocka_unit_test(lines_are_neither_captured_nor_detached),
        cmocka_unit_test_teardown(survivors_are_not_waited_for, folder_empty),
        cmocka_unit_test_teardown(time_limit_ends_the_group, folder_empty),
        cmocka_unit_test_teardown(time_limit_ends_who_does_not_listen, folder_empty),
        cmocka_unit_test_teardown(time_limit_ends_the_deaf_child_of_a_listener, folder_empty),
        cmocka_unit_test(within_its_limit_a_program_is_left_alone),
        cmocka_unit_test(groups_are_as_promised),
        cmocka_unit_test_teardown(detached_programs_are_not_waited_for, folder_empty),
        cmocka_unit_test(argument_vectors_as_text),
        cmocka_unit_test(argument_vectors_with_quotes_and_line_ends),
    };

    return cmocka_run_group_tests(tests, folder_make, folder_unmake);
}
