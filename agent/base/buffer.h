/*
 * A buffer that grows up to a stated maximum.
 *
 * Invariants: bytes is NULL until room was made for the first time; from then on bytes[size] is
 * always '\0'; size never exceeds maximum. An append that would pass
 * the maximum changes nothing and returns false: who asked decides what that means.
 */
#ifndef BOOTLACE_BASE_BUFFER_H
#define BOOTLACE_BASE_BUFFER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buffer {
    char *bytes;
    size_t size;
    size_t capacity;
    size_t maximum;
};

#define BUFFER_INIT(max)                                                                           \
    {                                                                                              \
        .maximum = (max)                                                                           \
    }
#define AUTO_BUFFER __attribute__((cleanup(buffer_free)))

void buffer_init(struct buffer *buffer, size_t maximum);

/* Empties it and keeps its memory. */
void buffer_clear(struct buffer *buffer);

/* Gives its memory back; the buffer can be used again. NULL is accepted. */
void buffer_free(struct buffer *buffer);

bool buffer_append(struct buffer *buffer, const void *bytes, size_t size);
bool buffer_append_text(struct buffer *buffer, const char *text);
bool buffer_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Room for so many more bytes at bytes + size, or NULL; buffer_grown says how many were used. */
char *buffer_room(struct buffer *buffer, size_t size);
void buffer_grown(struct buffer *buffer, size_t size);

/* Takes the first so many bytes off. */
void buffer_drop(struct buffer *buffer, size_t size);

/* The content as a string, "" where nothing was appended; the buffer keeps it. */
const char *buffer_text(const struct buffer *buffer);

/* Hands the content over as a string that the caller frees; the buffer is empty then. */
char *buffer_take(struct buffer *buffer);

#endif
