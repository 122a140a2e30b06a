/* Module descriptions: what is read of them, what is refused, and a native module's own. */
#include "check.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "model/description.h"

#define AUTO_DESCRIPTION __attribute__((cleanup(description_clear)))

static struct description parse(const char *text)
{
    AUTO_JSON json_t *object = json_of(text);
    struct error error = ERROR_INIT;
    struct description description;

    if (description_parse(&description, object, "/modules/x", false, &error) < 0)
        fail_msg("%s: %s", text, error.message);
    assert_silent(&error);
    return description;
}

static void smallest_description_has_defaults(void **state)
{
    AUTO_DESCRIPTION struct description description = parse("{'interface':1,'name':'x'}");

    (void)state;
    assert_string_equal(description.name, "x");
    assert_string_equal(description.path, "/modules/x");
    assert_false(description.native);
    assert_int_equal(description.frequency, BOOTLACE_PER_INSTANCE);
    assert_int_equal(description.stage, BOOTLACE_STAGE_MAIN);
    assert_int_equal(description.order, 500);
    assert_false(description.repeatable || description.bakeable || description.has_prepare ||
                 description.no_limit);
    assert_int_equal(description.time_limit, 0);
    assert_string_equal(description_text(&description, "summary"), "");
    assert_false(description_has_type(&description, "text/x"));
    assert_false(description_has_key(&description, "x"));
}

static void whole_description_is_read(void **state)
{
    AUTO_DESCRIPTION struct description description =
        parse("{'interface':1,'name':'a-0','version':'7','summary':'s','keys':['k','l'],"
              "'types':['text/a'],'metadata':['hostname'],'frequency':'once','stage':'early',"
              "'order':1000,'repeatable':true,'bakeable':true,'prepare':true,'stop':true,"
              "'no_limit':true,'essential':true,'also_early':true,'time_limit':604800,"
              "'schema':{'type':'object'},'later':[1]}");

    (void)state;
    assert_string_equal(description.name, "a-0");
    assert_int_equal(description.frequency, BOOTLACE_ONCE);
    assert_int_equal(description.stage, BOOTLACE_STAGE_EARLY);
    assert_int_equal(description.order, 1000);
    assert_true(description.repeatable);
    assert_true(description.bakeable);
    assert_true(description.has_prepare);
    assert_true(description.no_limit);
    assert_true(description.essential && description.also_early);
    assert_int_equal(description.time_limit, 604800);
    assert_string_equal(description_text(&description, "version"), "7");
    assert_string_equal(description_text(&description, "summary"), "s");
    assert_true(description_has_type(&description, "text/a"));
    assert_false(description_has_type(&description, "text/b"));
    assert_true(description_has_key(&description, "l"));
    assert_false(description_has_key(&description, "text/a"));
}

static void frequencies_and_their_names(void **state)
{
    static const char *const names[] = {"per-instance", "per-boot", "once"};

    (void)state;
    for (unsigned i = 0; i < COUNT(names); i++) {
        AUTO_FREE char *text =
            memory_format("{'interface':1,'name':'x','frequency':'%s'}", names[i]);
        AUTO_DESCRIPTION struct description description = parse(text);

        assert_int_equal(description.frequency, i);
        assert_string_equal(description_frequency_name(description.frequency), names[i]);
    }
}

