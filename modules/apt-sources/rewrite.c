/*
 * The distribution's own package sources; see rewrite.h and sources.list(5).
 *
 * An entry is the distribution's where its suite is the release, with or without one of the
 * endings that Debian and Ubuntu have, and one of its components is main.
 */
#include "rewrite.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum suite_kind { SUITE_FOREIGN, SUITE_PRIMARY, SUITE_SECURITY };

static const char blanks[] = " \t";

static enum suite_kind kind_of(const struct rewrite *rewrite, const char *suite, size_t size)
{
    static const struct {
        const char *ending;
        enum suite_kind kind;
    } endings[] = {
        {"", SUITE_PRIMARY},           {"-updates", SUITE_PRIMARY},
        {"-backports", SUITE_PRIMARY}, {"-backports-sloppy", SUITE_PRIMARY},
        {"-proposed", SUITE_PRIMARY},  {"-proposed-updates", SUITE_PRIMARY},
        {"-security", SUITE_SECURITY}, {"/updates", SUITE_SECURITY},
    };
    size_t length = strlen(rewrite->release);

    if (!length || size < length || strncmp(suite, rewrite->release, length) != 0)
        return SUITE_FOREIGN;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        if (strlen(endings[i].ending) == size - length &&
            strncmp(suite + length, endings[i].ending, size - length) == 0)
            return endings[i].kind;
    }
    return SUITE_FOREIGN;
}

static bool is_disabled(const struct rewrite *rewrite, const char *suite, size_t size)
{
    for (const char *const *one = rewrite->disabled; one && *one; one++) {
        if (strlen(*one) == size && strncmp(*one, suite, size) == 0)
            return true;
    }
    return false;
}

/* Where a word and the gap before it begin; how long the word is. */
static size_t next_word(const char **at)
{
    *at += strspn(*at, blanks);
    return strcspn(*at, " \t\n");
}

static bool has_word(const char *text, size_t size, const char *word)
{
    const char *end = text + size;

    for (const char *at = text; at < end;) {
        size_t length = strcspn(at, " \t\n");

        if (length == strlen(word) && strncmp(at, word, length) == 0)
            return true;
        at += length + (length == 0);
    }
    return false;
}

static const char *mirror_for(const struct rewrite *rewrite, enum suite_kind kind)
{
    return kind == SUITE_SECURITY  ? rewrite->security
           : kind == SUITE_PRIMARY ? rewrite->primary
                                   : NULL;
}

/* One line: type, options in brackets, URI, suite, components. Whether it is the distribution's. */
static bool rewrite_line(const struct rewrite *rewrite, const char *line, size_t size,
                         struct text *out)
{
    const char *at = line, *uri, *uri_end, *suite, *mirror;
    size_t length = next_word(&at);
    enum suite_kind kind;

    if (!(length == strlen("deb") && strncmp(at, "deb", length) == 0) &&
        !(length == strlen("deb-src") && strncmp(at, "deb-src", length) == 0)) {
        text_add(out, line, size);
        return false;
    }
    at += length + strspn(at + length, blanks);
    if (*at == '[') {
        at += strcspn(at, "]\n");
        at += *at == ']';
    }
    length = next_word(&at);
    uri = at;
    uri_end = at += length;
    length = next_word(&at);
    suite = at;
    kind = kind_of(rewrite, suite, length);
    at += length;
    if (at > line + size || !has_word(at, (size_t)(line + size - at), "main"))
        kind = SUITE_FOREIGN;
    mirror = mirror_for(rewrite, kind);
    if (at <= line + size && is_disabled(rewrite, suite, length))
        text_add_string(out, "# disabled: ");
    if (!mirror)
        text_add(out, line, size);
    else {
        text_add(out, line, (size_t)(uri - line));
        text_add_string(out, mirror);
        text_add(out, uri_end, (size_t)(line + size - uri_end));
    }
    return kind != SUITE_FOREIGN;
}

size_t rewrite_list(const struct rewrite *rewrite, const char *text, struct text *out)
{
    size_t found = 0;

    while (*text) {
        size_t size = strcspn(text, "\n");

        found += rewrite_line(rewrite, text, size, out);
        text += size + (text[size] == '\n');
        text_add_string(out, "\n");
    }
    return found;
}

