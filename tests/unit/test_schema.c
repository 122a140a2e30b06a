/*
 * Schemas: what is taken and refused when compiling, every keyword, all problems with place and
 * hint, forms, secrets, templates, composition; and the JSON Schema test suite where it is
 * installed (Debian's json-schema-test-suite; JSON_SCHEMA_TESTS names another folder), as far as
 * its schemas are in the subset.
 */
#include "check.h"

#include "base/banned.h"
#include "base/buffer.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "config/schema.h"
#include "config/yaml.h"

#include <fcntl.h>

static struct schema *compiled(json_t *document)
{
    struct error error = ERROR_INIT;
    struct schema *schema = schema_compile(document, "schema", &error);

    if (!schema)
        fail_msg("%s", error.message);
    assert_silent(&error);
    return schema;
}

static void assert_no_schema(const char *text, const char *words)
{
    AUTO_JSON json_t *document = json_of(text);
    struct error error = ERROR_INIT;

    if (schema_compile(document, "schema", &error))
        fail_msg("%s is taken", text);
    assert_int_equal(error.kind, ERROR_INPUT);
    assert_string_equal(error.where, "schema");
    assert_says(&error, words);
}

/* Writes what is told as lines: "[warning ]KEY LINE:COLUMN MESSAGE[; HINT]". */
static void write_down(void *context, bool warning, const char *key, const struct error *error)
{
    buffer_format(context, "%s%s %u:%u %s%s%s\n", warning ? "warning " : "", key, error->line,
                  error->column, error->message, *error->hint ? "; " : "", error->hint);
}

static void assert_told(const char *schema_text, const char *yaml, const char *expected)
{
    AUTO_BUFFER struct buffer told = BUFFER_INIT(1 << 20);
    AUTO_POSITIONS struct positions positions = {0};
    AUTO_JSON json_t *document = json_of(schema_text), *value = NULL;
    AUTO_SCHEMA struct schema *schema = compiled(document);
    struct error error = ERROR_INIT;
    size_t errors, lines = 0;

    value = yaml_parse_placed(yaml, strlen(yaml), "file", &positions, &error);
    if (!value)
        fail_msg("%s: %s", yaml, error.message);
    errors = schema_check(schema, value, "file", &positions, write_down, &told);
    if (strcmp(buffer_text(&told), expected) != 0)
        fail_msg("%s: it told\n%s", yaml, buffer_text(&told));
    for (const char *line = expected; *line; line = strchr(line, '\n') + 1)
        lines += strncmp(line, "warning ", 8) != 0;
    assert_int_equal(errors, lines);
}

static void assert_fits(const char *schema_text, const char *yaml)
{
    assert_told(schema_text, yaml, "");
}

static void assert_does_not_fit(const char *schema_text, const char *yaml)
{
    AUTO_BUFFER struct buffer told = BUFFER_INIT(1 << 20);
    AUTO_JSON json_t *document = json_of(schema_text), *value = NULL;
    AUTO_SCHEMA struct schema *schema = compiled(document);
    struct error error = ERROR_INIT;

    value = yaml_parse(yaml, strlen(yaml), "file", &error);
    if (!schema_check(schema, value, "file", NULL, write_down, &told))
        fail_msg("%s fits %s", yaml, schema_text);
}

