/* What a step prints: lines, their limits, the tail, the log, and who goes on printing after it. */
#include "folder.h"

#include "check.h"

#include "base/banned.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "run/output.h"

#include <errno.h>
#include <sys/wait.h>

enum { PATIENCE_MS = 10000 };

struct printed {
    struct output output;
    int pipe; /* the step's end */
    int log;
};

static void printed_open(struct printed *printed)
{
    int fds[2];

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    folder_put("log", "");
    printed->log = open(folder_at("log"), O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_true(printed->log >= 0);
    printed->pipe = fds[1];
    output_init(&printed->output, "step", fds[0], printed->log, -1, false);
}

static void print(struct printed *printed, const char *text)
{
    assert_int_equal(file_write_all(printed->pipe, text, strlen(text)), 0);
    output_take(&printed->output);
}

static void printed_close(struct printed *printed)
{
    close(printed->pipe);
    output_finish(&printed->output);
    assert_int_equal(printed->output.fd, -1);
}

static void printed_free(struct printed *printed)
{
    output_free(&printed->output);
    close(printed->log);
}

/* Reads the log, without the times before its lines, which are looked at. */
static char *logged(void)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(4 << 20);
    AUTO_BUFFER struct buffer lines = BUFFER_INIT(4 << 20);
    struct error error = ERROR_INIT;

    assert_int_equal(file_read(AT_FDCWD, folder_at("log"), &text, &error), 1);
    for (const char *line = text.bytes, *end; line < text.bytes + text.size; line = end + 1) {
        end = memchr(line, '\n', (size_t)(text.bytes + text.size - line));
        assert_non_null(end);
        assert_true(end - line > 25);
        assert_int_equal(line[10], 'T');
        assert_memory_equal(line + 23, "Z ", 2);
        buffer_append(&lines, line + 25, (size_t)(end - line) - 25 + 1);
    }
    return buffer_take(&lines);
}

static void assert_logged(const char *expected)
{
    AUTO_FREE char *text = logged();

    assert_string_equal(text, expected);
}

static void output_is_cut_into_lines(void **state)
{
    struct printed printed;

    (void)state;
    printed_open(&printed);
    print(&printed, "one\ntw");
    assert_logged("step: one\n");
    print(&printed, "o\n\nthree\n");
    assert_logged("step: one\nstep: two\nstep: \nstep: three\n");
    printed_close(&printed);
    assert_string_equal(output_tail(&printed.output), "one\ntwo\n\nthree\n");
    printed_free(&printed);
}

static void last_line_needs_no_end(void **state)
{
    struct printed printed;

    (void)state;
    printed_open(&printed);
    print(&printed, "one\ntwo");
    printed_close(&printed);
    assert_logged("step: one\nstep: two\n");
    assert_string_equal(output_tail(&printed.output), "one\ntwo\n");
    printed_free(&printed);
}

static void nothing_printed_is_an_empty_tail(void **state)
{
    struct printed printed;

    (void)state;
    printed_open(&printed);
    printed_close(&printed);
    assert_string_equal(output_tail(&printed.output), "");
    assert_logged("");
    printed_free(&printed);
}

static void crlf_is_an_end_of_line(void **state)
{
    struct printed printed;

    (void)state;
    printed_open(&printed);
    print(&printed, "a\r\nb\rc\r\n\r\n");
    printed_close(&printed);
    assert_string_equal(output_tail(&printed.output), "a\nb?c\n\n");
    printed_free(&printed);
}

static void control_characters_are_replaced(void **state)
{
    struct printed printed;

    (void)state;
    printed_open(&printed);
    assert_int_equal(write(printed.pipe, "a\0b\x01\x07\x08\x7f\tc\x1f\n", 11), 11);
    print(&printed, "\xc3\xa9 \xff\n");
    printed_close(&printed);
    assert_string_equal(output_tail(&printed.output), "a?b????\tc?\n\xc3\xa9 \xff\n");
    assert_logged("step: a?b????\tc?\nstep: \xc3\xa9 \xff\n");
    printed_free(&printed);
}