/* A field of a stanza, with the lines that continue it; or a comment. */
struct field {
    const char *text;
    size_t size;
};

static size_t field_size(const char *text)
{
    const char *end = text;

    do {
        end += strcspn(end, "\n");
        end += *end == '\n';
    } while ((*end == ' ' || *end == '\t') && *text != '#' && end[strspn(end, " \t")] != '\n');
    return (size_t)(end - text);
}

static bool is_field(const struct field *field, const char *name)
{
    size_t length = strlen(name);

    return field->size > length && strncasecmp(field->text, name, length) == 0 &&
           field->text[length] == ':';
}

static const char *value_of(const struct field *field)
{
    return (const char *)memchr(field->text, ':', field->size) + 1;
}

/* What there is to know of a stanza. */
struct stanza {
    const char *text;
    size_t size;
    enum suite_kind kind;
    bool is_main;
    struct text left; /* its suites without those that are disabled */
    bool fewer;
};

static void look_at_suites(const struct rewrite *rewrite, const struct field *field,
                           struct stanza *stanza)
{
    const char *end = field->text + field->size;

    for (const char *at = value_of(field); at < end;) {
        size_t length = strcspn(at, " \t\n");
        enum suite_kind kind = kind_of(rewrite, at, length);

        /* Of several kinds, all are served by the primary archive. */
        if (length && (!stanza->kind || kind == SUITE_PRIMARY))
            stanza->kind = kind;
        if (length && is_disabled(rewrite, at, length))
            stanza->fewer = true;
        else if (length)
            text_add_format(&stanza->left, " %.*s", (int)length, at);
        at += length + (length == 0);
    }
}

static void look_at_stanza(const struct rewrite *rewrite, struct stanza *stanza)
{
    const char *end = stanza->text + stanza->size;

    for (const char *at = stanza->text; at < end;) {
        struct field field = {at, field_size(at)};

        if (is_field(&field, "Suites"))
            look_at_suites(rewrite, &field, stanza);
        if (is_field(&field, "Components"))
            stanza->is_main =
                has_word(value_of(&field), (size_t)(at + field.size - value_of(&field)), "main");
        at += field.size;
    }
    if (!stanza->is_main)
        stanza->kind = SUITE_FOREIGN;
}

static void write_stanza(const struct rewrite *rewrite, const struct stanza *stanza,
                         struct text *out)
{
    const char *mirror = mirror_for(rewrite, stanza->kind);
    const char *end = stanza->text + stanza->size;
    bool none_left = stanza->fewer && !stanza->left.size;

    for (const char *at = stanza->text; at < end;) {
        const struct field field = {at, field_size(at)};

        if (mirror && is_field(&field, "URIs"))
            text_add_format(out, "URIs: %s\n", mirror);
        else if (none_left && is_field(&field, "Suites")) {
            text_add_string(out, "Enabled: no\n");
            text_add(out, at, field.size);
        } else if (stanza->fewer && is_field(&field, "Suites"))
            text_add_format(out, "Suites:%s\n", stanza->left.bytes);
        else if (!none_left || !is_field(&field, "Enabled"))
            text_add(out, at, field.size);
        at += field.size;
    }
}

/* Up to the empty line that ends a stanza, or the end. */
static size_t stanza_size(const char *text)
{
    const char *at = text;

    while (*at && *at != '\n' && at[strspn(at, " \t\r")] != '\n') {
        at += strcspn(at, "\n");
        at += *at == '\n';
    }
    return (size_t)(at - text);
}

size_t rewrite_stanzas(const struct rewrite *rewrite, const char *text, struct text *out)
{
    size_t found = 0;

    while (*text) {
        struct stanza stanza = {.text = text, .size = stanza_size(text)};
        size_t gap;

        look_at_stanza(rewrite, &stanza);
        write_stanza(rewrite, &stanza, out);
        found += stanza.kind != SUITE_FOREIGN;
        free(stanza.left.bytes);
        text += stanza.size;
        gap = strspn(text, " \t\r\n");
        text_add(out, text, gap);
        text += gap;
    }
    return found;
}

bool rewrite_is_stanzas(const char *text)
{
    for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
        if (strncasecmp(text, "Types:", strlen("Types:")) == 0)
            return true;
    }
    return false;
}
