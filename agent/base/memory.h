/*
 * Memory: allocation that does not return without memory, and clean-up by scope.
 *
 * An agent that runs out of memory at boot can do nothing sensible but say so: these functions
 * end the process with exit code 70 then, after one line on standard error. The record is a
 * journal, so the next start finds what was done.
 */
#ifndef BOOTLACE_BASE_MEMORY_H
#define BOOTLACE_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Runs fn(&variable) where the variable goes out of scope. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define AUTO_FREE CLEANUP(memory_free_pointer)
#define AUTO_CLOSE CLEANUP(memory_close_fd)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Says that memory is exhausted and ends the process (70). */
_Noreturn void memory_exhausted(void);

/* As calloc, realloc, strdup, strndup and asprintf; never NULL. The caller frees. */
void *memory_zeroed(size_t count, size_t size);
void *memory_resize(void *old, size_t count, size_t size);
char *memory_copy_string(const char *text);
char *memory_copy_bytes(const void *bytes, size_t size);
char *memory_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Passes a pointer through that must not be NULL for another reason than exhausted memory. */
void *memory_need(void *pointer);

/*
 * Grows *items (an array of elements of the given size) so that one more fits behind count of
 * them. The capacity is kept implicitly: arrays double at powers of two.
 */
void *memory_grow(void *items, size_t count, size_t size);

/* Clean-up functions: each takes the address of the variable. */
void memory_free_pointer(void *pointer_to_pointer);
void memory_close_fd(const int *fd);

/* Takes the value out of an AUTO_ variable, which then owns nothing. */
#define TAKE_POINTER(p)                                                                            \
    __extension__({                                                                                \
        __typeof__(p) taken_ = (p);                                                                \
        (p) = NULL;                                                                                \
        taken_;                                                                                    \
    })
int memory_take_fd(int *fd);

#endif
