/* What the fuzzers share: a check whose failure is a find, and input as a file. */
#ifndef BOOTLACE_TESTS_FUZZ_H
#define BOOTLACE_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must be so whatever the input is. */
#define MUST(condition_)                                                                           \
    do {                                                                                           \
        if (!(condition_)) {                                                                       \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition_);               \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* A descriptor from which the bytes are read, from their beginning. */
static inline int fuzz_file(const void *data, size_t size)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    MUST(fd >= 0);
    MUST(write(fd, data, size) == (ssize_t)size);
    MUST(lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

/* A copy with nothing behind it, so that AddressSanitizer sees who reads on. */
static inline char *fuzz_copy(const void *data, size_t size)
{
    char *copy = malloc(size ? size : 1);

    MUST(copy);
    if (size)
        memcpy(copy, data, size);
    return size ? copy : copy + 1;
}

static inline void fuzz_copy_free(char *copy, size_t size)
{
    free(size ? copy : copy - 1);
}

#endif