static void what_is_no_schema_is_refused(void **state)
{
    (void)state;
    assert_no_schema("7", "the schema at #: it is neither an object nor true or false");
    assert_no_schema("{'properties':{'a':{'items':7}}}", "at #/properties/a/items: it is neither");
    assert_no_schema("{'format':'uri'}", "format is no keyword of the subset");
    assert_no_schema("{'properties':{'a':{'uniqueItems':true}}}",
                     "at #/properties/a: uniqueItems is no keyword");
    assert_no_schema("{'x-other':1}", "x-other is no keyword");
    assert_no_schema("{'type':'text'}", "type is no kind");
    assert_no_schema("{'type':['string','string']}", "or twice");
    assert_no_schema("{'type':[]}", "type is no kind");
    assert_no_schema("{'enum':[]}", "enum is no list of values");
    assert_no_schema("{'minimum':'1'}", "minimum is no number");
    assert_no_schema("{'maximum':'1'}", "maximum is no number");
    assert_no_schema("{'minLength':-1}", "minLength is no count");
    assert_no_schema("{'maxItems':1.5}", "maxItems is no count");
    assert_no_schema("{'required':'a'}", "required is no list");
    assert_no_schema("{'required':[1]}", "required has something");
    assert_no_schema("{'properties':[]}", "properties is no object");
    assert_no_schema("{'patternProperties':[]}", "patternProperties is no object");
    assert_no_schema("{'oneOf':[]}", "oneOf is no list");
    assert_no_schema("{'anyOf':{}}", "anyOf is no list");
    assert_no_schema("{'allOf':[7]}", "at #/allOf: it is neither");
    assert_no_schema("{'items':[{}]}", "at #/items: it is neither");
    assert_no_schema("{'deprecated':'yes'}", "deprecated is no truth value");
    assert_no_schema("{'x-secret':1}", "x-secret is no truth value");
    assert_no_schema("{'x-template':1}", "x-template is no truth value");
    assert_no_schema("{'description':1}", "description is no text");
    assert_no_schema("{'title':1}", "is no text");
    assert_no_schema("{'examples':1}", "examples is no list");
}

static void references_lead_to_definitions(void **state)
{
    (void)state;
    assert_no_schema("{'$ref':'other.json'}", "$ref does not lead to #/$defs/NAME");
    assert_no_schema("{'$ref':'#/$defs/a'}", "leads to a name that $defs does not have");
    assert_no_schema("{'$defs':{'a':{'$ref':'#/$defs/a'}}}", "leads back to itself");
    assert_no_schema("{'$defs':{'a':{'oneOf':[{'allOf':[{'$ref':'#/$defs/b'}]}]},"
                     "'b':{'anyOf':[{'$ref':'#/$defs/a'}]}}}",
                     "leads back to itself");
    assert_no_schema("{'$defs':{'a/b':{}}}", "$defs has a name");
    assert_no_schema("{'items':{'$defs':{}}}", "at #/items: $defs stands not at the top");
    assert_fits("{'$ref':'#/$defs/tree','$defs':{'tree':{'type':'array',"
                "'items':{'$ref':'#/$defs/tree'}}}}",
                "[[], [[], []]]");
    assert_told("{'$ref':'#/$defs/tree','$defs':{'tree':{'type':'array',"
                "'items':{'$ref':'#/$defs/tree'}}}}",
                "[[], [[], [x]]]",
                "[1][1][0] 1:12 [1][1][0] must be a list, but is a text; begin each item with "
                "\"- \", or write [ ] around it\n");
}

static void patterns_mean_the_same_everywhere(void **state)
{
    static const char *const bad[] = {"\\\\d+",      "\\\\w",   "(?:a)",    "a(?=b)",
                                      "[[:alpha:]]", "[\\\\]]", "(a)\\\\1", "[]a]",
                                      "[^]a]",       "[a",      "a\\\\"};

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        AUTO_FREE char *text = memory_format("{'pattern':'%s'}", bad[i]);

        assert_no_schema(text, "does not mean the same");
    }
    assert_no_schema("{'pattern':'a{2,1}'}", "is no extended regular expression");
    assert_no_schema("{'pattern':7}", "is no text");
    assert_no_schema("{'patternProperties':{'(':{}}}", "is no extended regular expression");
    assert_fits("{'pattern':'^[a-z.[]+(x|y)?\\\\.\\\\\\\\$'}", "'ab[x.\\'");
    assert_fits("{'pattern':'b'}", "abc");
    assert_told("{'pattern':'^0?[0-7]{3}$','description':'Octal digits.'}", "'0648'",
                " 1:1 the whole does not have the form ^0?[0-7]{3}$; Octal digits.\n");
}

