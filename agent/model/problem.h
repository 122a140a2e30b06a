/* Problems: everything that was found wrong with an input, errors and warnings together. */
#ifndef BOOTLACE_MODEL_PROBLEM_H
#define BOOTLACE_MODEL_PROBLEM_H

#include "base/error.h"

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>

enum { PROBLEMS_MAX = 1000 };

struct problem {
    bool warning;
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
void problems_clear(struct problems *problems);

/* As `plan` and `validate` print them: severity, part, line, column, message, hint. */
json_t *problems_to_json(const struct problems *problems);

#endif