static void refusals_name_the_member(void **state)
{
    static const struct {
        const char *text, *words;
    } rows[] = {
        {"[]", "no JSON object"},
        {"null", "no JSON object"},
        {"'x'", "no JSON object"},
        {"{'name':'x'}", "speaks interface 0"},
        {"{'interface':2,'name':'x'}", "speaks interface 2, this agent speaks 1"},
        {"{'interface':'1','name':'x'}", "speaks interface 0"},
        {"{'interface':1}", "\"name\""},
        {"{'interface':1,'name':7}", "\"name\""},
        {"{'interface':1,'name':''}", "\"name\""},
        {"{'interface':1,'name':'-x'}", "\"name\""},
        {"{'interface':1,'name':'X'}", "\"name\""},
        {"{'interface':1,'name':'a_b'}", "\"name\""},
        {"{'interface':1,'name':'../x'}", "\"name\""},
        {"{'interface':1,'name':'x y'}", "\"name\""},
        {"{'interface':1,'name':'x','keys':'k'}", "\"keys\" is not a list"},
        {"{'interface':1,'name':'x','keys':['k',7]}", "\"keys\" has an item"},
        {"{'interface':1,'name':'x','types':{}}", "\"types\" is not a list"},
        {"{'interface':1,'name':'x','types':[null]}", "\"types\" has an item"},
        {"{'interface':1,'name':'x','metadata':[[]]}", "\"metadata\" has an item"},
        {"{'interface':1,'name':'x','schema':[]}", "\"schema\" is no object"},
        {"{'interface':1,'name':'x','frequency':'daily'}", "\"frequency\" is not one of"},
        {"{'interface':1,'name':'x','frequency':1}", "\"frequency\" is not one of"},
        {"{'interface':1,'name':'x','stage':'late'}", "\"stage\" is not one of main, early"},
        {"{'interface':1,'name':'x','order':-1}", "\"order\" is not within"},
        {"{'interface':1,'name':'x','order':1001}", "\"order\" is not within"},
        {"{'interface':1,'name':'x','time_limit':-1}", "\"time_limit\" is not within"},
        {"{'interface':1,'name':'x','time_limit':604801}", "\"time_limit\" is not within"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        AUTO_JSON json_t *object = json_of(rows[i].text);
        struct error error = ERROR_INIT;
        struct description description;

        if (description_parse(&description, object, "/x", false, &error) == 0)
            fail_msg("%s is taken", rows[i].text);
        assert_int_equal(error.kind, ERROR_INPUT);
        assert_says(&error, rows[i].words);
    }
}

/* A number in quotes or a flag in words would silently be the default. */
static void members_of_another_type_are_refused(void **state)
{
    static const char *const members[] = {"'order':'9'",         "'order':1.5",  "'time_limit':'9'",
                                          "'repeatable':'true'", "'bakeable':1", "'prepare':'yes'",
                                          "'no_limit':1"};

    (void)state;
    for (size_t i = 0; i < COUNT(members); i++) {
        AUTO_FREE char *text = memory_format("{'interface':1,'name':'x',%s}", members[i]);
        AUTO_JSON json_t *object = json_of(text);
        struct error error = ERROR_INIT;
        struct description description = {0};
        int code = description_parse(&description, object, "/x", false, &error);

        description_clear(&description);
        if (code == 0)
            fail_msg("%s is taken", members[i]);
        assert_int_equal(error.kind, ERROR_INPUT);
    }
}

static void names_have_a_limit(void **state)
{
    char name[DESCRIPTION_NAME_MAX + 2];
    AUTO_JSON json_t *object = json_of("{'interface':1}");
    struct description description;
    struct error error = ERROR_INIT;

    (void)state;
    memset(name, 'x', sizeof name);
    name[DESCRIPTION_NAME_MAX + 1] = '\0';
    json_put_text(object, "name", name);
    assert_int_equal(description_parse(&description, object, "/x", true, &error), -1);
    json_put_text(object, "name", name + 1);
    assert_int_equal(description_parse(&description, object, "/x", true, &error), 0);
    assert_true(description.native);
    description_clear(&description);
    description_clear(&description);
    description_clear(NULL);
}

static int nothing(const struct bootlace_host *host, const char *input)
{
    (void)host;
    (void)input;
    return 0;
}

static void native_description_says_the_same(void **state)
{
    static const char *const keys[] = {"k", NULL}, *const types[] = {"text/a", "text/b", NULL};
    const struct bootlace_module module = {
        .size = sizeof module,
        .interface = BOOTLACE_INTERFACE,
        .name = "x",
        .version = "1.2",
        .summary = "s",
        .keys = keys,
        .types = types,
        .schema = "{\"type\":\"object\"}",
        .frequency = BOOTLACE_PER_BOOT,
        .stage = BOOTLACE_STAGE_EARLY,
        .order = 7,
        .flags = BOOTLACE_REPEATABLE | BOOTLACE_NO_LIMIT,
        .time_limit = 60,
        .prepare = nothing,
        .run = nothing,
    };
    AUTO_JSON json_t *object = description_of_native(&module);
    AUTO_DESCRIPTION struct description description = {0};
    struct error error = ERROR_INIT;

    (void)state;
    assert_int_equal(description_parse(&description, object, "/x.so", true, &error), 0);
    assert_json(json_incref(object),
                "{'interface':1,'name':'x','version':'1.2','summary':'s','keys':['k'],"
                "'types':['text/a','text/b'],'metadata':[],'frequency':'per-boot','stage':'early',"
                "'order':7,'repeatable':true,'bakeable':false,'no_limit':true,'essential':false,'"
                "also_early':false,'tree_state':false,'by_item':false,'time_limit':60,"
                "'prepare':true,'stop':false,'forget':false,'schema':{'type':'object'}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(smallest_description_has_defaults),
        cmocka_unit_test(whole_description_is_read),
        cmocka_unit_test(frequencies_and_their_names),
        cmocka_unit_test(refusals_name_the_member),
        cmocka_unit_test(members_of_another_type_are_refused),
        cmocka_unit_test(names_have_a_limit),
        cmocka_unit_test(native_description_says_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