static void schemas_have_their_limits(void **state)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(1 << 20);

    (void)state;
    for (int i = 0; i < 200; i++)
        buffer_append_text(&text, "{'items':");
    buffer_append_text(&text, "true");
    for (int i = 0; i < 200; i++)
        buffer_append_text(&text, "}");
    assert_no_schema(text.bytes, "nested too deeply");
    buffer_clear(&text);
    buffer_append_text(&text, "{'allOf':[true");
    for (int i = 0; i < SCHEMA_NODES_MAX; i++)
        buffer_append_text(&text, ",true");
    buffer_append_text(&text, "]}");
    assert_no_schema(text.bytes, "is too large");
    buffer_clear(&text);
    buffer_append_text(&text, "{'pattern':'");
    for (int i = 0; i <= SCHEMA_PATTERN_MAX; i++)
        buffer_append_text(&text, "a");
    buffer_append_text(&text, "'}");
    assert_no_schema(text.bytes, "too long");
    /* Compiled or matched, each of these would take gigabytes or minutes. */
    assert_no_schema("{'pattern':'((a{255}){255}){255}'}", "repeats too much");
    assert_no_schema("{'pattern':'((x|[yz]{9}){32000,}b)'}", "repeats too much");
    assert_no_schema("{'pattern':'(((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+'}", "repeats too much");
    assert_no_schema("{'pattern':'((()+)+)+'}", "repeats what may be empty");
    assert_no_schema("{'pattern':'((a?|b?){9,}){9,}'}", "repeats what may be empty");
    assert_no_schema("{'pattern':'(ab|){2}'}", "repeats what may be empty");
    assert_no_schema("{'pattern':'(^){2}'}", "repeats what may be empty");
    assert_no_schema("{'patternProperties':{'a{9}{9}':{}}}", "repeats a repetition");
    assert_no_schema("{'pattern':'(a*)*?'}", "repeats a repetition");
    assert_fits("{'pattern':'^(a*)*b?$'}", "aab");
    assert_fits("{'pattern':'[+]+$'}", "a+++");
    assert_fits("{'pattern':'^[*]*\\\\{{2}$'}", "'**{{'");
    assert_fits("{'pattern':'^([a-z]+[.]){1,126}[a-z]{2,63}$'}", "a.bc.org");
    assert_fits("{'pattern':'^(([0-9a-f]{2}){32}){1,32}$'}",
                "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
}

static void kinds(void **state)
{
    (void)state;
    assert_fits("{'type':'integer'}", "7");
    assert_fits("{'type':'integer'}", "7.0");
    assert_fits("{'type':'number'}", "7");
    assert_fits("{'type':['string','null']}", "~");
    assert_does_not_fit("{'type':'integer'}", "7.5");
    assert_does_not_fit("{'type':'null'}", "no");
    assert_told("{'type':'string'}", "7",
                " 1:1 the whole must be a text, but is a whole number; without quotes YAML reads a "
                "number, or yes, no, on and off, as such: put it in quotes\n");
    assert_told("{'type':['string','array','null']}", "{a: 1}",
                " 1:1 the whole must be a text, a list or empty, but is a mapping; begin each item "
                "with \"- \", or write [ ] around it\n");
    assert_told("{'properties':{'a':{'type':'object'}}}", "a:\nb: 1\n",
                "a 1:3 a must be a mapping, but is empty; nothing stands behind the colon: look at "
                "the indentation of what follows\n");
    assert_told("{'properties':{'a':{'type':'boolean'}}}", "a: 'yes'\n",
                "a 1:4 a must be true or false, but is a text; write it without quotes\n");
    assert_told("{'type':'object'}", "- a: 1\n",
                " 1:1 the whole must be a mapping, but is a list; leave the \"- \" before the keys "
                "away\n");
    assert_told("{'type':'array','items':{'type':'integer'}}", "[1, 2.5]",
                "[1] 1:5 [1] must be a whole number, but is a number\n");
}

static void choices(void **state)
{
    (void)state;
    assert_fits("{'enum':['a',1,null,{'b':[1]}]}", "{b: [1]}");
    assert_fits("{'enum':[1]}", "1.0");
    assert_fits("{'const':'x'}", "x");
    assert_told("{'const':7}", "8", " 1:1 the whole must be 7\n");
    assert_told("{'properties':{'layout':{'enum':['mbr','gpt']}}}", "layout: gtp\n",
                "layout 1:9 layout must be one of: mbr, gpt; did you mean gpt?\n");
    assert_told("{'enum':['on','off']}", "on",
                " 1:1 the whole must be one of: on, off; without quotes YAML reads a number, or "
                "yes, no, on and off, as such: put it in quotes\n");
    assert_told("{'enum':['mbr','gpt']}", "something else",
                " 1:1 the whole must be one of: mbr, gpt\n");
}