static char *repeat(char c, size_t count, const char *end)
{
    char *text = memory_zeroed(count + strlen(end) + 1, 1);

    memset(text, c, count);
    memcpy(text + count, end, strlen(end));
    return text;
}

static void long_lines_are_cut_into_several(void **state)
{
    AUTO_FREE char *longest = repeat('x', OUTPUT_LINE_MAX, "\n");
    AUTO_FREE char *longer = repeat('y', OUTPUT_LINE_MAX + 3, "\nz\n");
    AUTO_FREE char *expected = memory_format("step: %.*s\nstep: %.*s\nstep: yyy\nstep: z\n",
                                             OUTPUT_LINE_MAX, longest, OUTPUT_LINE_MAX, longer);
    struct printed printed;

    (void)state;
    printed_open(&printed);
    print(&printed, longest);
    print(&printed, longer);
    printed_close(&printed);
    assert_logged(expected);
    printed_free(&printed);
}

static void tail_has_a_limit_of_lines(void **state)
{
    AUTO_BUFFER struct buffer expected = BUFFER_INIT(1 << 16);
    struct printed printed;

    (void)state;
    printed_open(&printed);
    for (int i = 1; i <= 100; i++) {
        AUTO_FREE char *line = memory_format("line %d\n", i);

        print(&printed, line);
        if (i > 100 - OUTPUT_TAIL_LINES)
            buffer_append_text(&expected, line);
    }
    printed_close(&printed);
    assert_string_equal(output_tail(&printed.output), expected.bytes);
    printed_free(&printed);
}

static void tail_has_a_limit_of_bytes(void **state)
{
    enum { LENGTH = 1000 };
    AUTO_FREE char *line = repeat('x', LENGTH - 1, "\n");
    struct printed printed;

    (void)state;
    printed_open(&printed);
    for (int i = 0; i < 20; i++)
        print(&printed, line);
    print(&printed, "last\n");
    printed_close(&printed);
    assert_int_equal(strlen(output_tail(&printed.output)),
                     (OUTPUT_TAIL_MAX - 5) / LENGTH * LENGTH + 5);
    assert_memory_equal(output_tail(&printed.output), line, LENGTH);
    printed_free(&printed);
}

/* Of a single line that is longer than the tail, its end is kept. */
static void tail_of_one_long_line(void **state)
{
    AUTO_FREE char *line = repeat('x', OUTPUT_TAIL_MAX, "end\n");
    struct printed printed;

    (void)state;
    printed_open(&printed);
    print(&printed, "before\n");
    print(&printed, line);
    printed_close(&printed);
    assert_int_equal(strlen(output_tail(&printed.output)), OUTPUT_TAIL_MAX);
    assert_string_equal(output_tail(&printed.output) + OUTPUT_TAIL_MAX - 5, "xend\n");
    printed_free(&printed);
}

static void log_has_a_limit_and_says_so(void **state)
{
    struct printed printed;

    (void)state;
    printed_open(&printed);
    printed.output.logged = OUTPUT_LOG_MAX - 3;
    print(&printed, "one\ntwo\nthree\n");
    printed_close(&printed);
    assert_logged("step: one\nstep: [bootlace keeps no more of this step's output]\n");
    assert_string_equal(output_tail(&printed.output), "one\ntwo\nthree\n");
    printed_free(&printed);
}

static void without_a_log_the_tail_is_kept(void **state)
{
    struct printed printed;

    (void)state;
    printed_open(&printed);
    printed.output.log_fd = -1;
    print(&printed, "one\n");
    printed_close(&printed);
    assert_string_equal(output_tail(&printed.output), "one\n");
    assert_logged("");
    printed_free(&printed);
}

static void nothing_there_is_not_waited_for(void **state)
{
    struct printed printed;
    int64_t before = clock_milliseconds();

    (void)state;
    printed_open(&printed);
    output_take(&printed.output);
    assert_true(printed.output.fd >= 0);
    assert_true(clock_milliseconds() - before < PATIENCE_MS / 2);
    printed_close(&printed);
    printed_free(&printed);
}

