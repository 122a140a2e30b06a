/*
 * Growing text, and memory that is there or the module ends: a module has a process of its own,
 * so nothing is freed that lives as long as the call.
 */
#ifndef BOOTLACE_SUPPORT_TEXT_H
#define BOOTLACE_SUPPORT_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum { TEXT_MAX = 256 << 20 }; /* bytes of one text; more ends the module */

struct text {
    char *bytes; /* '\0' behind the last one; never NULL once something was added */
    size_t size;
    size_t room;
};

/* Returns the pointer, or ends the module where it is NULL. */
void *text_need(void *memory);

void text_add(struct text *text, const void *bytes, size_t size);
void text_add_string(struct text *text, const char *string);
void text_add_format(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Room for more bytes behind the end, which text->size does not count yet. */
char *text_room(struct text *text, size_t more);

/* The text as a string, "" where nothing was added. */
const char *text_string(const struct text *text);

/* A new string made as by printf. */
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A name and what stands for it; a list ends with a name that is NULL. */
struct text_word {
    const char *name;
    const char *value;
};

/* Adds the text with every {{ name }} of the list replaced; others stay as they are. */
void text_add_replaced(struct text *out, const char *text, const struct text_word *words);

/* Adds the text with every $name and ${name} of the list replaced; others stay as they are. */
void text_add_expanded(struct text *out, const char *text, const struct text_word *words);

#endif
