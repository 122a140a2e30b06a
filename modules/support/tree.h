/*
 * Looking at the tree that a module works on, making and removing names in it: everything below
 * host->root, and no component of a path, nor a link on the way, is followed out of it
 * (openat2(2)).
 */
#ifndef BOOTLACE_SUPPORT_TREE_H
#define BOOTLACE_SUPPORT_TREE_H

#include <bootlace/module.h>
#include <support/text.h>
#include <sys/stat.h>

enum { TREE_READ_MAX = 64 << 20 };

/* Whether the tree is the machine that runs, and stays this machine: what becomes an image does
 * not. */
bool tree_is_running(const struct bootlace_host *host);

/* A descriptor as by open(2), or a negative errno. */
int tree_open(const struct bootlace_host *host, const char *path, int flags);

/* Whether there is such a path, links followed within the tree. */
bool tree_has(const struct bootlace_host *host, const char *path);

/* Adds a regular file's content to out; its owner and mode to *info, which may be NULL. 0, or a
 * negative errno: -EFBIG where it is larger than TREE_READ_MAX, -EINVAL where it is no file. */
int tree_read(const struct bootlace_host *host, const char *path, struct text *out,
              struct stat *info);

/* Makes path a symbolic link to target, atomically, in place of a file or link; 1 changed, 0 it
 * was so already, or a negative errno. Under --dry-run it compares and logs only. */
int tree_link(const struct bootlace_host *host, const char *path, const char *target);

/* Removes a file or link; 1 removed, 0 it was not there, or a negative errno. Under --dry-run it
 * looks and logs only. */
int tree_remove(const struct bootlace_host *host, const char *path);

/* A file of root's with this content and mode, through host->put_file. */
int tree_put(const struct bootlace_host *host, const char *path, const struct text *content,
             mode_t mode);

/* The value of a name in os-release, "VERSION_ID"; "" where it has none. The caller's. */
char *tree_release(const struct bootlace_host *host, const char *name);

/* Whether the distribution is of a family: os-release's ID, or a word of its ID_LIKE. */
bool tree_is_like(const struct bootlace_host *host, const char *family);

#endif
