/* The growing buffer: what it holds, its end, and its maximum. */
#include "check.h"

#include "base/banned.h"
#include "base/buffer.h"

static void assert_holds(const struct buffer *buffer, const char *text)
{
    assert_string_equal(buffer_text(buffer), text);
    assert_int_equal(buffer->size, strlen(text));
}

static void nothing_is_an_empty_text(void **state)
{
    AUTO_BUFFER struct buffer buffer = BUFFER_INIT(8);

    (void)state;
    assert_holds(&buffer, "");
    assert_true(buffer_append(&buffer, "", 0));
    assert_holds(&buffer, "");
    buffer_clear(&buffer);
    assert_holds(&buffer, "");
}

static void appends_stand_one_behind_the_other(void **state)
{
    AUTO_BUFFER struct buffer buffer = BUFFER_INIT(1 << 20);

    (void)state;
    assert_true(buffer_append(&buffer, "a\0b", 3));
    assert_true(buffer_append_text(&buffer, "cd"));
    assert_true(buffer_format(&buffer, "%d-%s", 7, "x"));
    assert_int_equal(buffer.size, 8);
    assert_memory_equal(buffer.bytes, "a\0bcd7-x", 9);
}

static void maximum_is_reached_and_not_passed(void **state)
{
    AUTO_BUFFER struct buffer buffer = BUFFER_INIT(4);

    (void)state;
    assert_true(buffer_append_text(&buffer, "abc"));
    assert_false(buffer_append_text(&buffer, "de"));
    assert_holds(&buffer, "abc");
    assert_false(buffer_format(&buffer, "%d", 10));
    assert_holds(&buffer, "abc");
    assert_true(buffer_append_text(&buffer, "d"));
    assert_holds(&buffer, "abcd");
    assert_false(buffer_append_text(&buffer, "e"));
    assert_true(buffer_append(&buffer, "", 0));
    assert_false(buffer_append(&buffer, "e", SIZE_MAX));
    assert_holds(&buffer, "abcd");
}

static void maximum_of_nothing_holds_nothing(void **state)
{
    AUTO_BUFFER struct buffer buffer = BUFFER_INIT(0);

    (void)state;
    assert_false(buffer_append_text(&buffer, "a"));
    assert_null(buffer_room(&buffer, 1));
    assert_holds(&buffer, "");
}

static void large_contents_survive_growing(void **state)
{
    enum { PIECES = 10000 };
    AUTO_BUFFER struct buffer buffer = BUFFER_INIT(PIECES * 5);

    (void)state;
    for (int i = 0; i < PIECES; i++)
        assert_true(buffer_format(&buffer, "%05d", i));
    assert_false(buffer_append_text(&buffer, "x"));
    assert_int_equal(buffer.size, PIECES * 5);
    assert_memory_equal(buffer.bytes + 5 * 4321, "04321", 5);
    assert_int_equal(buffer.bytes[buffer.size], '\0');
}

static void room_is_used_as_far_as_said(void **state)
{
    AUTO_BUFFER struct buffer buffer = BUFFER_INIT(6);
    char *room;

    (void)state;
    assert_true(buffer_append_text(&buffer, "ab"));
    assert_null(buffer_room(&buffer, 5));
    room = buffer_room(&buffer, 4);
    assert_non_null(room);
    memcpy(room, "cdxx", 4);
    buffer_grown(&buffer, 2);
    assert_holds(&buffer, "abcd");
}

/* Nothing was appended: the text is empty, whatever was in the memory before. */
static void unused_room_is_an_empty_text(void **state)
{
    AUTO_BUFFER struct buffer buffer = BUFFER_INIT(100);
    char *dirt = malloc(128);

    (void)state;
    assert_non_null(dirt);
    memset(dirt, 'x', 128);
    free(dirt);
    assert_non_null(buffer_room(&buffer, 100));
    assert_int_equal(*buffer_text(&buffer), '\0');
}

static void drop_takes_the_first_bytes(void **state)
{
    AUTO_BUFFER struct buffer buffer = BUFFER_INIT(8);

    (void)state;
    buffer_drop(&buffer, 0);
    assert_true(buffer_append_text(&buffer, "abcdef"));
    buffer_drop(&buffer, 2);
    assert_holds(&buffer, "cdef");
    assert_true(buffer_append_text(&buffer, "ghij"));
    buffer_drop(&buffer, 8);
    assert_holds(&buffer, "");
}

static void take_leaves_an_empty_buffer(void **state)
{
    AUTO_BUFFER struct buffer buffer = BUFFER_INIT(3);
    char *text;

    (void)state;
    text = buffer_take(&buffer);
    assert_string_equal(text, "");
    free(text);
    assert_true(buffer_append_text(&buffer, "abc"));
    text = buffer_take(&buffer);
    assert_string_equal(text, "abc");
    free(text);
    assert_holds(&buffer, "");
    assert_false(buffer_append_text(&buffer, "abcd"));
    assert_true(buffer_append_text(&buffer, "xyz"));
}

static void free_keeps_the_maximum(void **state)
{
    struct buffer buffer = BUFFER_INIT(3);

    (void)state;
    assert_true(buffer_append_text(&buffer, "abc"));
    buffer_free(&buffer);
    assert_holds(&buffer, "");
    assert_false(buffer_append_text(&buffer, "abcd"));
    assert_true(buffer_append_text(&buffer, "abc"));
    buffer_free(&buffer);
    buffer_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_an_empty_text),
        cmocka_unit_test(appends_stand_one_behind_the_other),
        cmocka_unit_test(maximum_is_reached_and_not_passed),
        cmocka_unit_test(maximum_of_nothing_holds_nothing),
        cmocka_unit_test(large_contents_survive_growing),
        cmocka_unit_test(room_is_used_as_far_as_said),
        cmocka_unit_test(unused_room_is_an_empty_text),
        cmocka_unit_test(drop_takes_the_first_bytes),
        cmocka_unit_test(take_leaves_an_empty_buffer),
        cmocka_unit_test(free_keeps_the_maximum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
