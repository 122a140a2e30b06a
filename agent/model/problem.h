/* Problems: everything that was found wrong with an input, errors and warnings together. */
#ifndef BOOTLACE_MODEL_PROBLEM_H
#define BOOTLACE_MODEL_PROBLEM_H

#include "base/error.h"

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>

enum { PROBLEMS_MAX = 1000, PROBLEM_KEY_MAX = 256 };

struct problem {
    bool warning;
    char key[PROBLEM_KEY_MAX]; /* what it is about: "write_files[0].path"; "" = no key */
    struct error error;
};

struct problems {
    struct problem *items;
    size_t count;
    size_t errors; /* how many of them are no warnings */
};

#define AUTO_PROBLEMS __attribute__((cleanup(problems_clear)))

/* Adds a copy; beyond PROBLEMS_MAX they are counted only. */
void problems_add_error(struct problems *problems, const struct error *error);
void problems_add_warning(struct problems *problems, const struct error *error);

/* The same, about a key. */
void problems_add_about(struct problems *problems, bool warning, const char *key,
                        const struct error *error);
void problems_clear(struct problems *problems);

/* The exit code that the errors come to: 0 where there is none; that of a bad input, unless all of
 * them are of something that did not answer, which may be there the next time. */
int problems_exit_code(const struct problems *problems);

/* As `plan` and `validate` print them: severity, file, part, line, column, key, message, hint. file
 * is that of the user-data, or NULL. */
json_t *problems_to_json(const struct problems *problems, const char *file);

#endif