static void ranges_and_lengths(void **state)
{
    (void)state;
    assert_told("{'minimum':1}", "0", " 1:1 the whole must be at least 1\n");
    assert_told("{'maximum':1.5}", "2", " 1:1 the whole must be at most 1.5\n");
    assert_fits("{'minimum':1,'maximum':2}", "2");
    assert_fits("{'minimum':1}", "text");
    assert_told("{'minLength':1}", "''",
                " 1:1 the whole must have at least 1 characters, but has 0\n");
    assert_fits("{'maxLength':2}", "\xc3\xa9\xe2\x82\xac");
    assert_told("{'maxLength':2}", "abc",
                " 1:1 the whole must have at most 2 characters, but has 3\n");
    assert_told("{'minItems':1}", "[]", " 1:1 the whole must have at least 1 items, but has 0\n");
    assert_told("{'maxItems':1}", "[1, 2]",
                " 1:1 the whole must have at most 1 items, but has 2\n");
    assert_told("{'minProperties':1}", "{}",
                " 1:1 the whole must have at least 1 keys, but has 0\n");
    assert_told("{'maxProperties':1}", "{a: 1, b: 2}",
                " 1:1 the whole must have at most 1 keys, but has 2\n");
}

static void members(void **state)
{
    static const char schema[] = "{'properties':{'path':{'type':'string'},'mode':true,'no':false},"
                                 "'patternProperties':{'^x-':{'type':'integer'}},"
                                 "'additionalProperties':false,'required':['path']}";

    (void)state;
    assert_fits(schema, "path: /a\nmode: [1]\nx-a: 7\n");
    assert_told(schema, "mode: 1\n", " 1:1 the whole needs the key path\n");
    assert_told(schema, "path: a\nno: 1\n", "no 2:5 no must not be there\n");
    assert_told(schema, "path: a\nx-a: b\n",
                "x-a 2:6 x-a must be a whole number, but is a text; write it without quotes\n");
    assert_told(schema, "path: a\nmoed: 1\n",
                "warning moed 2:1 moed is no key that is known here; did you mean mode?\n");
    assert_told(schema, "path: a\nfurther: 1\n",
                "warning further 2:1 further is no key that is known here\n");
    assert_told("{'additionalProperties':{'type':'string'}}", "a: b\nc: 7.5\n",
                "c 2:4 c must be a text, but is a number; without quotes YAML reads a number, or "
                "yes, no, on and off, as such: put it in quotes\n");
}

static void everything_is_told_in_one_go(void **state)
{
    (void)state;
    assert_told("{'properties':{'write_files':{'type':'array','items':{'type':'object',"
                "'properties':{'path':{'type':'string'},'owner':{'type':'string'},"
                "'append':{'type':'boolean'}},'required':['path'],"
                "'additionalProperties':false}}},'additionalProperties':false}",
                "write_files:\n- owner: [x]\n  append: 1\n- path: /a\n  onwer: root\n"
                "- text\nrunmcd: []\n",
                "write_files[0] 2:3 write_files[0] needs the key path\n"
                "write_files[0].owner 2:10 write_files[0].owner must be a text, but is a list\n"
                "write_files[0].append 3:11 write_files[0].append must be true or false, but is a "
                "whole number\n"
                "warning write_files[1].onwer 5:3 write_files[1].onwer is no key that is known "
                "here; did you mean owner?\n"
                "write_files[2] 6:3 write_files[2] must be a mapping, but is a text\n"
                "warning runmcd 7:1 runmcd is no key that is known here\n");
}

