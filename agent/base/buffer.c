/* A buffer that grows up to a stated maximum. */
#include "base/buffer.h"

#include "base/banned.h"
#include "base/memory.h"

enum { FIRST_CAPACITY = 64 };

void buffer_init(struct buffer *buffer, size_t maximum)
{
    *buffer = (struct buffer)BUFFER_INIT(maximum);
}

void buffer_clear(struct buffer *buffer)
{
    buffer->size = 0;
    if (buffer->bytes)
        buffer->bytes[0] = '\0';
}

void buffer_free(struct buffer *buffer)
{
    if (!buffer)
        return;
    free(buffer->bytes);
    buffer_init(buffer, buffer->maximum);
}

char *buffer_room(struct buffer *buffer, size_t size)
{
    size_t needed, capacity;

    if (size > buffer->maximum || buffer->size > buffer->maximum - size)
        return NULL;
    needed = buffer->size + size + 1;
    if (needed > buffer->capacity) {
        capacity = buffer->capacity ? buffer->capacity : FIRST_CAPACITY;
        while (capacity < needed)
            capacity *= 2;
        buffer->bytes = memory_resize(buffer->bytes, capacity, 1);
        buffer->capacity = capacity;
        buffer->bytes[buffer->size] = '\0';
    }
    return buffer->bytes + buffer->size;
}

void buffer_grown(struct buffer *buffer, size_t size)
{
    buffer->size += size;
    buffer->bytes[buffer->size] = '\0';
}

bool buffer_append(struct buffer *buffer, const void *bytes, size_t size)
{
    char *room = buffer_room(buffer, size);

    if (!room)
        return false;
    if (size)
        memcpy(room, bytes, size);
    buffer_grown(buffer, size);
    return true;
}

bool buffer_append_text(struct buffer *buffer, const char *text)
{
    return buffer_append(buffer, text, strlen(text));
}

bool buffer_format(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    AUTO_FREE char *text = NULL;
    int length;

    va_start(arguments, format);
    length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0)
        memory_exhausted();
    return buffer_append(buffer, text, (size_t)length);
}

void buffer_drop(struct buffer *buffer, size_t size)
{
    if (!size)
        return;
    memmove(buffer->bytes, buffer->bytes + size, buffer->size - size);
    buffer->size -= size;
    buffer->bytes[buffer->size] = '\0';
}

const char *buffer_text(const struct buffer *buffer)
{
    return buffer->bytes ? buffer->bytes : "";
}

char *buffer_take(struct buffer *buffer)
{
    char *text = buffer->bytes ? buffer->bytes : memory_copy_string("");

    buffer_init(buffer, buffer->maximum);
    return text;
}
