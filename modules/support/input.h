/*
 * What a module is given: its input as JSON, and settings read with words for what is wrong.
 *
 * Settings were checked by the schema before; these functions do not rely on it. A message names
 * the key, never the value, which may be a secret.
 */
#ifndef BOOTLACE_SUPPORT_INPUT_H
#define BOOTLACE_SUPPORT_INPUT_H

#include <bootlace/module.h>
#include <jansson.h>
#include <stdbool.h>

struct input {
    json_t *object;
    const json_t *settings; /* NULL where the step is one of a part */
    const json_t *part;     /* or NULL */
};

/* Parses the input; 0, or what host->fail returned. */
int input_read(const struct bootlace_host *host, const char *text, struct input *input);

/* A metadata item of the input, or NULL; asks nobody. */
const char *input_metadata(const struct input *input, const char *path);

/* Whether the step is one of the early stage: there is no network, and no settings of a user. */
bool input_is_early(const struct input *input);

/* What tells the machine from others that were made of its image, or NULL where it is not known. */
const char *input_machine(const struct input *input);

/* Whether a key is as it was baked into the image that this instance is of, and was done then. */
bool input_is_baked(const struct input *input, const char *key);

/*
 * A key's list of at most so many items, an empty one where there is none. 0, or what host->fail
 * returned.
 */
int input_list(const struct bootlace_host *host, const struct input *input, const char *key,
               size_t most, const json_t **list);

/*
 * A text; absent or null leaves *value as it is. 0, or what
 * host->fail returned.
 */
int input_text(const struct bootlace_host *host, const json_t *object, const char *key,
               const char **value);

/* A flag: a boolean, or the words and numbers that cloud-init takes for one. */
int input_flag(const struct bootlace_host *host, const json_t *object, const char *key,
               bool *value);

#endif
