/* The lines that a module writes to descriptor 3: what is taken of them, however they arrive. */
#include "check.h"

#include "base/banned.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "run/execute.h"

#include <fcntl.h>
#include <unistd.h>

struct lines {
    struct execute execute;
    int pipe; /* the module's end */
};

static void lines_open(struct lines *lines)
{
    int fds[2];

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_true(fcntl(fds[0], F_SETFL, O_NONBLOCK) >= 0);
    lines->execute = (struct execute)EXECUTE_INIT;
    buffer_init(&lines->execute.result_text, EXECUTE_RESULT_LINE_MAX);
    lines->execute.items = json_array();
    lines->execute.result_fd = fds[0];
    lines->pipe = fds[1];
}

static bool give(struct lines *lines, const char *text)
{
    for (const char *next = text; *next;) {
        size_t size = strlen(next) < 4096 ? strlen(next) : 4096;

        assert_int_equal(file_write_all(lines->pipe, next, size), 0);
        next += size;
        if (*next)
            execute_take(&lines->execute);
    }
    return execute_take(&lines->execute);
}

static void lines_close(struct lines *lines)
{
    close(lines->pipe);
    execute_take(&lines->execute);
    assert_int_equal(lines->execute.result_fd, -1);
    execute_clear(&lines->execute);
}

static void assert_value(const json_t *value, const char *expected)
{
    assert_json(json_incref((json_t *)value), expected);
}

static void last_result_counts(void **state)
{
    struct lines lines;

    (void)state;
    lines_open(&lines);
    give(&lines, "{\"status\":\"failed\"}\n{\"status\":\"changed\",\"exit_code\":0}\n");
    assert_value(lines.execute.result, "{'status':'changed','exit_code':0}");
    assert_null(lines.execute.progress);
    lines_close(&lines);
}

static void lines_may_come_in_pieces(void **state)
{
    static const char text[] = "{\"status\":\"changed\"}\n";
    struct lines lines;

    (void)state;
    lines_open(&lines);
    for (size_t i = 0; i < sizeof text - 1; i++) {
        const char piece[] = {text[i], '\0'};

        assert_null(lines.execute.result);
        give(&lines, piece);
    }
    assert_value(lines.execute.result, "{'status':'changed'}");
    lines_close(&lines);
}

static void last_line_needs_no_end(void **state)
{
    struct lines lines;

    (void)state;
    lines_open(&lines);
    give(&lines, "{\"status\":\"changed\"}");
    assert_null(lines.execute.result);
    close(lines.pipe);
    execute_take(&lines.execute);
    assert_value(lines.execute.result, "{'status':'changed'}");
    execute_clear(&lines.execute);
}

static void progress_is_told_and_is_no_result(void **state)
{
    struct lines lines;

    (void)state;
    lines_open(&lines);
    assert_true(give(&lines, "{\"progress\":0.5,\"status\":\"changed\"}\n"));
    assert_value(lines.execute.progress, "{'progress':0.5,'status':'changed'}");
    assert_null(lines.execute.result);
    assert_false(give(&lines, "{\"status\":\"changed\"}\n"));
    assert_true(give(&lines, "{\"progress\":1}\n{\"status\":\"changed\"}\n"));
    assert_value(lines.execute.progress, "{'progress':1}");
    lines_close(&lines);
}

static void items_are_kept_in_their_order(void **state)
{
    struct lines lines;

    (void)state;
    lines_open(&lines);
    give(&lines,
         "{\"item\":\"a\",\"status\":\"changed\"}\n{\"item\":\"b\",\"status\":\"failed\"}\n");
    assert_value(lines.execute.items,
                 "[{'item':'a','status':'changed'},{'item':'b','status':'failed'}]");
    assert_null(lines.execute.result);
    lines_close(&lines);
}

static void items_have_a_limit(void **state)
{
    struct lines lines;

    (void)state;
    lines_open(&lines);
    for (int i = 0; i < EXECUTE_ITEMS_MAX + 10; i++)
        give(&lines, "{\"item\":\"a\"}\n");
    assert_int_equal(json_array_size(lines.execute.items), EXECUTE_ITEMS_MAX);
    lines_close(&lines);
}

static void other_lines_are_passed_over(void **state)
{
    struct lines lines;

    (void)state;
    lines_open(&lines);
    assert_false(give(&lines, "\n[]\n7\n\"status\"\n{\n{}\n{\"other\":1}\nplain text\n\xff\n"
                              "{\"status\":\"changed\"} x\n"));
    assert_null(lines.execute.result);
    assert_null(lines.execute.progress);
    assert_int_equal(json_array_size(lines.execute.items), 0);
    give(&lines, "{\"status\":\"unchanged\",\"later\":[1]}\n");
    assert_value(lines.execute.result, "{'status':'unchanged','later':[1]}");
    lines_close(&lines);
}

static void long_lines_up_to_the_limit_are_taken(void **state)
{
    AUTO_FREE char *message = memory_zeroed(200001, 1);
    AUTO_FREE char *line = NULL;
    struct lines lines;

    (void)state;
    memset(message, 'm', 200000);
    line = memory_format("{\"status\":\"changed\",\"message\":\"%s\"}\n", message);
    lines_open(&lines);
    give(&lines, line);
    assert_int_equal(json_string_length(json_object_get(lines.execute.result, "message")), 200000);
    lines_close(&lines);
}

/* A line without end costs no more memory than the limit, and the next line is taken. */
static void too_long_lines_are_passed_over(void **state)
{
    AUTO_FREE char *garbage = memory_zeroed(EXECUTE_RESULT_LINE_MAX * 2 + 1, 1);
    struct lines lines;

    (void)state;
    memset(garbage, 'x', EXECUTE_RESULT_LINE_MAX * 2);
    lines_open(&lines);
    give(&lines, garbage);
    assert_true(lines.execute.result_text.capacity <= EXECUTE_RESULT_LINE_MAX * 2);
    give(&lines, "\n{\"status\":\"changed\"}\n");
    assert_value(lines.execute.result, "{'status':'changed'}");
    lines_close(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(last_result_counts),
        cmocka_unit_test(lines_may_come_in_pieces),
        cmocka_unit_test(last_line_needs_no_end),
        cmocka_unit_test(progress_is_told_and_is_no_result),
        cmocka_unit_test(items_are_kept_in_their_order),
        cmocka_unit_test(items_have_a_limit),
        cmocka_unit_test(other_lines_are_passed_over),
        cmocka_unit_test(long_lines_up_to_the_limit_are_taken),
        cmocka_unit_test(too_long_lines_are_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
