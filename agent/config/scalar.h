/* A YAML scalar as a JSON value, by its text; see yaml.h for what is read how. */
#ifndef BOOTLACE_CONFIG_SCALAR_H
#define BOOTLACE_CONFIG_SCALAR_H

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>

/* A plain scalar: null, a truth value, a number, else a string. Text is UTF-8, without zeros. */
json_t *scalar_plain(const char *text, size_t size);

/*
 * A scalar with a tag of YAML 1.1: false where the tag is not known. *value is NULL where the text
 * is none of that tag's. What !!binary encodes is a text, or the object that stands for bytes that
 * are none.
 */
bool scalar_tagged(const char *tag, const char *text, size_t size, json_t **value);

#endif
