/*
 * A private temporary folder for one test program, with the few ways to fill it. It stays the same
 * for all tests of a program, because the agent remembers its prefixed paths.
 */
#ifndef BOOTLACE_TESTS_FOLDER_H
#define BOOTLACE_TESTS_FOLDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder_path[64];

/* The path of something in the folder; valid until the next but three. */
static const char *folder_at(const char *name)
{
    static char paths[4][PATH_MAX];
    static unsigned used;
    char *path = paths[used++ % 4];

    snprintf(path, PATH_MAX, "%s%s%s", folder_path, *name == '/' ? "" : "/", name);
    return path;
}

/* Makes a file, and the folders that lead to it. */
static void folder_put_bytes(const char *name, const void *bytes, size_t size)
{
    char path[PATH_MAX];
    int fd;

    snprintf(path, sizeof path, "%s", folder_at(name));
    for (char *p = strchr(path + strlen(folder_path) + 1, '/'); p; p = strchr(p + 1, '/')) {
        *p = '\0';
        mkdir(path, 0755);
        *p = '/';
    }
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    close(fd);
}

static void folder_put(const char *name, const char *text)
{
    folder_put_bytes(name, text, strlen(text));
}

static int folder_remove_one(const char *path, const struct stat *status, int type,
                             struct FTW *where)
{
    (void)status, (void)type;
    return where->level ? remove(path) : 0;
}

/* Of the whole program: the folder, which is the agent's prefix, too. */
static int folder_make(void **state)
{
    (void)state;
    snprintf(folder_path, sizeof folder_path, "/tmp/bootlace-unit-XXXXXX");
    umask(022);
    return mkdtemp(folder_path) ? setenv("BOOTLACE_PREFIX", folder_path, 1) : -1;
}

/* After each test: an empty folder. */
static int folder_empty(void **state)
{
    (void)state;
    return nftw(folder_path, folder_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int folder_unmake(void **state)
{
    (void)state;
    return rmdir(folder_path);
}

#endif
