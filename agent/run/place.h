/*
 * Puts a file below a root, atomically, with its mode and owner exact from the first moment, and
 * without following any link out of the root (openat2(2), RESOLVE_IN_ROOT).
 */
#ifndef BOOTLACE_RUN_PLACE_H
#define BOOTLACE_RUN_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct place {
    const char *root; /* an absolute path */
    const char *path; /* below root */
    const void *bytes;
    size_t size;
    mode_t mode;
    uid_t owner;
    gid_t group;
    bool dry_run; /* compare only */
};

enum { PLACE_FOLDER_MODE = 0755, PLACE_BATCH_MAX = 128 };

/*
 * Files that are written under other names, and wait for their own: what is written is brought to
 * the disk for all of them at once. Power may go at any moment: nobody ever finds half a file.
 * All zero at first; place_settle empties it.
 */
struct place_batch {
    struct place_waiting {
        int folder, fd;
        dev_t device;
        ino_t folder_inode;
        char *name, *path; /* path: for messages */
    } items[PLACE_BATCH_MAX];
    size_t count;
};

/*
 * 1 changed, 0 it was so already, or a negative errno. With a batch a changed file waits in it, and
 * what waits there gets its place before where the batch is full, or the same file comes again.
 */
int place_file(const struct place *place, struct place_batch *batch);

/*
 * What waits takes its place, in its order. 0, or a negative errno, and *failed is the path of the
 * first that could not, to be freed; the others are where they belong, unless the disk failed.
 */
int place_settle(struct place_batch *batch, char **failed);

#endif
