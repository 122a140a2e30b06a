/* What AWS's services answer: XML as a tree, and errors of every protocol. */
#include "fuzz.h"

#include <errno.h>
#include <support/aws_error.h>
#include <support/xml.h>

/* Writes the tree anew. */
static void write_tree(const struct xml *element, struct text *out)
{
    const struct xml *child = xml_child(element, NULL);

    if (!child) {
        xml_add_element(out, xml_name(element), xml_text(element));
        return;
    }
    text_add_format(out, "<%s>", xml_name(element));
    for (; child; child = xml_next(child, NULL))
        write_tree(child, out);
    text_add_format(out, "</%s>", xml_name(element));
}

static void check_tree(const char *bytes, size_t size)
{
    const char *why = "";
    struct xml *root = xml_parse(bytes, size, &why), *again;
    struct text one = {0}, other = {0};

    if (!root) {
        MUST(why && *why);
        return;
    }
    write_tree(root, &one);
    again = xml_parse(one.bytes, one.size, NULL);
    MUST(again);
    write_tree(again, &other);
    MUST(strcmp(one.bytes, other.bytes) == 0);
    xml_free(root);
    xml_free(again);
    free(one.bytes);
    free(other.bytes);
}

static void check_words(const char *words)
{
    for (; *words; words++)
        MUST((unsigned char)*words >= ' ' && *words != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(data, size);
    struct http_answer answer = {0};
    struct aws_error error;

    check_tree(copy, size);
    text_add(&answer.body, copy, size);
    MUST(aws_error_read(&answer, &error) == (*error.code != '\0'));
    check_words(error.message);
    MUST(aws_error_result(error.code, 400) < 0);
    MUST(aws_error_advice(error.code, 400));
    http_answer_clear(&answer);
    fuzz_copy_free(copy, size);
    return 0;
}
