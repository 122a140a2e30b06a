/* Lines of fstab(5); see table.h. */
#include "table.h"

#include <errno.h>
#include <libmount.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS = 6 };

static char *unmangled(const char *word, size_t size)
{
    char *encoded = text_format("%.*s", (int)size, word);
    char *field = text_need(mnt_unmangle(encoded));

    free(encoded);
    return field;
}

/* The fields of a line, decoded; the number of those that it has, 0 for a comment. */
static size_t read_fields(const char *line, size_t size, char *fields[FIELDS])
{
    const char *end = line + size;
    size_t count = 0;

    while (count < FIELDS) {
        const char *word;

        while (line < end && (*line == ' ' || *line == '\t'))
            line++;
        if (line == end || *line == '#')
            break;
        for (word = line; line < end && *line != ' ' && *line != '\t';)
            line++;
        fields[count++] = unmangled(word, (size_t)(line - word));
    }
    return count;
}

static bool is_own(const char *options)
{
    return mnt_match_options(options, "+" TABLE_OWN_OPTION) == 1;
}

static bool is_swap(const char *target)
{
    return strcmp(target, "none") == 0 || strcmp(target, "swap") == 0;
}

/* Whether the line is about the same place. */
static bool is_for(char *const fields[FIELDS], const struct table_line *line)
{
    if (is_swap(line->target))
        return is_swap(fields[1]) && strcmp(fields[0], line->source) == 0;
    return strcmp(fields[1], line->target) == 0;
}

static void add_field(struct text *out, const char *field)
{
    char *encoded = text_need(mnt_mangle(field));

    text_add_format(out, "%s\t", encoded);
    free(encoded);
}

static char *write_line(const struct table_line *line)
{
    struct text out = {0};

    add_field(&out, line->source);
    add_field(&out, line->target);
    add_field(&out, line->type);
    add_field(&out, is_own(line->options) ? line->options
                                          : text_format("%s,%s", line->options, TABLE_OWN_OPTION));
    text_add_format(&out, "%s\t%s\n", line->frequency, line->pass);
    return out.bytes;
}

int table_set(const char *table, const struct table_line *line, struct text *out, const char **why)
{
    char *wanted = write_line(line);
    bool written = false, changed = false;

    while (*table) {
        size_t size = strcspn(table, "\n");
        char *fields[FIELDS] = {0};
        size_t count = read_fields(table, size, fields), whole = size + (table[size] == '\n');

        if (count < 4 || !is_for(fields, line)) {
            text_add(out, table, whole);
        } else if (!is_own(fields[3])) {
            if (strcmp(fields[0], line->source) != 0) {
                *why = text_format("fstab mounts %s there, by a line that is not bootlace's",
                                   fields[0]);
                return -EEXIST;
            }
            text_add(out, table, whole);
            written = true;
        } else if (!written) {
            changed = changed || strncmp(table, wanted, whole) != 0 || wanted[whole];
            text_add_string(out, wanted);
            written = true;
        } else {
            changed = true; /* the same place twice */
        }
        table += whole;
    }
    if (written)
        return changed;
    if (out->size && out->bytes[out->size - 1] != '\n')
        text_add_string(out, "\n");
    text_add_string(out, wanted);
    return 1;
}
