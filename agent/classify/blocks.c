/* <powershell> and <script> blocks, as EC2Launch reads them; see blocks.h. */
#include "classify/blocks.h"

#include "base/banned.h"
#include "base/memory.h"
#include "classify/classify.h"

#include <ctype.h>
#include <strings.h>

enum tag {
    TAG_SCRIPT,
    TAG_POWERSHELL,
    TAG_PERSIST,
    TAG_ARGUMENTS,
    TAG_DETACH,
    TAG_LOCAL_SYSTEM,
    TAG_COUNT
};

/* In the order in which the blocks run: <script> first, whatever their order in the text. */
static const char *const tag_names[TAG_COUNT] = {
    [TAG_SCRIPT] = "script",   [TAG_POWERSHELL] = "powershell",
    [TAG_PERSIST] = "persist", [TAG_ARGUMENTS] = "powershellArguments",
    [TAG_DETACH] = "detach",   [TAG_LOCAL_SYSTEM] = "runAsLocalSystem"};

struct span {
    const char *start; /* NULL: the tag is not in the text */
    size_t size;
    unsigned tag_line; /* of the opening tag */
    unsigned line;     /* of the content's first character after trimming */
};

struct scanner {
    const char *text, *end;
    const char *name;
    unsigned first_line;
    struct span found[TAG_COUNT];
    struct problems *problems;
    unsigned stray_line; /* the first line outside of every tag that is not blank; 0 = none */
};

static unsigned line_of(const struct scanner *scanner, const char *place)
{
    unsigned line = scanner->first_line;

    for (const char *c = scanner->text; c < place; c++)
        line += *c == '\n';
    return line;
}

/* The length of <tag> or </tag> at place, or 0. */
static size_t tag_length(const char *place, const char *end, enum tag tag, bool closing)
{
    size_t name = strlen(tag_names[tag]), extra = closing ? 3 : 2;

    if ((size_t)(end - place) < name + extra || place[0] != '<' || (closing && place[1] != '/'))
        return 0;
    place += closing ? 2 : 1;
    return strncasecmp(place, tag_names[tag], name) == 0 && place[name] == '>' ? name + extra : 0;
}

static int refuse(const struct scanner *scanner, const char *place, struct error *error)
{
    return error_at(error, scanner->name, line_of(scanner, place), 0);
}

/* Takes one element that begins at place with the tag; returns what follows it, or NULL. */
static const char *take_element(struct scanner *scanner, const char *place, enum tag tag,
                                struct error *error)
{
    struct span *span = &scanner->found[tag];
    const char *start = place + tag_length(place, scanner->end, tag, false), *close, *stop;

    if (span->start) {
        error_set(error, ERROR_INPUT, "a second <%s> block; the first is in line %u",
                  tag_names[tag], span->tag_line);
        error_hint(error, "put both into one block: EC2 takes one of a kind");
        refuse(scanner, place, error);
        return NULL;
    }
    for (close = start; close < scanner->end; close++) {
        if (tag_length(close, scanner->end, tag, true))
            break;
    }
    if (close == scanner->end) {
        error_set(error, ERROR_INPUT, "<%s> is not closed", tag_names[tag]);
        error_hint(error, "end it with </%s>", tag_names[tag]);
        refuse(scanner, place, error);
        return NULL;
    }
    stop = close;
    while (start < stop && isspace((unsigned char)*start))
        start++;
    while (stop > start && isspace((unsigned char)stop[-1]))
        stop--;
    *span = (struct span){.start = start,
                          .size = (size_t)(stop - start),
                          .tag_line = line_of(scanner, place),
                          .line = line_of(scanner, start)};
    return close + tag_length(close, scanner->end, tag, true);
}

