/* User-data as it comes: decoded, classified, or explained. */
#include "fuzz.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "classify/classify.h"
#include "decode/text.h"

static void check_part(const struct part *part, size_t size, unsigned line)
{
    MUST(part->size <= size);
    MUST(part->bytes[part->size] == '\0');
    MUST(part->line >= line);
    MUST(part->type && part->name);
    json_decref(part_to_json(part));
}

static void classify(const char *text, size_t size, unsigned line)
{
    AUTO_PROBLEMS struct problems problems = {0};
    AUTO_PARTS struct parts parts = {0};
    struct error error = ERROR_INIT;
    int code = classify_text(text, size, "user-data", line, &parts, &problems, &error);

    MUST(code == 0 || code == -1);
    MUST(code == 0 || (error.kind == ERROR_INPUT && *error.message && !parts.count));
    MUST(code < 0 || (!error.kind && (parts.count || problems.count)));
    MUST(!problems.errors);
    for (size_t i = 0; i < parts.count; i++)
        check_part(&parts.items[i], size, line);
    json_decref(problems_to_json(&problems, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_BUFFER struct buffer out =
        BUFFER_INIT((size + 1) / TEXT_GROWTH_DENOMINATOR * TEXT_GROWTH_NUMERATOR);
    struct error error = ERROR_INIT;
    unsigned line = 0;
    char *text;

    if (text_decode((const char *)data, size, &out, &line, &error) < 0) {
        MUST(error.kind == ERROR_INPUT && error.line);
        return 0;
    }
    MUST(line >= 1);
    MUST(!out.size || !out.bytes[0] || !strchr(" \t\r\n", out.bytes[0]));
    text = fuzz_copy(buffer_text(&out), out.size);
    classify(text, out.size, line);
    fuzz_copy_free(text, out.size);
    return 0;
}
