/*
 * Files of the agent's own: whole reads with a cap, atomic writes, appends.
 *
 * Paths are relative to a folder descriptor (or AT_FDCWD and absolute). Nothing here follows a
 * symbolic link in the last component of what it writes. Modes are exact from the first moment:
 * a file is made with its final mode and then renamed into place (CVE-2022-29527 was a file made
 * wide and narrowed later).
 */
#ifndef BOOTLACE_BASE_FILE_H
#define BOOTLACE_BASE_FILE_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>

/*
 * Reads a whole regular file (or pipe) into out (appended), at most out's maximum.
 * Returns 1, or 0 where there is no such file (error untouched), or -1.
 */
int file_read(int folder, const char *path, struct buffer *out, struct error *error);

/* Replaces path by bytes, atomically: the old content or the new, never half of it. */
int file_write(int folder, const char *path, const void *bytes, size_t size, mode_t mode,
               struct error *error);

/* Makes every missing folder of the path, each with the mode. */
int file_make_folders(int folder, const char *path, mode_t mode, struct error *error);

/* Opens a folder for use as the folder argument. */
int file_open_folder(int folder, const char *path, struct error *error);

/* Writes all bytes to a descriptor, resuming after interruptions. */
int file_write_all(int fd, const void *bytes, size_t size);

/* Removes a file; that there is none is success. */
int file_remove(int folder, const char *path, struct error *error);

/* Is there something of this name? */
bool file_exists(int folder, const char *path);

/* Whether a name is safe as one component of a path: [A-Za-z0-9._-], no leading dot, 1..max. */
bool file_name_is_plain(const char *name, size_t maximum);

#endif