static int scan(struct scanner *scanner, struct error *error)
{
    for (const char *place = scanner->text; place < scanner->end;) {
        const char *next = NULL;

        for (enum tag tag = 0; tag < TAG_COUNT && !next; tag++) {
            if (tag_length(place, scanner->end, tag, false)) {
                next = take_element(scanner, place, tag, error);
                if (!next)
                    return -1;
            } else if (tag_length(place, scanner->end, tag, true)) {
                error_set(error, ERROR_INPUT, "</%s> closes nothing", tag_names[tag]);
                error_hint(error, "a <%s> is missing before it", tag_names[tag]);
                return refuse(scanner, place, error);
            }
        }
        if (!next && !isspace((unsigned char)*place) && !scanner->stray_line)
            scanner->stray_line = line_of(scanner, place);
        place = next ? next : place + 1;
    }
    return 0;
}

/* 1, 0, or -1 and an error for anything but true and false; an absent tag is false. */
static int read_flag(const struct scanner *scanner, enum tag tag, struct error *error)
{
    const struct span *span = &scanner->found[tag];

    if (!span->start || (span->size == 5 && strncasecmp(span->start, "false", 5) == 0))
        return 0;
    if (span->size == 4 && strncasecmp(span->start, "true", 4) == 0)
        return 1;
    error_set(error, ERROR_INPUT, "<%s> is neither true nor false", tag_names[tag]);
    return error_at(error, scanner->name, span->tag_line, 0);
}

static void warn(const struct scanner *scanner, unsigned line, const char *text, const char *hint)
{
    struct error error = ERROR_INIT;

    error_set(&error, ERROR_INPUT, "%s", text);
    error_hint(&error, "%s", hint);
    error_at(&error, scanner->name, line, 0);
    problems_add_warning(scanner->problems, &error);
}

static void add_block(const struct scanner *scanner, enum tag tag, const char *type, bool persist,
                      bool detach, struct parts *parts)
{
    const struct span *span = &scanner->found[tag], *arguments = &scanner->found[TAG_ARGUMENTS];
    struct part *part;

    if (!span->start)
        return;
    if (!span->size) {
        warn(scanner, span->tag_line, "an empty block does nothing", "write a script into it");
        return;
    }
    part = parts_add(parts, tag_names[tag], type);
    part->line = span->line;
    part->bytes = memory_copy_bytes(span->start, span->size);
    part->size = span->size;
    part->detach = detach;
    if (persist)
        part->frequency = PART_PER_BOOT;
    if (tag == TAG_POWERSHELL && arguments->start)
        part->arguments = memory_copy_bytes(arguments->start, arguments->size);
}

bool blocks_present(const char *text, size_t size)
{
    for (const char *place = text; place < text + size; place++) {
        for (enum tag tag = 0; *place == '<' && tag < TAG_COUNT; tag++) {
            if (tag_length(place, text + size, tag, false))
                return true;
        }
    }
    return false;
}

int blocks_parse(const char *text, size_t size, const char *name, unsigned line,
                 struct parts *parts, struct problems *problems, struct error *error)
{
    struct scanner scanner = {
        .text = text, .end = text + size, .name = name, .first_line = line, .problems = problems};
    int persist, detach;

    if (scan(&scanner, error) < 0)
        return -1;
    persist = read_flag(&scanner, TAG_PERSIST, error);
    detach = persist < 0 ? -1 : read_flag(&scanner, TAG_DETACH, error);
    if (detach < 0 || read_flag(&scanner, TAG_LOCAL_SYSTEM, error) < 0)
        return -1;
    if (!scanner.found[TAG_SCRIPT].start && !scanner.found[TAG_POWERSHELL].start) {
        error_set(error, ERROR_INPUT, "there is neither a <script> nor a <powershell> block");
        error_hint(error, "the other tags only say how a block runs");
        return error_at(error, name, line, 0);
    }
    if (scanner.stray_line)
        warn(&scanner, scanner.stray_line, "text outside of every block is ignored",
             "move it into <script> or <powershell>");
    if (scanner.found[TAG_ARGUMENTS].start && !scanner.found[TAG_POWERSHELL].start)
        warn(&scanner, scanner.found[TAG_ARGUMENTS].tag_line,
             "<powershellArguments> has no <powershell> block to go with", "remove it");
    add_block(&scanner, TAG_SCRIPT, TYPE_WINDOWS_SCRIPT, persist, detach, parts);
    add_block(&scanner, TAG_POWERSHELL, TYPE_POWERSHELL, persist, detach, parts);
    return 0;
}
