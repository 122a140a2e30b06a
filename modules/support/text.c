/* Growing text; see text.h. */
#include <support/text.h>

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIRST_ROOM = 256, NO_MEMORY_EXIT = 70 };

static const char name_characters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

void *text_need(void *memory)
{
    if (!memory) {
        fputs("out of memory\n", stderr);
        _exit(NO_MEMORY_EXIT);
    }
    return memory;
}

char *text_room(struct text *text, size_t more)
{
    size_t room = text->room ? text->room : FIRST_ROOM;

    if (more > TEXT_MAX - text->size)
        text_need(NULL);
    while (room - text->size <= more) /* one for the final zero */
        room *= 2;
    if (room != text->room || !text->bytes) {
        text->bytes = text_need(realloc(text->bytes, room));
        text->room = room;
    }
    return text->bytes + text->size;
}

void text_add(struct text *text, const void *bytes, size_t size)
{
    char *room = text_room(text, size);

    if (size)
        memcpy(room, bytes, size);
    text->size += size;
    text->bytes[text->size] = '\0';
}

void text_add_string(struct text *text, const char *string)
{
    text_add(text, string, strlen(string));
}

static char *format_list(const char *format, va_list arguments)
    __attribute__((format(printf, 1, 0)));

static char *format_list(const char *format, va_list arguments)
{
    char *made = NULL;

    if (vasprintf(&made, format, arguments) < 0)
        text_need(NULL);
    return made;
}

void text_add_format(struct text *text, const char *format, ...)
{
    va_list arguments;
    char *made;

    va_start(arguments, format);
    made = format_list(format, arguments);
    va_end(arguments);
    text_add_string(text, made);
    free(made);
}

char *text_format(const char *format, ...)
{
    va_list arguments;
    char *made;

    va_start(arguments, format);
    made = format_list(format, arguments);
    va_end(arguments);
    return made;
}

const char *text_string(const struct text *text)
{
    return text->bytes ? text->bytes : "";
}

static const char *value_of(const struct text_word *words, const char *name, size_t size)
{
    for (; words->name; words++) {
        if (strlen(words->name) == size && memcmp(words->name, name, size) == 0)
            return words->value;
    }
    return NULL;
}

void text_add_replaced(struct text *out, const char *text, const struct text_word *words)
{
    const char *open;

    while ((open = strstr(text, "{{"))) {
        const char *name = open + 2 + strspn(open + 2, " \t");
        size_t size = strspn(name, name_characters);
        const char *end = name + size + strspn(name + size, " \t");
        const char *value = strncmp(end, "}}", 2) == 0 ? value_of(words, name, size) : NULL;

        text_add(out, text, (size_t)(open - text));
        if (value)
            text_add_string(out, value);
        else
            text_add(out, open, 2);
        text = value ? end + 2 : open + 2;
    }
    text_add_string(out, text);
}

void text_add_expanded(struct text *out, const char *text, const struct text_word *words)
{
    const char *dollar;

    while ((dollar = strchr(text, '$'))) {
        bool braces = dollar[1] == '{';
        const char *name = dollar + 1 + braces;
        size_t size = strspn(name, name_characters);
        const char *value = !braces || name[size] == '}' ? value_of(words, name, size) : NULL;

        text_add(out, text, (size_t)(dollar - text));
        text_add_string(out, value ? value : "$");
        text = value ? name + size + braces : dollar + 1;
    }
    text_add_string(out, text);
}
