/* Parameters in the forms in which a program can take them. */
#ifndef BOOTLACE_HANDOFF_PARAMETERS_H
#define BOOTLACE_HANDOFF_PARAMETERS_H

#include <jansson.h>
#include <support/text.h>

/* A value as one word: a text as it is, anything else as JSON. A new string. */
char *parameters_word(const json_t *value);

/* Adds the object as JSON, or as YAML in block style; with a line end. */
void parameters_add_json(struct text *out, const json_t *object);
void parameters_add_yaml(struct text *out, const json_t *object);

#endif
