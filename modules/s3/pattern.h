/*
 * Patterns for names of objects and files: `*` and `?` stand for characters other than a slash,
 * `**` for any, `[a-z]` and `[!a-z]` for one of a set; a backslash takes the next one as it is. A
 * pattern without a slash is about the last name of a path, in whatever folder; one that ends with
 * a slash is about all that is below that folder.
 */
#ifndef BOOTLACE_S3_PATTERN_H
#define BOOTLACE_S3_PATTERN_H

#include <jansson.h>
#include <stdbool.h>

enum { PATTERN_MAX = 1024, PATTERNS_MAX = 256 };

/* Whether it matches the path, which is relative. It takes time in proportion to the product of
 * their lengths, whatever they are. */
bool pattern_matches(const char *pattern, const char *path);

/* Whether a path is wanted: matched by one of include, or there are none, and by none of exclude.
 * Each is a list of texts, or NULL. */
bool pattern_wanted(const json_t *include, const json_t *exclude, const char *path);

#endif
