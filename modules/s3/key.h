/*
 * Keys of objects and paths of files. A key is any text of up to 1,024 bytes; only a part of them
 * can be the path of a file below a folder, and none may lead out of it.
 */
#ifndef BOOTLACE_S3_KEY_H
#define BOOTLACE_S3_KEY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The path of what stands behind the prefix in a key: its names, with one slash between them. NULL
 * where it is none, and *why says so in words: a name "." or "..", which is never followed, or one
 * that is too long. "" for the folder itself; *is_folder where the key ends with a slash. The
 * caller's.
 */
char *key_path(const char *relative, bool *is_folder, const char **why);

/* A key as a listing with encoding-type=url has it, decoded in place; false where it holds a zero
 * byte or what is no encoding. */
bool key_decode(char *key);

#endif
