/* modules/support/xml.h: what it reads, what it refuses, and that what it writes is read again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <support/xml.h>

static struct xml *parse(const char *text)
{
    return xml_parse(text, strlen(text), NULL);
}

static void assert_refused(const char *text, size_t size, const char *words)
{
    const char *why = NULL;

    assert_null(xml_parse(text, size, &why));
    assert_non_null(why);
    if (!strstr(why, words))
        fail_msg("%s", why);
}

static void elements_and_their_text(void **state)
{
    struct xml *root = parse("<?xml version='1.0' encoding='UTF-8'?>\n<r xmlns='urn:x'>\n"
                             "  <a>1</a><b/><a>2 &lt;&amp;&#x41;</a><p:c xmlns:p='urn:y'> </p:c>\n"
                             "</r>");
    const struct xml *a = xml_child(root, "a");

    (void)state;
    assert_string_equal(xml_name(root), "r");
    assert_string_equal(xml_text(root), "");
    assert_string_equal(xml_text(a), "1");
    a = xml_next(a, "a");
    assert_string_equal(xml_text(a), "2 <&A");
    assert_null(xml_next(a, "a"));
    assert_string_equal(xml_name(xml_next(a, NULL)), "c");
    assert_string_equal(xml_find_text(root, "c"), " ");
    assert_string_equal(xml_find_text(root, "b"), "");
    assert_null(xml_find_text(root, "aa"));
    assert_null(xml_child(root, ""));
    xml_free(root);
}

static void paths(void **state)
{
    struct xml *root = parse("<r><x><y/></x><x><y>1</y></x><xx><y>2</y></xx></r>");

    (void)state;
    assert_string_equal(xml_find_text(root, "xx/y"), "2");
    assert_string_equal(xml_find_text(root, "x/y"), "");
    assert_null(xml_find(root, "x/z"));
    assert_null(xml_find(root, "z/y"));
    assert_ptr_equal(xml_find(root, ""), root);
    xml_free(root);
}

static void text_beside_elements_is_left_out(void **state)
{
    struct xml *root = parse("<r>one<a>two</a>three</r>");

    (void)state;
    assert_string_equal(xml_text(root), "");
    assert_string_equal(xml_find_text(root, "a"), "two");
    xml_free(root);
}

static void what_is_none(void **state)
{
    static const char *const texts[] = {
        "x",           "<a>",         "<a></b>",         "<a/><b/>", "<a>&nbsp;</a>",
        "<a>\x01</a>", "<a>\xff</a>", "<a b='1' b='2'/>"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_refused(texts[i], strlen(texts[i]), "");
    assert_refused("", 0, "it is empty");
}

static void entities_cannot_be_declared(void **state)
{
    static const char bomb[] = "<!DOCTYPE r [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><r>&b;</r>";
    static const char file[] = "<!DOCTYPE r SYSTEM 'file:///etc/passwd'><r/>";

    (void)state;
    assert_refused(bomb, strlen(bomb), "document type");
    assert_refused(file, strlen(file), "document type");
}

static void add_times(struct text *out, const char *string, unsigned times)
{
    while (times-- > 0)
        text_add_string(out, string);
}

static void limits(void **state)
{
    struct text text = {0};
    struct xml *root;

    (void)state;
    add_times(&text, "<a>", XML_DEPTH_MAX);
    add_times(&text, "</a>", XML_DEPTH_MAX);
    root = xml_parse(text.bytes, text.size, NULL);
    assert_non_null(root);
    xml_free(root);
    text.size = 0;
    add_times(&text, "<a>", XML_DEPTH_MAX + 1);
    add_times(&text, "</a>", XML_DEPTH_MAX + 1);
    assert_refused(text.bytes, text.size, "too deep");
    text.size = 0;
    text_add_string(&text, "<r>");
    add_times(&text, "<a/>", XML_ELEMENTS_MAX);
    text_add_string(&text, "</r>");
    assert_refused(text.bytes, text.size, "too many elements");
    text.size = 0;
    text_add_string(&text, "<");
    add_times(&text, "n", XML_NAME_MAX + 1);
    text_add_string(&text, "/>");
    assert_refused(text.bytes, text.size, "too long a name");
    free(text.bytes);
}

static void what_is_written_is_read_again(void **state)
{
    static const char string[] = "<a href=\"x\">&amp; ]]> 'ä' \t\r\n";
    struct text text = {0};
    struct xml *root;

    (void)state;
    xml_add_element(&text, "r", string);
    root = xml_parse(text.bytes, text.size, NULL);
    assert_string_equal(xml_text(root), string);
    xml_free(root);
    text.size = 0;
    xml_add_text(&text, "a\x01\x1f"
                        "b");
    assert_string_equal(text_string(&text), "a??b");
    free(text.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_and_their_text),          cmocka_unit_test(paths),
        cmocka_unit_test(text_beside_elements_is_left_out), cmocka_unit_test(what_is_none),
        cmocka_unit_test(entities_cannot_be_declared),      cmocka_unit_test(limits),
        cmocka_unit_test(what_is_written_is_read_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