static void problems_have_their_limit(void **state)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(1 << 20);
    AUTO_PROBLEMS struct problems problems = {0};
    AUTO_JSON json_t *document = json_of("{'items':{'properties':{'a':{'type':'string'}},"
                                         "'additionalProperties':false}}");
    AUTO_JSON json_t *value = NULL;
    AUTO_SCHEMA struct schema *schema = compiled(document);
    struct error error = ERROR_INIT;

    (void)state;
    for (int i = 0; i < SCHEMA_PROBLEMS_MAX; i++)
        buffer_append_text(&text, "- b: 1\n");
    buffer_append_text(&text, "- a: 1\n");
    value = yaml_parse(text.bytes, text.size, "file", &error);
    assert_int_equal(schema_check(schema, value, "file", NULL, schema_report_problem, &problems),
                     1);
    assert_int_equal(problems.count, SCHEMA_PROBLEMS_MAX);
    assert_true(problems.items[0].warning);
    assert_string_equal(problems.items[0].error.where, "file");
}

static void deprecated_is_a_warning_that_says_what_instead(void **state)
{
    (void)state;
    assert_told("{'properties':{'apt_update':{'type':'boolean','deprecated':true,"
                "'description':'Use package_update.'}}}",
                "apt_update: yes\n",
                "warning apt_update 1:1 apt_update is deprecated; Use package_update.\n");
    assert_told("{'properties':{'a':{'oneOf':[{'type':'string'},"
                "{'type':'array','deprecated':true}]}}}",
                "a: []\n", "warning a 1:1 a is deprecated\n");
}

static void forms_tell_of_the_one_that_was_meant(void **state)
{
    static const char schema[] =
        "{'items':{'oneOf':[{'type':'string'},{'type':'array','items':{'type':'string'}},"
        "{'type':'object','properties':{'name':{'type':'string'},'uid':{'type':'integer'}},"
        "'required':['name'],'additionalProperties':false},"
        "{'type':'object','properties':{'snapuser':{'type':'string'}},"
        "'required':['snapuser'],'additionalProperties':false}]}}";

    (void)state;
    assert_fits(schema, "[a, [b, c], {name: d}, {snapuser: e}]");
    assert_told(schema, "[7]",
                "[0] 1:2 [0] must be a text, a list or a mapping, but is a whole number; without "
                "quotes YAML reads a number, or yes, no, on and off, as such: put it in quotes\n");
    assert_told(schema, "[[b, ~]]",
                "[0][1] 1:6 [0][1] must be a text, but is empty; nothing stands behind the colon: "
                "look at the indentation of what follows\n");
    assert_told(schema, "[{name: a, uid: x}]",
                "[0].uid 1:17 [0].uid must be a whole number, but is a text; write it without "
                "quotes\n");
    assert_told(schema, "[{name: a, uid: 1, shlel: x}]",
                "warning [0].shlel 1:20 [0].shlel is no key that is known here\n");
    assert_told("{'oneOf':[{'type':'integer'},{'minimum':3}]}", "4",
                " 1:1 the whole fits more than one of the forms that it may have\n");
    assert_fits("{'anyOf':[{'type':'integer'},{'minimum':3}]}", "4");
    assert_told("{'anyOf':[{'minimum':5},{'enum':[1,2]}]}", "4",
                " 1:1 the whole must be at least 5\n");
    assert_told("{'allOf':[{'minimum':5},{'enum':[1,2]}]}", "4",
                " 1:1 the whole must be at least 5\n 1:1 the whole must be one of: 1, 2\n");
}

static void forms_within_forms_end(void **state)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(1 << 20);
    AUTO_BUFFER struct buffer told = BUFFER_INIT(1 << 20);
    AUTO_JSON json_t *document =
        json_of("{'$ref':'#/$defs/t','$defs':{'t':{'anyOf':["
                "{'type':'array','items':{'$ref':'#/$defs/t'},'maxItems':1},"
                "{'type':'array','items':{'$ref':'#/$defs/t'},'minItems':1},"
                "{'type':'integer'}]}}}");
    AUTO_JSON json_t *value = NULL;
    AUTO_SCHEMA struct schema *schema = compiled(document);
    struct error error = ERROR_INIT;

    (void)state;
    for (int i = 0; i < 60; i++)
        buffer_append_text(&text, "[");
    buffer_append_text(&text, "x");
    for (int i = 0; i < 60; i++)
        buffer_append_text(&text, "]");
    value = yaml_parse(text.bytes, text.size, "file", &error);
    assert_non_null(value);
    assert_true(schema_check(schema, value, "file", NULL, write_down, &told) > 0);
    assert_non_null(strstr(buffer_text(&told), "too large to be checked"));
}

