/* One setting in puppet.conf; see conf.h. */
#include "conf.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct line {
    const char *begin, *end; /* without the line's end */
};

static struct line trimmed(struct line line)
{
    while (line.begin < line.end && strchr(" \t\r", *line.begin))
        line.begin++;
    while (line.begin < line.end && strchr(" \t\r", line.end[-1]))
        line.end--;
    return line;
}

static bool is_word(struct line line, const char *word)
{
    size_t size = strlen(word);

    return (size_t)(line.end - line.begin) == size && memcmp(line.begin, word, size) == 0;
}

static bool is_header(struct line line)
{
    line = trimmed(line);
    return line.end - line.begin >= 2 && *line.begin == '[' && line.end[-1] == ']';
}

static bool is_header_of(struct line line, const char *section)
{
    line = trimmed(line);
    return is_header(line) &&
           is_word(trimmed((struct line){line.begin + 1, line.end - 1}), section);
}

static bool sets(struct line line, const char *setting)
{
    const char *equals = memchr(line.begin, '=', (size_t)(line.end - line.begin));

    return equals && is_word(trimmed((struct line){line.begin, equals}), setting);
}

/* Where the setting's line goes: the bytes from..to are replaced. */
struct gap {
    size_t from, to;
    bool in_section; /* the section is there */
};

static struct gap find_gap(const char *text, const char *section, const char *setting)
{
    struct gap gap = {.from = strlen(text), .to = strlen(text)};
    bool inside = false;

    for (const char *at = text; *at;) {
        const char *end = strchrnul(at, '\n'), *next = *end ? end + 1 : end;
        struct line line = {at, end};

        if (is_header(line)) {
            inside = is_header_of(line, section);
            gap.in_section = gap.in_section || inside;
        } else if (inside && sets(line, setting)) {
            gap.from = (size_t)(at - text);
            gap.to = (size_t)(next - text);
            return gap;
        }
        /* Behind the last line of the section that says something. */
        if (inside && trimmed(line).begin < trimmed(line).end)
            gap.from = gap.to = (size_t)(next - text);
        at = next;
    }
    return gap;
}

void conf_set(struct text *text, const char *section, const char *setting, const char *value)
{
    const char *old = text_string(text);
    struct gap gap = find_gap(old, section, setting);
    struct text made = {0};

    text_add(&made, old, gap.from);
    if (made.size && made.bytes[made.size - 1] != '\n')
        text_add_string(&made, "\n");
    if (!gap.in_section)
        text_add_format(&made, "%s[%s]\n", made.size ? "\n" : "", section);
    text_add_format(&made, "%s = %s\n", setting, value);
    text_add_string(&made, old + gap.to);
    free(text->bytes);
    *text = made;
}
