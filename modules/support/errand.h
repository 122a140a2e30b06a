/*
 * A user's own program, run to its end: Puppet, a playbook, a script. It may take as long as it
 * likes unless it has a limit; how it ended and how long it took are said in words. Above
 * host->run_program: by argument vector, never through a shell.
 */
#ifndef BOOTLACE_SUPPORT_ERRAND_H
#define BOOTLACE_SUPPORT_ERRAND_H

#include <bootlace/module.h>
#include <jansson.h>
#include <stdbool.h>
#include <support/text.h>

enum { ERRAND_WORDS_MAX = 4000 }; /* arguments, and variables */

struct errand {
    const char *argv[ERRAND_WORDS_MAX + 1];
    size_t words;
    const char *variables[ERRAND_WORDS_MAX + 1]; /* "NAME=value" */
    size_t variable_count;
    const char *folder; /* NULL: "/" */
    struct text input;
    unsigned time_limit; /* seconds; 0: none */
    const int *codes;    /* exit codes that are well; none: 0 alone */
    size_t code_count;
};

/* Adds an argument, which is kept as it is; 0, or -E2BIG and *why. */
int errand_word(struct errand *errand, const char *word, const char **why);

/*
 * Adds the arguments that the settings give: a list of texts, or one text that is cut at its
 * blanks, as cloud-init cuts it; the usual ones (NULL-ended) where given is NULL. 0, or -E2BIG and
 * *why.
 */
int errand_words(struct errand *errand, const json_t *given, const char *const *usual,
                 const char **why);

/* Adds a variable; 0, -E2BIG, or -EINVAL where the name is none, and *why. */
int errand_variable(struct errand *errand, const char *name, const char *value, const char **why);

/*
 * Makes it run as an account of this machine, in its groups and with its HOME; before the first
 * argument is added. 0, or a negative errno and *why: -ENOENT where there is no such account.
 */
int errand_as(struct errand *errand, const char *user, const char **why);

/*
 * Runs it: 1 where it ended well, as ever under --dry-run, which only shows it; else a negative
 * errno and *why: -ENOENT (there is no such program), -ETIMEDOUT, -EIO. *code is its exit code, or
 * -1; one that is not well is the step's.
 */
int errand_run(const struct bootlace_host *host, const struct errand *errand, int *code,
               const char **why);

#endif
