/* Memory: allocation that does not return without memory, and clean-up by scope. */
#include "base/memory.h"

#include "base/banned.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_EXHAUSTED = 70 };

_Noreturn void memory_exhausted(void)
{
    static const char text[] = "bootlace: out of memory\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);

    (void)ignored;
    _exit(EXIT_EXHAUSTED);
}

void *memory_need(void *pointer)
{
    if (!pointer)
        memory_exhausted();
    return pointer;
}

void *memory_zeroed(size_t count, size_t size)
{
    return memory_need(calloc(count ? count : 1, size ? size : 1));
}

void *memory_resize(void *old, size_t count, size_t size)
{
    return memory_need(reallocarray(old, count ? count : 1, size ? size : 1));
}

char *memory_copy_string(const char *text)
{
    return memory_need(strdup(text));
}

char *memory_copy_bytes(const void *bytes, size_t size)
{
    char *copy;

    if (size == SIZE_MAX)
        memory_exhausted();
    copy = memory_need(malloc(size + 1));
    if (size)
        memcpy(copy, bytes, size);
    copy[size] = '\0';
    return copy;
}

char *memory_format(const char *format, ...)
{
    va_list arguments;
    char *text = NULL;
    int length;

    va_start(arguments, format);
    length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0)
        memory_exhausted();
    return text;
}

void *memory_grow(void *items, size_t count, size_t size)
{
    if (count & (count - 1))
        return items;
    return memory_resize(items, count ? count * 2 : 1, size);
}

void memory_free_pointer(void *pointer_to_pointer)
{
    void *pointer;

    memcpy(&pointer, pointer_to_pointer, sizeof pointer);
    free(pointer);
}

void memory_close_fd(const int *fd)
{
    int saved = errno;

    if (*fd >= 0)
        close(*fd);
    errno = saved;
}

int memory_take_fd(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}
