/* classify: what decoded user-data is, told by how it begins. */
#include "classify/classify.h"

#include "base/banned.h"
#include "base/memory.h"
#include "classify/blocks.h"
#include "classify/guess.h"

#include <strings.h>

/* Longest first where one begins another; compared in any case, as cloud-init does. */
static const struct {
    const char *prefix;
    const char *type;
} prefixes[] = {
    {"#cloud-config-archive", "text/cloud-config-archive"},
    {"#cloud-config-jsonp", "text/cloud-config-jsonp"},
    {"## template: jinja", "text/jinja2"},
    {"#cloud-boothook", "text/cloud-boothook"},
    {"#include-once", "text/x-include-once-url"},
    {"#cloud-config", TYPE_CLOUD_CONFIG},
    {"#part-handler", "text/part-handler"},
    {"#include", "text/x-include-url"},
    {"#!", TYPE_SHELLSCRIPT},
};

const char *classify_prefix(const char *text, size_t size)
{
    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
        size_t length = strlen(prefixes[i].prefix);

        if (size >= length && strncasecmp(text, prefixes[i].prefix, length) == 0)
            return prefixes[i].type;
    }
    return NULL;
}

int classify_text(const char *text, size_t size, const char *name, unsigned line,
                  struct parts *parts, struct problems *problems, struct error *error)
{
    const char *type = classify_prefix(text, size);
    size_t before = parts->count;
    struct part *part;

    /* A web page has <script> tags, too, and is no user-data. */
    if (!type && !guess_knows(text, size) && blocks_present(text, size)) {
        if (blocks_parse(text, size, name, line, parts, problems, error) < 0)
            return -1;
        for (size_t i = before; i < parts->count; i++) {
            if (strcmp(parts->items[i].type, TYPE_WINDOWS_SCRIPT) == 0)
                part_make_unix_lines(&parts->items[i]);
        }
        return 0;
    }
    if (!type) {
        guess_explain(text, size, error);
        return error_at(error, name, line > 1 ? line : 0, 0);
    }
    part = parts_add(parts, name, type);
    part->line = line;
    part->bytes = memory_copy_bytes(text, size);
    part->size = size;
    if (strcmp(type, TYPE_SHELLSCRIPT) == 0)
        part_make_unix_lines(part);
    return 0;
}
