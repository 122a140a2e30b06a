/* The case folders of one stage: tests/cases/<stage>/<case>/, each with its file `input`. */
#ifndef BOOTLACE_TESTS_CASES_H
#define BOOTLACE_TESTS_CASES_H

#include "base/buffer.h"
#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>

#include <cmocka.h>

enum { CASES_MAX = 500, CASES_FILE_MAX = 1 << 20 };

static inline int cases_is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* The names of a stage's cases, sorted; as many as are returned. They stay, unless freed. */
static inline size_t cases_list(const char *stage, const char *names[CASES_MAX])
{
    struct dirent **entries = NULL;
    char path[PATH_MAX];
    int count;

    snprintf(path, sizeof path, "%s/%s", BOOTLACE_TEST_CASES, stage);
    count = scandir(path, &entries, cases_is_visible, alphasort);
    for (int i = 0; i < count && i < CASES_MAX; i++)
        names[i] = entries[i]->d_name;
    if (count <= 0 || count > CASES_MAX) {
        fprintf(stderr, "%s has %d cases\n", path, count);
        exit(1);
    }
    free(entries);
    return (size_t)count;
}

static inline void cases_free(const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free((char *)(uintptr_t)names[i] - offsetof(struct dirent, d_name));
}

/* Appends a case's file; false where there is no such file. */
static inline bool cases_read(const char *stage, const char *name, const char *file,
                              struct buffer *out)
{
    struct error error = ERROR_INIT;
    char path[PATH_MAX];
    int got;

    snprintf(path, sizeof path, "%s/%s/%s/%s", BOOTLACE_TEST_CASES, stage, name, file);
    got = file_read(AT_FDCWD, path, out, &error);
    if (got < 0)
        fail_msg("%s", error.message);
    return got > 0;
}

#endif
