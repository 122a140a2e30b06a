/* classify: what decoded user-data is, told by how it begins. */
#include "classify/classify.h"

#include "base/banned.h"
#include "base/memory.h"
#include "classify/blocks.h"
#include "classify/guess.h"

#include <ctype.h>
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

/* Whether the text begins with the prefix; a blank in that stands for any number of them. */
static bool begins_with(const char *text, size_t size, const char *prefix)
{
    const char *end = text + size;

    for (; *prefix; prefix++) {
        if (*prefix == ' ') {
            while (text < end && (*text == ' ' || *text == '\t'))
                text++;
        } else if (text == end ||
                   tolower((unsigned char)*text++) != tolower((unsigned char)*prefix)) {
            return false;
        }
    }
    return true;
}

/* A line of its own, whatever blanks are behind its word. */
static bool is_line(const char *text, size_t size, const char *word)
{
    size_t length = strlen(word);

    if (size < length || strncasecmp(text, word, length) != 0)
        return false;
    while (length < size && strchr(" \t\r", text[length]) && text[length])
        length++;
    return length == size || text[length] == '\n';
}

/* What is meant plainly, too: the word behind a blank, or behind YAML's mark of a document. */
static bool is_nearly_cloud_config(const char *text, size_t size)
{
    static const char mark[] = "---", word[] = "#cloud-config";

    if (is_line(text, size, "# cloud-config"))
        return true;
    if (!is_line(text, size, mark))
        return false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\n' && i + 1 < size && !strchr("\r\n", text[i + 1]))
            return is_line(text + i + 1, size - i - 1, word);
    }
    return false;
}

const char *classify_prefix(const char *text, size_t size)
{
    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
        if (begins_with(text, size, prefixes[i].prefix))
            return prefixes[i].type;
    }
    return is_nearly_cloud_config(text, size) ? TYPE_CLOUD_CONFIG : NULL;
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