static void secrets_are_not_told(void **state)
{
    static const char schema[] =
        "{'properties':{'users':{'x-secret':true,'properties':{'a':{'enum':['x']}},"
        "'additionalProperties':false,'required':['r']}}}";

    (void)state;
    assert_told(schema, "users: {hunter2: 1, a: y}\n",
                "users 1:8 users needs the key r\n"
                "warning users 1:9 users has a key that is not known\n"
                "users 1:24 users must be x\n");
}

static void assert_redacted(const char *schema_text, const char *yaml, const char *expected)
{
    AUTO_JSON json_t *document = json_of(schema_text), *value = NULL, *before = NULL;
    AUTO_SCHEMA struct schema *schema = compiled(document);
    struct error error = ERROR_INIT;

    value = yaml_parse(yaml, strlen(yaml), "file", &error);
    before = json_deep_copy(value);
    assert_json(schema_redact(schema, value), expected);
    assert_true(json_equal(value, before));
}

static void secrets_are_redacted(void **state)
{
    static const char schema[] =
        "{'properties':{'password':{'type':'string','x-secret':true},'name':{'type':'string'},"
        "'list':{'type':'array','items':{'oneOf':[{'type':'string'},"
        "{'type':'object','properties':{'key':{'x-secret':true}}},{'$ref':'#/$defs/s'}]}},"
        "'map':{'additionalProperties':{'x-secret':true}},"
        "'match':{'patternProperties':{'^p':{'x-secret':true}}}},"
        "'$defs':{'s':{'type':'integer','x-secret':true}}}";

    (void)state;
    assert_redacted(schema, "{password: hunter2, name: bob, other: 1}",
                    "{'password':'(redacted)','name':'bob','other':1}");
    assert_redacted(schema, "{password: [a, {b: c}]}", "{'password':'(redacted)'}");
    assert_redacted(schema, "{password: ~}", "{'password':null}");
    assert_redacted(schema, "{pasword: hunter2}", "{'pasword':'(redacted)'}");
    assert_redacted(schema, "{Password: hunter2}", "{'Password':'(redacted)'}");
    assert_redacted(schema, "{map: {a: b, c: [d]}}", "{'map':{'a':'(redacted)','c':'(redacted)'}}");
    assert_redacted(schema, "{match: {pa: b, qa: d}}", "{'match':{'pa':'(redacted)','qa':'d'}}");
    assert_redacted(
        "{'items':{'oneOf':[{'type':'string'},{'properties':{'k':{'x-secret':true}}}]}}",
        "[a, {k: b, l: c}]", "['a',{'k':'(redacted)','l':'c'}]");
}

/* In a list one of whose forms is secret, all items may be: better none is shown. */
static void what_may_be_a_secret_is_redacted(void **state)
{
    (void)state;
    assert_redacted("{'items':{'oneOf':[{'type':'string'},{'type':'integer','x-secret':true}]}}",
                    "[a, 7]", "['(redacted)','(redacted)']");
}

static json_t *shout(void *context, const char *text, const char *key, struct error *error)
{
    int *calls = context;

    ++*calls;
    if (strcmp(text, "bad") == 0) {
        error_set(error, ERROR_INPUT, "%s is bad", key);
        return NULL;
    }
    return json_pack("s+", text, "!");
}

static void templates_are_rendered_once(void **state)
{
    static const char schema[] =
        "{'properties':{'fqdn':{'type':'string','x-template':true},'n':{'x-template':true},"
        "'files':{'items':{'oneOf':[{'properties':{'path':{'x-template':true},'a':true}},"
        "{'properties':{'path':{'x-template':true},'b':true}}]}}}}";
    static const char yaml[] = "fqdn: x\nn: 7\nother: y\nfiles:\n- path: p\n  a: q\n- path: bad\n";
    AUTO_POSITIONS struct positions positions = {0};
    AUTO_JSON json_t *document = json_of(schema), *value = NULL;
    AUTO_SCHEMA struct schema *compiled_schema = compiled(document);
    struct error error = ERROR_INIT;
    int calls = 0;

    (void)state;
    value = yaml_parse_placed(yaml, strlen(yaml), "file", &positions, &error);
    assert_int_equal(schema_render_all(compiled_schema, value, &positions, shout, &calls, &error),
                     -1);
    assert_int_equal(calls, 3);
    assert_string_equal(error.message, "files[1].path is bad");
    assert_string_equal(error.where, "file");
    assert_int_equal(error.line, 7);
    assert_json(json_incref(value),
                "{'fqdn':'x!','n':7,'other':'y','files':[{'path':'p!','a':'q'},{'path':'bad'}]}");
}