/* A child that holds the pipe, waits for a byte on `go`, and prints. */
static pid_t start_survivor(int pipe_end, int go, const char *text)
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        char byte;

        if (read(go, &byte, 1) >= 0)
            file_write_all(pipe_end, text, strlen(text));
        _exit(0);
    }
    return child;
}

static bool log_has(const char *text)
{
    AUTO_BUFFER struct buffer content = BUFFER_INIT(1 << 20);
    struct error error = ERROR_INIT;

    assert_int_equal(file_read(AT_FDCWD, folder_at("log"), &content, &error), 1);
    return content.size && memmem(content.bytes, content.size, text, strlen(text));
}

/* The keeper and the survivor are children of this process: waits for both. */
static void reap_all(void)
{
    int64_t end = clock_milliseconds() + PATIENCE_MS;

    while (waitpid(-1, NULL, WNOHANG) >= 0) {
        assert_true(clock_milliseconds() < end);
        usleep(1000);
    }
    assert_int_equal(errno, ECHILD);
}

static void survivors_are_not_waited_for_and_go_on_to_the_log(void **state)
{
    struct printed printed;
    int go[2];
    int64_t before;

    (void)state;
    printed_open(&printed);
    assert_int_equal(pipe2(go, O_CLOEXEC), 0);
    start_survivor(printed.pipe, go[0], "late one\nlate two");
    print(&printed, "early\n");
    before = clock_milliseconds();
    printed_close(&printed);
    assert_true(clock_milliseconds() - before < PATIENCE_MS / 2);
    assert_string_equal(output_tail(&printed.output), "early\n");
    assert_false(log_has("late"));
    assert_int_equal(write(go[1], "x", 1), 1);
    reap_all();
    assert_logged("step: early\nstep: late one\nstep: late two\n");
    assert_string_equal(output_tail(&printed.output), "early\n");
    close(go[0]);
    close(go[1]);
    printed_free(&printed);
}

/* The keeper must not say again what the step's last, unended line said. */
static void unended_line_of_a_step_with_survivors_is_logged_once(void **state)
{
    struct printed printed;
    int go[2];

    (void)state;
    printed_open(&printed);
    assert_int_equal(pipe2(go, O_CLOEXEC), 0);
    start_survivor(printed.pipe, go[0], "");
    print(&printed, "unended");
    printed_close(&printed);
    assert_int_equal(write(go[1], "x", 1), 1);
    reap_all();
    assert_logged("step: unended\n");
    close(go[0]);
    close(go[1]);
    printed_free(&printed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(output_is_cut_into_lines, folder_empty),
        cmocka_unit_test_teardown(last_line_needs_no_end, folder_empty),
        cmocka_unit_test_teardown(nothing_printed_is_an_empty_tail, folder_empty),
        cmocka_unit_test_teardown(crlf_is_an_end_of_line, folder_empty),
        cmocka_unit_test_teardown(control_characters_are_replaced, folder_empty),
        cmocka_unit_test_teardown(long_lines_are_cut_into_several, folder_empty),
        cmocka_unit_test_teardown(tail_has_a_limit_of_lines, folder_empty),
        cmocka_unit_test_teardown(tail_has_a_limit_of_bytes, folder_empty),
        cmocka_unit_test_teardown(tail_of_one_long_line, folder_empty),
        cmocka_unit_test_teardown(log_has_a_limit_and_says_so, folder_empty),
        cmocka_unit_test_teardown(without_a_log_the_tail_is_kept, folder_empty),
        cmocka_unit_test_teardown(nothing_there_is_not_waited_for, folder_empty),
        cmocka_unit_test_teardown(survivors_are_not_waited_for_and_go_on_to_the_log, folder_empty),
        cmocka_unit_test_teardown(unended_line_of_a_step_with_survivors_is_logged_once,
                                  folder_empty),
    };

    return cmocka_run_group_tests(tests, folder_make, folder_unmake);
}
