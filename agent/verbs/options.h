/*
 * The one table of commands and options: parser, help text and shell completion are made of it.
 */
#ifndef BOOTLACE_VERBS_OPTIONS_H
#define BOOTLACE_VERBS_OPTIONS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OPTIONS_RERUN_MAX = 64, OPTIONS_TIMEOUT_DEFAULT_S = 3600 };

struct options {
    bool json, verbose, help, version;
    bool dry_run, boot, early, shutdown, power_off, restart, yes, bake, wait, all, describe,
        show_secrets, strict;
    const char *user_data;                    /* a file, or NULL */
    const char *source;                       /* a name, or NULL */
    const char *root;                         /* another tree to work on, as given; or NULL */
    const char *name;                         /* of what is baked, or NULL */
    const char *completion;                   /* a shell, or NULL */
    const char *rerun[OPTIONS_RERUN_MAX + 1]; /* NULL-ended */
    int64_t timeout_s;
    char **operands;
    size_t operand_count;
};

struct verb {
    const char *name;
    const char *operands; /* as the synopsis shows them */
    size_t operands_max;
    const char *summary;
    const char *text;                          /* a paragraph for --help */
    int (*run)(const struct options *options); /* the exit code */
};

/* Ends with an entry whose name is NULL. */
extern const struct verb verbs[];

/*
 * Parses the arguments behind the verb (argv[0] is the verb's name, or the program's where verb is
 * NULL). ERROR_USAGE where they are wrong.
 */
int options_parse(struct options *options, const struct verb *verb, int argc, char **argv,
                  struct error *error);

/* Help on standard output: of the program (NULL), or of a verb. */
void options_help(const struct verb *verb);

/* The completion script for a shell ("bash"); false where that is not known. */
bool options_completion(const char *shell);

#endif
