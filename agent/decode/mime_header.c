/* The header of a MIME message or part; see mime_header.h. */
#include "decode/mime_header.h"

#include "base/banned.h"
#include "base/buffer.h"
#include "base/memory.h"

#include <ctype.h>
#include <strings.h>

enum { SECTIONS_MAX = 20, PARAMETER_MAX = 64 };

size_t mime_line(const char *text, size_t size)
{
    const char *end = size ? memchr(text, '\n', size) : NULL;

    return end ? (size_t)(end - text) + 1 : size;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_empty_line(const char *text, size_t length)
{
    return (length == 1 && text[0] == '\n') || (length == 2 && memcmp(text, "\r\n", 2) == 0);
}

/* The length of a field's name where a line begins with one (RFC 5322, section 2.2), or 0. */
static size_t name_length(const char *text, size_t size)
{
    size_t length = 0;

    while (length < size && text[length] > ' ' && text[length] < '\x7f' && text[length] != ':')
        length++;
    return length && length < size && text[length] == ':' ? length : 0;
}

/* What stands between two offsets, without blanks around it and with its lines joined. */
static char *unfolded(const char *text, size_t from, size_t to)
{
    char *value, *out;

    while (from < to && is_blank(text[from]))
        from++;
    while (to > from && is_blank(text[to - 1]))
        to--;
    value = out = memory_copy_bytes(text + from, to - from);
    for (const char *c = value; c < value + (to - from); c++) {
        if (*c != '\r' && *c != '\n' && *c != '\0')
            *out++ = *c;
    }
    *out = '\0';
    return value;
}

static void keep(char **place, char *value)
{
    if (*place)
        free(value);
    else
        *place = value;
}

static void lower(char *text)
{
    for (; *text; text++)
        *text = (char)tolower((unsigned char)*text);
}

/* The value up to its parameters, in lower case. */
static char *without_parameters(const char *value)
{
    size_t length = strcspn(value, "; \t(");
    char *text = memory_copy_bytes(value, length);

    lower(text);
    return text;
}

/* The text of a parameter's value at *place, quoted or not; *place moves behind it. */
static void read_value(const char **place, struct buffer *out)
{
    const char *c = *place;

    while (is_blank(*c))
        c++;
    if (*c == '"') {
        for (c++; *c && *c != '"'; c++) {
            if (*c == '\\' && c[1])
                c++;
            buffer_append(out, c, 1);
        }
        c += *c == '"';
    } else {
        size_t length = strcspn(c, "; \t");

        buffer_append(out, c, length);
        c += length;
    }
    *place = c;
}

/* RFC 2231, section 4: charset'language'text, with %xx for bytes. The charset is taken as UTF-8. */
static void decode_extended(struct buffer *value, bool first)
{
    char *out, *from, *quote;

    buffer_append_text(value, "");
    from = out = value->bytes;
    quote = first ? strchr(from, '\'') : NULL;
    quote = quote ? strchr(quote + 1, '\'') : NULL;
    if (quote)
        from = quote + 1;
    while (*from) {
        unsigned byte;
        char digits[3] = {from[0], from[0] ? from[1] : '\0', '\0'};

        if (*from == '%') {
            memcpy(digits, (char[]){from[1], from[1] ? from[2] : '\0', '\0'}, sizeof digits);
            if (isxdigit((unsigned char)digits[0]) && isxdigit((unsigned char)digits[1])) {
                byte = (unsigned)strtoul(digits, NULL, 16);
                *out++ = (char)byte;
                from += sizeof digits;
                continue;
            }
        }
        *out++ = *from++;
    }
    value->size = (size_t)(out - value->bytes);
    *out = '\0';
}

/*
 * Which section of the wanted parameter a name is: "filename" and "filename*" are 0,
 * "filename*2*" is 2; -1 where it is another's. *extended: its value is encoded.
 */
static int section_of(const char *name, size_t length, const char *wanted, bool *extended)
{
    size_t size = strlen(wanted);
    int section = 0;

    *extended = false;
    if (length < size || strncasecmp(name, wanted, size) != 0)
        return -1;
    if (length == size)
        return 0;
    if (name[size] != '*')
        return -1;
    if (length == size + 1) {
        *extended = true;
        return 0;
    }
    for (size++; size < length && isdigit((unsigned char)name[size]); size++) {
        section = section * 10 + (name[size] - '0');
        if (section >= SECTIONS_MAX)
            return -1;
    }
    *extended = size + 1 == length && name[size] == '*';
    return size == length || *extended ? section : -1;
}

static char *joined(char *sections[static SECTIONS_MAX])
{
    struct buffer whole = BUFFER_INIT(MIME_FIELD_SIZE_MAX);
    bool found = sections[0] != NULL, gap = false;

    for (size_t i = 0; i < SECTIONS_MAX; i++) {
        gap = gap || !sections[i];
        if (!gap)
            buffer_append_text(&whole, sections[i]);
        free(sections[i]);
    }
    if (found)
        return buffer_take(&whole);
    buffer_free(&whole);
    return NULL;
}

char *mime_parameter(const char *value, const char *name)
{
    const char *c = strchr(value, ';');
    char *sections[SECTIONS_MAX] = {NULL};

    while (c && *c) {
        AUTO_BUFFER struct buffer text = BUFFER_INIT(MIME_FIELD_SIZE_MAX);
        const char *start;
        size_t length;
        bool extended;
        int section;

        while (*c == ';' || is_blank(*c))
            c++;
        start = c;
        c += strcspn(c, "=; \t");
        length = (size_t)(c - start);
        while (is_blank(*c))
            c++;
        if (*c != '=') {
            c = strchr(c, ';');
            continue;
        }
        c++;
        read_value(&c, &text);
        section = section_of(start, length, name, &extended);
        if (section >= 0 && extended)
            decode_extended(&text, section == 0);
        if (section >= 0)
            keep(&sections[section], buffer_take(&text));
        c = strchr(c, ';');
    }
    return joined(sections);
}

static void read_type(struct mime_header *header, const char *value)
{
    char *name;

    if (header->type)
        return;
    header->type = without_parameters(value);
    header->boundary = mime_parameter(value, "boundary");
    header->charset = mime_parameter(value, "charset");
    name = mime_parameter(value, "name");
    if (name)
        keep(&header->filename, name);
    if (strchr(header->type, '/'))
        header->is_mime = true;
    else /* RFC 2045, section 5.2: what cannot be read is plain text */
        memcpy(header->type, "", 1);
}

static void read_disposition(struct mime_header *header, const char *value)
{
    char *name = mime_parameter(value, "filename");

    if (!name)
        return;
    free(header->filename);
    header->filename = name;
}

static bool is_field(const char *text, size_t length, const char *name)
{
    return strlen(name) == length && strncasecmp(text, name, length) == 0;
}

/* Takes value over. */
static void read_field(struct mime_header *header, const char *name, size_t length, char *value)
{
    AUTO_FREE char *owned = value;

    if (is_field(name, length, "Content-Type"))
        read_type(header, value);
    else if (is_field(name, length, "Content-Disposition"))
        read_disposition(header, value);
    else if (is_field(name, length, "Content-Transfer-Encoding"))
        keep(&header->encoding, without_parameters(value));
    else if (is_field(name, length, "MIME-Version"))
        header->is_mime = true;
    else if (is_field(name, length, "Launch-Index"))
        keep(&header->launch_index, TAKE_POINTER(owned));
    else if (is_field(name, length, "Merge-Type") || is_field(name, length, "X-Merge-Type"))
        keep(&header->merge_type, TAKE_POINTER(owned));
}

static int refuse(const char *what, unsigned line, struct error *error)
{
    error_set(error, ERROR_INPUT, "%s", what);
    error_hint(error, "an empty line ends the header");
    return error_at(error, NULL, line, 0);
}

/* The offset behind a field that begins at from: behind its continuation lines. */
static size_t field_end(const char *text, size_t size, size_t from, unsigned *line)
{
    do {
        from += mime_line(text + from, size - from);
        ++*line;
    } while (from < size && (text[from] == ' ' || text[from] == '\t'));
    return from;
}

int mime_header_read(const char *text, size_t size, struct mime_header *header, struct error *error)
{
    size_t at = 0, fields = 0;
    unsigned line = 1;

    /* The line that a mail box puts before a message. */
    if (size >= strlen("From ") && memcmp(text, "From ", strlen("From ")) == 0) {
        at = mime_line(text, size);
        line++;
    }
    while (at < size) {
        size_t length = mime_line(text + at, size - at), end, name;
        unsigned begin = line;

        if (is_empty_line(text + at, length)) {
            at += length;
            break;
        }
        name = name_length(text + at, length);
        if (!name)
            break;
        end = field_end(text, size, at, &line);
        if (end - at > MIME_FIELD_SIZE_MAX || end > MIME_HEADER_SIZE_MAX ||
            ++fields > MIME_FIELDS_MAX)
            return refuse("the header of a MIME part is too large", begin, error);
        read_field(header, text + at, name, unfolded(text, at + name + 1, end));
        at = end;
    }
    header->size = at;
    return 0;
}

void mime_header_clear(struct mime_header *header)
{
    if (!header)
        return;
    free(header->type);
    free(header->boundary);
    free(header->charset);
    free(header->filename);
    free(header->encoding);
    free(header->launch_index);
    free(header->merge_type);
    *header = (struct mime_header)MIME_HEADER_INIT;
}