static void templates_are_checked_when_they_are_rendered(void **state)
{
    (void)state;
    assert_fits("{'type':'string','x-template':true,'pattern':'^[a-z]+$'}", "'{{ v1.region }}'");
    assert_does_not_fit("{'type':'string','x-template':true,'pattern':'^[a-z]+$'}", "A");
    assert_does_not_fit("{'type':'string','pattern':'^[a-z]+$'}", "'{{ v1.region }}'");
    assert_does_not_fit("{'type':'integer','x-template':true}", "'{{ v1.region }}'");
}

static void modules_schemas_are_composed(void **state)
{
    AUTO_JSON json_t *one =
        json_of("{'type':'object','additionalProperties':false,'properties':{'a':{'items':"
                "{'oneOf':[{'$ref':'#/$defs/x'}]},'default':[{'$ref':'#/$defs/x'}]},"
                "'b':{'properties':{'default':{'$ref':'#/$defs/x'}}}},"
                "'$defs':{'x':{'type':'string'},'y':{'$ref':'#/$defs/x'}}}");
    AUTO_JSON json_t *two = json_of("{'properties':{'c':{'$ref':'#/$defs/x'}},"
                                    "'$defs':{'x':{'type':'integer'}}}");
    AUTO_JSON json_t *both = NULL;
    const struct schema_source sources[] = {{"one", one}, {"two", two}};
    AUTO_FREE char *text = NULL;
    struct error error = ERROR_INIT;
    size_t culprit = 0;

    (void)state;
    both = schema_compose(sources, 2, &culprit, &error);
    assert_non_null(both);
    schema_free(compiled(both));
    assert_json(json_incref(json_object_get(both, "properties")),
                "{'a':{'items':{'oneOf':[{'$ref':'#/$defs/one.x'}]},"
                "'default':[{'$ref':'#/$defs/x'}]},"
                "'b':{'properties':{'default':{'$ref':'#/$defs/one.x'}}},"
                "'c':{'$ref':'#/$defs/two.x'}}");
    assert_json(json_incref(json_object_get(both, "$defs")),
                "{'one.x':{'type':'string'},'one.y':{'$ref':'#/$defs/one.x'},"
                "'two.x':{'type':'integer'}}");
    assert_true(json_is_false(json_object_get(both, "additionalProperties")));
    /* The modules' own stay as they were. */
    text = json_one_line(one);
    assert_non_null(strstr(text, "\"#/$defs/x\""));
}

static void assert_not_composed(const char *first, const char *second, const char *words)
{
    AUTO_JSON json_t *one = json_of(first), *two = json_of(second);
    const struct schema_source sources[] = {{"one", one}, {"two", two}};
    struct error error = ERROR_INIT;
    size_t culprit = sizeof sources;

    assert_null(schema_compose(sources, 2, &culprit, &error));
    assert_true(culprit < 2);
    assert_non_null(strstr(error.message, culprit ? "module two" : "module one"));
    assert_says(&error, words);
}

static void what_cannot_be_composed_is_refused(void **state)
{
    (void)state;
    assert_not_composed("{'properties':{'a':true}}", "{'properties':{'a':true}}",
                        "module two: a is described by another module");
    assert_not_composed("{}", "{'required':['a']}", "module two: required cannot stand at the top");
    assert_not_composed("{'type':'array'}", "{}", "module one: it describes no object");
    assert_not_composed("{}", "true", "module two: it describes no object");
    assert_not_composed("{'additionalProperties':true}", "{}", "can be false only");
    assert_not_composed("{'properties':[]}", "{}", "properties is no object");
}

