/* One program that the machine is handed to, as the settings name it. */
#ifndef BOOTLACE_HANDOFF_JOB_H
#define BOOTLACE_HANDOFF_JOB_H

#include <bootlace/module.h>
#include <jansson.h>
#include <stdbool.h>

enum { JOB_ARGUMENTS_MAX = 1000, JOB_CODES_MAX = 16, JOB_LIMIT_MAX_S = 7 * 24 * 3600 };

/* How the parameters reach the program. */
enum job_pass { JOB_ARGUMENTS, JOB_ENVIRONMENT, JOB_STDIN, JOB_JSON_FILE, JOB_YAML_FILE };

struct job {
    const char *name;     /* for people */
    const char *program;  /* looked up in PATH, or a path */
    const char *folder;   /* NULL: "/" */
    const char *uri;      /* where the program is fetched from, or NULL */
    const char *checksum; /* its SHA-256 */
    const char *file; /* where the parameters are written; NULL: a file that is gone afterwards */
    const json_t *args;
    const json_t *parameters;  /* an object, or NULL */
    const json_t *environment; /* the same */
    enum job_pass pass;
    unsigned time_limit;      /* seconds; 0 = none */
    int codes[JOB_CODES_MAX]; /* exit codes that are well */
    size_t code_count;
};

/* Reads an item: 0, or a negative errno and *why. */
int job_read(const struct bootlace_host *host, const json_t *item, struct job *job,
             const char **why);

#endif
