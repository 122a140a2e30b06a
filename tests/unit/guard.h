/*
 * Bytes laid against a page that cannot be read: whoever reads one byte more than it was given is
 * ended by SIGSEGV, in every build. What lies before them is filled, so that a string function
 * that runs on does not end by luck.
 */
#ifndef BOOTLACE_TESTS_GUARD_H
#define BOOTLACE_TESTS_GUARD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

struct guard {
    const char *bytes; /* of the size asked for; the page behind them cannot be read */
    char *map;
    size_t map_size;
};

/* Lays other bytes there, no more of them than at first. */
static inline void guard_lay(struct guard *guard, const void *bytes, size_t size)
{
    size_t used = guard->map_size - (size_t)sysconf(_SC_PAGESIZE);
    char *start = guard->map + used - size;

    assert_true(size <= used);
    assert_int_equal(mprotect(guard->map, used, PROT_READ | PROT_WRITE), 0);
    memset(guard->map, 'x', used - size);
    if (size)
        memcpy(start, bytes, size);
    assert_int_equal(mprotect(guard->map, used, PROT_READ), 0);
    guard->bytes = start;
}

static inline struct guard guard_make(const void *bytes, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), used = (size + page) / page * page;
    struct guard guard = {.map_size = used + page};

    guard.map = mmap(NULL, guard.map_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(guard.map != MAP_FAILED);
    guard_lay(&guard, bytes, size);
    return guard;
}

static inline void guard_free(struct guard *guard)
{
    assert_int_equal(munmap(guard->map, guard->map_size), 0);
}

#endif