static void nearest_words(void **state)
{
    static const char *const words[] = {"write_files", "runcmd", "users", "apt", NULL};

    (void)state;
    assert_string_equal(schema_nearest("write-files", words), "write_files");
    assert_string_equal(schema_nearest("writefiles", words), "write_files");
    assert_string_equal(schema_nearest("Runcmd", words), "runcmd");
    assert_string_equal(schema_nearest("rumcnd", words), "runcmd");
    assert_string_equal(schema_nearest("user", words), "users");
    assert_string_equal(schema_nearest("apt", words), "apt");
    assert_string_equal(schema_nearest("atp", words), "apt");
    assert_null(schema_nearest("something", words));
    assert_null(schema_nearest("x", words));
    assert_null(schema_nearest("", words));
}

/* The JSON Schema test suite. */

static void count_report(void *context, bool warning, const char *key, const struct error *error)
{
    (void)warning;
    (void)key;
    (void)error;
    ++*(size_t *)context;
}

/* One file's groups; returns how many are in the subset. */
static size_t run_suite_file(const char *folder, const char *name)
{
    AUTO_FREE char *path = memory_format("%s/%s.json", folder, name);
    AUTO_JSON json_t *groups = NULL;
    struct error error = ERROR_INIT;
    size_t ran = 0, i, j;
    json_t *group, *test;

    if (json_read_file(AT_FDCWD, path, 1 << 20, &groups, &error) <= 0)
        fail_msg("%s: %s", path, error.message);
    json_array_foreach(groups, i, group)
    {
        AUTO_SCHEMA struct schema *schema =
            schema_compile(json_object_get(group, "schema"), name, &error);

        if (!schema)
            continue;
        ran++;
        json_array_foreach(json_object_get(group, "tests"), j, test)
        {
            size_t told = 0;

            schema_check(schema, json_object_get(test, "data"), name, NULL, count_report, &told);
            if (!told != json_is_true(json_object_get(test, "valid")))
                fail_msg("%s: %s: %s", name, json_text_of(group, "description", ""),
                         json_text_of(test, "description", ""));
        }
    }
    return ran;
}

static void the_json_schema_test_suite(void **state)
{
    static const char *const files[] = {
        "additionalProperties",
        "allOf",
        "anyOf",
        "boolean_schema",
        "const",
        "enum",
        "items",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "oneOf",
        "pattern",
        "patternProperties",
        "properties",
        "required",
        "type",
    };
    const char *folder = getenv("JSON_SCHEMA_TESTS");
    size_t ran = 0;

    (void)state;
    if (!folder)
        folder = "/usr/share/json-schema-test-suite/tests/draft7";
    if (access(folder, R_OK) != 0) {
        print_message("no JSON Schema test suite in %s\n", folder);
        skip();
    }
    for (size_t i = 0; i < COUNT(files); i++)
        ran += run_suite_file(folder, files[i]);
    print_message("%zu groups of the suite are in the subset\n", ran);
    assert_true(ran >= 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_schema_is_refused),
        cmocka_unit_test(references_lead_to_definitions),
        cmocka_unit_test(patterns_mean_the_same_everywhere),
        cmocka_unit_test(schemas_have_their_limits),
        cmocka_unit_test(kinds),
        cmocka_unit_test(choices),
        cmocka_unit_test(ranges_and_lengths),
        cmocka_unit_test(members),
        cmocka_unit_test(everything_is_told_in_one_go),
        cmocka_unit_test(problems_have_their_limit),
        cmocka_unit_test(deprecated_is_a_warning_that_says_what_instead),
        cmocka_unit_test(forms_tell_of_the_one_that_was_meant),
        cmocka_unit_test(forms_within_forms_end),
        cmocka_unit_test(secrets_are_not_told),
        cmocka_unit_test(secrets_are_redacted),
        cmocka_unit_test(what_may_be_a_secret_is_redacted),
        cmocka_unit_test(templates_are_rendered_once),
        cmocka_unit_test(templates_are_checked_when_they_are_rendered),
        cmocka_unit_test(modules_schemas_are_composed),
        cmocka_unit_test(what_cannot_be_composed_is_refused),
        cmocka_unit_test(nearest_words),
        cmocka_unit_test(the_json_schema_test_suite),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
