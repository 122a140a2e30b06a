/*
 * YAML, by libyaml, as JSON values.
 *
 * Scalars are read as YAML 1.1 has them and cloud-init with it: yes, no, on, off, true, false in
 * their three spellings; null and ~; decimal, 0x, 0b and leading-0 octal integers; floats with a
 * point. Quoted scalars are strings. The tags of YAML 1.1's scalars are known. !!binary becomes the
 * text that it encodes; bytes that are no text become {"!!binary": "<base64 without blanks>"}, for
 * JSON has no bytes. Dates, and numbers that JSON lacks, stay texts; so does every key. A merge
 * key (<<) brings in the members of its mapping or mappings that the mapping itself does not have,
 * an earlier mapping's before a later one's. JSON that libyaml does not take (escaped surrogate
 * pairs) is read as JSON.
 *
 * Refused, with line and column: a second document, a key that stands twice, a key that is no
 * scalar, unknown tags, zero characters, and what passes the limits below.
 */
#ifndef BOOTLACE_CONFIG_YAML_H
#define BOOTLACE_CONFIG_YAML_H

#include "base/error.h"
#include "config/positions.h"

#include <jansson.h>

#include <stddef.h>

enum {
    YAML_DEPTH_MAX = 64,      /* nested values, those that aliases bring in, too */
    YAML_NODES_MAX = 1000000, /* values, those that aliases repeat counted again */
    YAML_NODE_TEXT = 64,      /* so many bytes of text count as one value more */
    YAML_ANCHORS_MAX = 1000
};

/* What stands for bytes that are no text. */
#define YAML_BINARY "!!binary"

/* The one document as a value (null for an empty text), or NULL and an error. */
json_t *yaml_parse(const char *text, size_t size, const char *where, struct error *error);

/*
 * The same, and where every value stands: where becomes a new source of the table, which may have
 * other documents' positions already. What stands in an anchor's place and what a merge key brings
 * in has the position at which it is written, an alias itself that of the alias.
 */
json_t *yaml_parse_placed(const char *text, size_t size, const char *where,
                          struct positions *positions, struct error *error);

#endif
