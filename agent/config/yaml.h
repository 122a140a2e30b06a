/*
 * YAML, by libyaml, as JSON values.
 *
 * Scalars are read as YAML 1.1 has them and cloud-init with it: yes, no, on, off, true, false in
 * their three spellings; null and ~; decimal, 0x and leading-0 octal integers; floats. Quoted
 * scalars are strings. Refused, with line and column: a second document, a key that stands twice,
 * a key that is no scalar, unknown tags, and what passes the limits below.
 */
#ifndef BOOTLACE_CONFIG_YAML_H
#define BOOTLACE_CONFIG_YAML_H

#include "base/error.h"

#include <jansson.h>

#include <stddef.h>

enum {
    YAML_DEPTH_MAX = 64,      /* nested collections */
    YAML_NODES_MAX = 1000000, /* values, those that aliases repeat counted again */
    YAML_ANCHORS_MAX = 1000
};

/* The one document as a value (null for an empty text), or NULL and an error. */
json_t *yaml_parse(const char *text, size_t size, const char *where, struct error *error);

#endif
