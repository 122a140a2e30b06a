/* A YAML scalar as a JSON value, by its text; see yaml.h for what is read how. */
#ifndef BOOTLACE_CONFIG_SCALAR_H
#define BOOTLACE_CONFIG_SCALAR_H

#include <jansson.h>

#include <stddef.h>

/* A plain scalar: null, a truth value, a number, else a string. Text is UTF-8, without zeros. */
json_t *scalar_plain(const char *text, size_t size);

/*
 * !!binary: the text that the base64 encodes, or the object that stands for bytes that are no
 * text; NULL where it is no base64.
 */
json_t *scalar_binary(const char *text, size_t size);

#endif
