/*
 * Folders and files below a top folder, which is itself below the tree that is worked on.
 *
 * On the way to the top, links are followed within the tree, as everywhere. Below it, nothing leads
 * out of it: a link there that stays within is followed, any other is refused (openat2(2),
 * RESOLVE_BENEATH), because what is below may belong to others than root.
 *
 * A new file is made under a temporary name beside its place, root's alone, and takes its name once
 * it is whole: until then there is nothing, or what was there before.
 */
#ifndef BOOTLACE_S3_PLACES_H
#define BOOTLACE_S3_PLACES_H

#include <bootlace/module.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

enum {
    PLACES_OPEN_MAX = 16, /* folders that are kept open */
    PLACES_TEMPORARY_MAX = 40,
    PLACES_PATH_MAX = 4096
};

struct places_folder {
    char *path;
    int fd;
    unsigned long used;
};

struct places {
    int top; /* a descriptor, or -1 where there is no such folder */
    mode_t folder_mode;
    uid_t owner;
    gid_t group;
    struct places_folder open[PLACES_OPEN_MAX];
    unsigned long uses;
};

/* What a file is to be when it takes its name. */
struct places_rights {
    mode_t mode;
    uid_t owner;
    gid_t group;
    int64_t modified; /* seconds since 1970 */
};

/*
 * Opens the folder of that path below host->root, and makes it first where make says so: itself as
 * the members folder_mode, owner and group say, those above it 0755 and root's. 0, or a negative
 * errno: -ENOENT where it is not there.
 */
int places_open(struct places *places, const struct bootlace_host *host, const char *path,
                bool make);
void places_close(struct places *places);

/* The descriptor of a folder below the top, "" the top itself; the places' own, valid until the
 * next call. Or a negative errno: -EXDEV where a link leads out. */
int places_folder(struct places *places, const char *path, bool make);

/* The folder of a file's path ("a/b/c" → that of "a/b"), and its name. */
int places_folder_of(struct places *places, const char *path, bool make, const char **name);

/* The name under which a file of that path grows. */
void places_temporary(const char *path, char temporary[PLACES_TEMPORARY_MAX]);

/* A new file under its temporary name, for reading and writing, 0600; or a negative errno. */
int places_create(struct places *places, const char *path);

/* The file that grows there already: a descriptor, -ENOENT, or -EPERM where it is not ours. */
int places_reopen(struct places *places, const char *path);

/* Gives the open file its owner, mode and time. 0, or a negative errno. */
int places_dress(int fd, const struct places_rights *rights);

/* Gives the file its name, in place of what has it: a file or a link. 0, or a negative errno. */
int places_settle(struct places *places, const char *path);

/* Removes what grew under the temporary name. */
void places_discard(struct places *places, const char *path);

/* Flushes the file system of the top folder. 0, or a negative errno. */
int places_flush(const struct places *places);

#endif
