/* <script> and <powershell> blocks: what is found is in the text, the script first, each once. */
#include "fuzz.h"

#include "base/banned.h"
#include "classify/blocks.h"

enum { LINE = 7, BLOCKS_MAX = 2 };

static void check_part(const struct part *part, const char *text, size_t size)
{
    MUST(part->type && part->name && part->size);
    MUST(part->bytes[part->size] == '\0');
    MUST(part->line >= LINE);
    MUST(memmem(text, size, part->bytes, part->size));
    MUST(!strchr(" \t\r\n", part->bytes[0]) || !part->bytes[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_PROBLEMS struct problems problems = {0};
    AUTO_PARTS struct parts parts = {0};
    struct error error = ERROR_INIT;
    char *text = fuzz_copy(data, size);

    if (blocks_present(text, size)) {
        if (blocks_parse(text, size, "user-data", LINE, &parts, &problems, &error) < 0)
            MUST(!parts.count && error.kind == ERROR_INPUT && error.line >= LINE);
        else
            MUST(error.kind == ERROR_NONE && parts.count <= BLOCKS_MAX);
        MUST(!problems.errors);
        for (size_t i = 0; i < parts.count; i++)
            check_part(&parts.items[i], text, size);
    }
    fuzz_copy_free(text, size);
    return 0;
}
