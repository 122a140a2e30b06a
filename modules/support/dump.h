/* Values as programs take them: one word, JSON, YAML. */
#ifndef BOOTLACE_SUPPORT_DUMP_H
#define BOOTLACE_SUPPORT_DUMP_H

#include <jansson.h>
#include <support/text.h>

/* A value as one word: a text as it is, anything else as JSON. A new string. */
char *dump_word(const json_t *value);

/* Adds the object as JSON, or as YAML in block style; with a line end. */
void dump_json(struct text *out, const json_t *object);
void dump_yaml(struct text *out, const json_t *object);

#endif
