/*
 * The key `output`: files that the steps' output goes to as well, beside the agent's own log.
 *
 * cloud-init's forms: all, or init, config and final, each a text, a list of two, or a mapping of
 * output and error. "> FILE" begins the file anew, ">> FILE" (or the file alone) appends, and so do
 * "| tee FILE" and "| tee -a FILE", as long as that is all: no shell is asked. A step belongs to
 * the stage in which cloud-init would do it, which its place in the order tells.
 */
#ifndef BOOTLACE_VERBS_OUTPUT_FILES_H
#define BOOTLACE_VERBS_OUTPUT_FILES_H

#include "config/positions.h"
#include "model/problem.h"
#include "model/step.h"

#include <jansson.h>

#include <stdbool.h>

enum { OUTPUT_STAGES = 3, OUTPUT_CONFIG_ORDER = 400, OUTPUT_FINAL_ORDER = 500 };

struct output_files {
    struct output_file {
        char *path; /* NULL: there is none */
        bool anew;
        int fd; /* -1: it is not open */
    } stages[OUTPUT_STAGES];
};

#define AUTO_OUTPUT_FILES __attribute__((cleanup(output_files_clear)))

/* Reads the key; a form that is not understood is a warning, and has no effect. */
void output_files_read(struct output_files *files, json_t *config, struct positions *positions,
                       struct problems *problems);

/* Opens the files and gives each step its own; one that cannot be opened is logged. */
void output_files_open(struct output_files *files, struct steps *steps);

/* Closes them; one that is all zero is accepted. */
void output_files_clear(struct output_files *files);

#endif
