/*
 * User-data decoded: base64, gzip, MIME, lists, includes, within each other. An address yields the
 * rest of the input behind its last line "----", or else a text that its last letter chooses.
 */
#include "fuzz.h"

#include "base/banned.h"
#include "base/memory.h"
#include "classify/blocks.h"
#include "classify/classify.h"
#include "config/yaml.h"
#include "decode/decode.h"

struct input {
    const char *bytes;
    size_t size;
};

static int fetch(void *context, const char *url, struct buffer *out, struct error *error)
{
    static const char *const texts[] = {"#!/bin/sh\n", "#include\nhttp://h/a\nhttp://h/rest\n",
                                        "IyEvYmluL3NoCg==", "a: 1\n"};
    static const char mark[] = "\n----\n";
    const struct input *input = context;
    const char *rest = memmem(input->bytes, input->size, mark, strlen(mark));
    const char *text;

    MUST(*url && strlen(url) <= 4096 && !strchr(url, '#') && !strchr(url, '\n'));
    if (rest && url[strlen(url) - 1] == 't') {
        rest += strlen(mark);
        buffer_append(out, rest, (size_t)(input->bytes + input->size - rest));
        return 0;
    }
    if (url[strlen(url) - 1] == 'x')
        return error_set(error, ERROR_SOURCE, "nobody answers");
    text = texts[(unsigned char)url[strlen(url) - 1] % ARRAY_SIZE(texts)];
    return buffer_append_text(out, text) ? 0 : -1;
}

static void check_part(const struct part *part)
{
    MUST(part->name && *part->name && strlen(part->name) < 128);
    for (const char *c = part->name; *c; c++)
        MUST((unsigned char)*c > ' ' && *c != '/' && *c != '\x7f');
    MUST(part->bytes && part->size && part->bytes[part->size] == '\0');
    MUST(part->line >= 1);
    MUST(!part->type || *part->type);
    MUST(!part->declared || part->type == part->declared);
}

static int first_of_launch(void *context, int64_t *index, struct error *error)
{
    (void)context, (void)error;
    *index = 0;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(data, size);
    struct input input = {.bytes = copy, .size = size};
    const struct decode_setup setup = {.sniff = classify_prefix,
                                       .known = blocks_present,
                                       .yaml = yaml_parse,
                                       .fetch = fetch,
                                       .context = &input,
                                       .index = size % 3 ? first_of_launch : NULL};
    AUTO_PARTS struct parts parts = {0};
    AUTO_PROBLEMS struct problems problems = {0};
    struct error error = ERROR_INIT;

    /* Where there is no plug-in for archives, one is refused by the machine. */
    if (decode_user_data(copy, size, "user-data", &setup, &parts, &problems, &error) < 0)
        MUST(error.kind == ERROR_INTERNAL && *error.message);
    else
        MUST(error.kind == ERROR_NONE);
    MUST(parts.count <= PARTS_MAX);
    for (size_t i = 0; i < parts.count; i++)
        check_part(&parts.items[i]);
    for (size_t i = 0; i < problems.count; i++)
        MUST(*problems.items[i].error.message && *problems.items[i].error.where);
    fuzz_copy_free(copy, size);
    return 0;
}
