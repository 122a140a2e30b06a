/*
 * What configures AWS's SDKs; see aws_profile.h.
 *
 * In the shared files are sections in brackets, "key = value" lines, "#" and ";" begin a comment at
 * the beginning of a line, and lines that are indented below a key without value are values of that
 * key. Keys have no case; of a key that is there twice the last counts.
 */
#include <support/aws_profile.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* A piece of the text, which need not end with zero. */
struct piece {
    const char *at;
    size_t size;
};

static bool is_blank(char character)
{
    return character == ' ' || character == '\t' || character == '\r';
}

static struct piece trimmed(const char *at, size_t size)
{
    while (size > 0 && is_blank(*at))
        at++, size--;
    while (size > 0 && is_blank(at[size - 1]))
        size--;
    return (struct piece){at, size};
}

static bool equals(struct piece piece, const char *word, size_t size)
{
    return piece.size == size && strncasecmp(piece.at, word, size) == 0;
}

/* Whether a section's name, blanks within it counted as one, is this. */
static bool is_section(struct piece name, const char *section)
{
    size_t i = 0;

    while (i < name.size && *section) {
        if (is_blank(name.at[i]) && *section == ' ') {
            while (i < name.size && is_blank(name.at[i]))
                i++;
            section++;
        } else if (name.at[i++] != *section++)
            return false;
    }
    return i == name.size && !*section;
}

/* What has been read so far, and what is looked for. */
struct lookup {
    const char *section, *key;
    bool in_section, seen;
    struct piece outer; /* the key that indented lines are below */
    struct piece value;
    bool found;
};

static void take_pair(struct lookup *lookup, struct piece line, bool is_nested)
{
    const char *equal = memchr(line.at, '=', line.size), *dot = strchr(lookup->key, '.');
    struct piece name, value;

    if (!equal)
        return;
    name = trimmed(line.at, (size_t)(equal - line.at));
    value = trimmed(equal + 1, line.size - (size_t)(equal + 1 - line.at));
    if (!is_nested)
        lookup->outer = value.size == 0 ? name : (struct piece){"", 0};
    if (is_nested ? !dot || !equals(lookup->outer, lookup->key, (size_t)(dot - lookup->key)) ||
                        !equals(name, dot + 1, strlen(dot + 1))
                  : !equals(name, lookup->key, strlen(lookup->key)))
        return;
    lookup->value = value;
    lookup->found = true;
}

static void take_line(struct lookup *lookup, const char *at, size_t size)
{
    struct piece line = trimmed(at, size);

    if (line.size == 0 || *line.at == '#' || *line.at == ';')
        return;
    if (*line.at == '[' && !is_blank(*at)) {
        const char *end = memchr(line.at, ']', line.size);

        lookup->in_section =
            end && is_section(trimmed(line.at + 1, (size_t)(end - line.at - 1)), lookup->section);
        lookup->seen |= lookup->in_section;
        lookup->outer = (struct piece){"", 0};
    } else if (lookup->in_section && lookup->key)
        take_pair(lookup, line, is_blank(*at) && lookup->outer.size > 0);
}

static void read_lines(struct lookup *lookup, const char *text, size_t size)
{
    while (size > 0) {
        const char *end = memchr(text, '\n', size);
        size_t length = end ? (size_t)(end - text) : size;

        take_line(lookup, text, length);
        length += end != NULL;
        text += length;
        size -= length;
    }
}

char *aws_profile_lookup(const char *text, size_t size, const char *section, const char *key)
{
    struct lookup lookup = {.section = section, .key = key};

    read_lines(&lookup, text, size);
    if (!lookup.found || lookup.value.size == 0 || memchr(lookup.value.at, '\0', lookup.value.size))
        return NULL;
    return text_format("%.*s", (int)lookup.value.size, lookup.value.at);
}

bool aws_profile_has(const char *text, size_t size, const char *section)
{
    struct lookup lookup = {.section = section};

    read_lines(&lookup, text, size);
    return lookup.seen;
}

const char *aws_variable(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

const char *aws_profile_name(void)
{
    const char *name = aws_variable("AWS_PROFILE");

    return name ? name : "default";
}

char *aws_profile_path(bool is_config)
{
    const char *given = aws_variable(is_config ? "AWS_CONFIG_FILE" : "AWS_SHARED_CREDENTIALS_FILE");
    const char *home = getenv("HOME");

    if (!home || *home != '/')
        home = "/root";
    if (!given)
        return text_format("%s/.aws/%s", home, is_config ? "config" : "credentials");
    return strncmp(given, "~/", 2) == 0 ? text_format("%s%s", home, given + 1)
                                        : text_format("%s", given);
}

/* Adds a file's content; whether it is a regular one that could be read, within the limit. */
static bool read_file(const char *path, struct text *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat info;
    ssize_t got = -1;

    if (fd < 0)
        return false;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size <= AWS_PROFILE_FILE_MAX) {
        do {
            char *room = text_room(out, AWS_PROFILE_FILE_MAX / 16);

            got = read(fd, room, AWS_PROFILE_FILE_MAX / 16);
            out->size += got > 0 ? (size_t)got : 0;
        } while ((got > 0 && out->size <= AWS_PROFILE_FILE_MAX) || (got < 0 && errno == EINTR));
    }
    close(fd);
    return got == 0;
}

static void forget(struct text *text)
{
    if (text->bytes)
        explicit_bzero(text->bytes, text->room);
    free(text->bytes);
    *text = (struct text){0};
}

/* The section's value in a file; with key NULL, "" where the section is there. */
static char *file_value(bool is_config, const char *section, const char *key)
{
    char *path = aws_profile_path(is_config), *value = NULL;
    struct text text = {0};

    if (read_file(path, &text) && text.size > 0) {
        if (key)
            value = aws_profile_lookup(text.bytes, text.size, section, key);
        else if (aws_profile_has(text.bytes, text.size, section))
            value = text_format("%s", "");
    }
    forget(&text);
    free(path);
    return value;
}

/* The configuration file calls every profile but the default one "profile NAME". */
static char *config_value(const char *key)
{
    const char *name = aws_profile_name();
    char *section = text_format("profile %s", name), *value;

    value = file_value(true, section, key);
    free(section);
    if (!value && strcmp(name, "default") == 0)
        value = file_value(true, name, key);
    return value;
}

char *aws_profile_value(bool in_credentials, const char *key)
{
    return in_credentials ? file_value(false, aws_profile_name(), key) : config_value(key);
}

bool aws_profile_is_there(void)
{
    char *in_credentials = aws_profile_value(true, NULL),
         *in_config = aws_profile_value(false, NULL);
    bool there = in_credentials || in_config;

    free(in_credentials);
    free(in_config);
    return there;
}

char *aws_profile_endpoint(const char *service)
{
    char *services = config_value("services"), *value = NULL;

    if (services) {
        char *section = text_format("services %s", services);
        char *key = text_format("%s.endpoint_url", service);

        value = file_value(true, section, key);
        free(section);
        free(key);
        free(services);
    }
    return value ? value : config_value("endpoint_url");
}
