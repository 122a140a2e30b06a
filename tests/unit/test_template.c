/*
 * Templates: tests/cases/template, where each folder is a test, and what no case can show: the
 * limits, the names, the edges of the bytes given.
 *
 *     template          the text
 *     variables.json    what it is rendered with; {} where there is no such file
 *     expected          what comes out, or
 *     error.json        {"error":…,"line":…,"column":…,"hint":…}
 */
#include "cases.h"
#include "check.h"
#include "guard.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "config/template.h"

enum { NAMED_TESTS = 16 };

/* Appends so many copies. */
static void repeat(struct buffer *out, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_true(buffer_append_text(out, text));
}

static void compare_error(const char *name, const struct error *error)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(CASES_FILE_MAX);
    AUTO_JSON json_t *wanted = NULL, *actual = memory_need(json_object());
    struct error unread = ERROR_INIT;

    if (!cases_read("template", name, "error.json", &text))
        fail_msg("%s: %u:%u: %s", name, error->line, error->column, error->message);
    wanted = json_parse(text.bytes, text.size, "error.json", &unread);
    assert_int_equal(error->kind, ERROR_INPUT);
    json_put_text(actual, "error", error->message);
    json_put_number(actual, "line", error->line);
    json_put_number(actual, "column", error->column);
    if (*error->hint)
        json_put_text(actual, "hint", error->hint);
    if (!json_equal(actual, wanted)) {
        AUTO_FREE char *shown = json_indented(actual);

        fail_msg("%s: not as error.json says, but\n%s", name, shown);
    }
}

static json_t *variables_of(const char *name)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(CASES_FILE_MAX);
    struct error error = ERROR_INIT;
    json_t *variables;

    if (!cases_read("template", name, "variables.json", &text))
        return memory_need(json_object());
    variables = json_parse(text.bytes, text.size, "variables.json", &error);
    assert_non_null(variables);
    return variables;
}

static void check_case(void **state)
{
    const char *name = *state;
    AUTO_BUFFER struct buffer text = BUFFER_INIT(CASES_FILE_MAX);
    AUTO_BUFFER struct buffer wanted = BUFFER_INIT(CASES_FILE_MAX);
    AUTO_BUFFER struct buffer out = BUFFER_INIT(CASES_FILE_MAX);
    AUTO_JSON json_t *variables = variables_of(name);
    struct error error = ERROR_INIT;

    assert_true(cases_read("template", name, "template", &text));
    assert_true(buffer_append_text(&out, "before:"));
    struct guard guard = guard_make(buffer_text(&text), text.size);
    int result = template_render(guard.bytes, text.size, variables, &out, &error);
    guard_free(&guard);
    if (result < 0) {
        assert_string_equal(out.bytes, "before:");
        compare_error(name, &error);
        return;
    }
    assert_silent(&error);
    if (!cases_read("template", name, "expected", &wanted))
        fail_msg("%s: there is no file `expected`", name);
    buffer_drop(&out, strlen("before:"));
    if (out.size != wanted.size || memcmp(buffer_text(&out), buffer_text(&wanted), out.size) != 0)
        fail_msg("%s: not as expected, but\n%s", name, buffer_text(&out));
}

static void assert_names(const char *text, const char *expected)
{
    struct error error = ERROR_INIT;
    json_t *names = NULL;

    if (template_names(text, strlen(text), &names, &error) < 0)
        fail_msg("\"%s\": %s", text, error.message);
    assert_json(names, expected);
    assert_silent(&error);
}

static void names_are_dotted(void **state)
{
    (void)state;
    assert_names("", "[]");
    assert_names("{{ v1.region }}{{ ds.meta_data['local-ipv4'] }}{{ v1.region|upper }}",
                 "['v1.region','ds.meta_data.local-ipv4']");
    assert_names("{{ a.b.split('.')[0] }}", "['a.b']");
}

static void names_in_every_place(void **state)
{
    (void)state;
    assert_names("{% if a.x and not b %}{{ c }}{% elif d %}{% else %}{{ e }}{% endif %}",
                 "['a.x','b','c','d','e']");
    assert_names("{{ [a, {'k': b}, -c, d ~ e, f[1:g], h < i, j is in k, 'x' if l else m] }}",
                 "['a','b','c','d','e','f','g','h','i','j','k','l','m']");
    assert_names("{{ a|default(b.c)|replace(d, 'x') }}{{ e.split(f) }}{{ range(g) }}",
                 "['a','b.c','d','e','f','g']");
}

static void names_end_where_they_are_not_known(void **state)
{
    (void)state;
    assert_names("{{ a.b[c].d }}{{ e[0].f }}{{ g['x.y'].z }}{{ (h or i).j }}",
                 "['c','a.b','e','g','h','i']");
}

static void own_names_are_not_among_them(void **state)
{
    (void)state;
    assert_names("{% set x = a.b %}{{ x.y }}{% set z %}{{ c }}{% endset %}{{ z }}", "['a.b','c']");
    assert_names("{% for k, v in d.items() %}{{ k }}{{ v.w }}{{ loop.index }}{% endfor %}{{ k }}",
                 "['d','k']");
    assert_names("{% for x in l if x > y %}{% else %}{{ x }}{% endfor %}", "['l','y','x']");
    /* What may not have been set may be asked for. */
    assert_names("{% if a %}{% set x = 1 %}{{ x }}{% endif %}{{ x }}", "['a','x']");
    assert_names("{{ x }}{% set x = 1 %}{{ x }}", "['x']");
}

static void names_of_what_is_no_template(void **state)
{
    struct error error = ERROR_INIT;
    json_t *names = NULL;

    (void)state;
    assert_int_equal(template_names("a\n{{ 1 +", 9, &names, &error), -1);
    assert_null(names);
    assert_int_equal(error.line, 2);
}

/* Thousands of names and branches: each branch must not copy the names before it. */
static void many_names_are_no_burden(void **state)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(TEMPLATE_SIZE_MAX);
    struct error error = ERROR_INIT;
    json_t *names = NULL;

    (void)state;
    for (int i = 0; i < 20000; i++)
        assert_true(buffer_format(&text, "{%% set a%d = b%d %%}{%% if c %%}{%% endif %%}", i, i));
    assert_int_equal(template_names(text.bytes, text.size, &names, &error), 0);
    assert_int_equal(json_array_size(names), 20001);
    json_decref(names);
}

static int render(const struct buffer *text, struct buffer *out, struct error *error)
{
    AUTO_JSON json_t *variables = memory_need(json_object());

    error_clear(error);
    return template_render(buffer_text(text), text->size, variables, out, error);
}

static void size_has_its_limit(void **state)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(TEMPLATE_SIZE_MAX + 1);
    AUTO_BUFFER struct buffer out = BUFFER_INIT(TEMPLATE_SIZE_MAX + 1);
    struct error error;

    (void)state;
    repeat(&text, "x", TEMPLATE_SIZE_MAX);
    assert_int_equal(render(&text, &out, &error), 0);
    assert_int_equal(out.size, TEMPLATE_SIZE_MAX);
    repeat(&text, "x", 1);
    assert_int_equal(render(&text, &out, &error), -1);
    assert_says(&error, "larger than 4 MiB");
}

static void parts_have_their_limit(void **state)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(TEMPLATE_SIZE_MAX);
    AUTO_BUFFER struct buffer out = BUFFER_INIT(TEMPLATE_SIZE_MAX);
    struct error error;

    (void)state;
    repeat(&text, "{{1}}", TEMPLATE_NODES_MAX / 2 - 1);
    assert_int_equal(render(&text, &out, &error), 0);
    repeat(&text, "{{1}}", 2);
    assert_int_equal(render(&text, &out, &error), -1);
    assert_says(&error, "too large");
}

static void output_has_its_limits(void **state)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(4096), out = BUFFER_INIT(TEMPLATE_OUTPUT_MAX * 2);
    AUTO_BUFFER struct buffer small = BUFFER_INIT(10);
    struct error error;

    (void)state;
    repeat(&text, "{% set x = 'y' * 1048576 %}", 1);
    repeat(&text, "{{ x }}", 8);
    assert_int_equal(render(&text, &out, &error), 0);
    assert_int_equal(out.size, TEMPLATE_OUTPUT_MAX);
    repeat(&text, "z", 1);
    buffer_clear(&out);
    assert_int_equal(render(&text, &out, &error), -1);
    assert_says(&error, "grows too large");
    assert_int_equal(out.size, 0);
    buffer_clear(&text);
    repeat(&text, "{{ 12345 }}", 2);
    assert_int_equal(render(&text, &small, &error), 0);
    assert_int_equal(render(&text, &small, &error), -1);
    assert_says(&error, "grows too large");
    assert_string_equal(small.bytes, "1234512345");
}

/* Each of them many times: what nests must be refused, and what stands in a row must not. */
static void assert_deep(const char *before, const char *open, const char *within, const char *close,
                        size_t times, bool is_refused)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(TEMPLATE_SIZE_MAX);
    AUTO_BUFFER struct buffer out = BUFFER_INIT(TEMPLATE_SIZE_MAX);
    struct error error;

    repeat(&text, before, 1);
    repeat(&text, open, times);
    repeat(&text, within, 1);
    repeat(&text, close, times);
    repeat(&text, *before ? " }}" : "", 1);
    if (render(&text, &out, &error) < 0) {
        if (!is_refused)
            fail_msg("%zu times \"%s\": %s", times, open, error.message);
        assert_says(&error, "nested too deeply");
    } else if (is_refused) {
        fail_msg("%zu times \"%s\" is taken", times, open);
    }
}

static void depth_has_its_limit(void **state)
{
    static const size_t counts[] = {TEMPLATE_DEPTH_MAX + 1, 10000};

    (void)state;
    for (size_t i = 0; i < COUNT(counts); i++) {
        assert_deep("{{ ", "(", "1", ")", counts[i], true);
        assert_deep("{{ ", "[", "1", "]", counts[i], true);
        assert_deep("{{ ", "{'a':", "1", "}", counts[i], true);
        assert_deep("{{ ", "-", "1", "", counts[i], true);
        assert_deep("{{ ", "not ", "1", "", counts[i], true);
        assert_deep("{{ ", "1 if 1 else ", "1", "", counts[i], true);
        assert_deep("{{ ", "1 + ", "1", "", counts[i], true);
        assert_deep("{{ 1", "|int", "", "", counts[i], true);
        assert_deep("{{ nope", ".a", "|d", "", counts[i], true);
        assert_deep("{{ 1", " is eq 1", "", "", counts[i], true);
        assert_deep("", "{% if 1 %}", "", "{% endif %}", counts[i], true);
        assert_deep("", "{% for x in [] %}", "", "{% endfor %}", counts[i], true);
        assert_deep("", "{% set x %}", "", "{% endset %}", counts[i], true);
    }
    assert_deep("{{ ", "(", "1", ")", TEMPLATE_DEPTH_MAX - 2, false);
    assert_deep("", "{% if 1 %}", "", "{% endif %}", TEMPLATE_DEPTH_MAX - 2, false);
    assert_deep("{{ 1", " ~ 1", "", "", 10000, false);
    assert_deep("{% if 0 %}", "{% elif 0 %}", "{% endif %}{{ 1", "", 10000, false);
}

/* A value that grows deeper by a level a statement would end the stack when it is given back. */
static void values_have_their_depth(void **state)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(TEMPLATE_SIZE_MAX);
    AUTO_BUFFER struct buffer out = BUFFER_INIT(TEMPLATE_SIZE_MAX);
    struct error error;

    (void)state;
    repeat(&text, "{% set x = [] %}", 1);
    repeat(&text, "{% set x = [x] %}", TEMPLATE_VALUE_DEPTH_MAX - 1);
    assert_int_equal(render(&text, &out, &error), 0);
    repeat(&text, "{% set x = [x] %}", 1);
    assert_int_equal(render(&text, &out, &error), -1);
    assert_says(&error, "nested too deeply");
    buffer_clear(&text);
    repeat(&text, "{% set x = {'a': 1} %}", 1);
    repeat(&text, "{% set x = x|items|list %}{% set x = {'a': x} %}", TEMPLATE_VALUE_DEPTH_MAX);
    assert_int_equal(render(&text, &out, &error), -1);
    assert_says(&error, "nested too deeply");
}

/* A value that holds itself twice, fifty times: 2^50 items that take no memory. */
static void shared_values_are_counted(void **state)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(TEMPLATE_SIZE_MAX);
    AUTO_BUFFER struct buffer out = BUFFER_INIT(TEMPLATE_SIZE_MAX);
    struct error error;

    (void)state;
    repeat(&text, "{% set x = [1] %}", 1);
    repeat(&text, "{% set x = [x, x] %}", 50);
    assert_int_equal(render(&text, &out, &error), -1);
    assert_says(&error, "does too much");
}

static void zero_characters_are_refused(void **state)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(100), out = BUFFER_INIT(100);
    struct error error;

    (void)state;
    assert_true(buffer_append(&text, "a\nb\0c", 5));
    assert_int_equal(render(&text, &out, &error), -1);
    assert_says(&error, "2:2: a zero character");
}

int main(void)
{
    static const struct CMUnitTest named[] = {
        cmocka_unit_test(names_are_dotted),
        cmocka_unit_test(names_in_every_place),
        cmocka_unit_test(names_end_where_they_are_not_known),
        cmocka_unit_test(own_names_are_not_among_them),
        cmocka_unit_test(names_of_what_is_no_template),
        cmocka_unit_test(many_names_are_no_burden),
        cmocka_unit_test(size_has_its_limit),
        cmocka_unit_test(parts_have_their_limit),
        cmocka_unit_test(output_has_its_limits),
        cmocka_unit_test(depth_has_its_limit),
        cmocka_unit_test(values_have_their_depth),
        cmocka_unit_test(shared_values_are_counted),
        cmocka_unit_test(zero_characters_are_refused),
    };
    static const char *names[CASES_MAX];
    static struct CMUnitTest tests[CASES_MAX + NAMED_TESTS];
    size_t count = cases_list("template", names);

    for (size_t i = 0; i < count; i++)
        tests[i] = (struct CMUnitTest){
            .name = names[i], .test_func = check_case, .initial_state = (void *)names[i]};
    for (size_t i = 0; i < COUNT(named); i++)
        tests[count + i] = named[i];
    /* The rest of the array has no test in it: the runner passes over it. */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
