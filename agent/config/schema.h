/*
 * Schemas of settings: a named subset of JSON Schema (draft 2020-12), compiled, checked, applied.
 *
 * The subset. Of the value: type (a name or a list of names), enum, const, minimum, maximum,
 * minLength, maxLength, pattern, minItems, maxItems, items, minProperties, maxProperties,
 * properties, patternProperties, additionalProperties, required. Of schemas: oneOf, anyOf, allOf,
 * $ref to "#/$defs/NAME", $defs at the top, true and false. Said about it: $schema, $id, $comment,
 * title, description, default, examples, deprecated (what to use instead stands in description),
 * x-secret (shown nowhere), x-template (a text that is rendered with metadata), x-differs (in what
 * it is not like cloud-init's key of that name). Whatever else a schema has is refused when it is
 * compiled, so that nothing is believed to be checked that isn't.
 *
 * A pattern is a POSIX extended regular expression that means the same in ECMA-262, which editors
 * use: without backslash classes, named classes, look-around, back-references. What can be
 * empty is not repeated by + or {}. Like there it matches anywhere unless anchored. Lengths count
 * characters.
 *
 * Two things differ from JSON Schema, on purpose. A key that additionalProperties: false forbids is
 * a warning with the nearest known key for a hint; within oneOf and anyOf such a form counts where
 * no other fits without unknown keys. And a text marked x-template that has {{ or {% in it is
 * checked when it is rendered: here it is only a text.
 *
 * Messages name keys and what is allowed, never the value that is there; within an x-secret value
 * they don't name keys either.
 */
#ifndef BOOTLACE_CONFIG_SCHEMA_H
#define BOOTLACE_CONFIG_SCHEMA_H

#include "base/error.h"
#include "config/positions.h"
#include "model/problem.h"

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>

enum {
    SCHEMA_DEPTH_MAX = 64,              /* schemas within schemas */
    SCHEMA_NODES_MAX = 20000,           /* schemas in one document */
    SCHEMA_PATTERN_MAX = 512,           /* bytes of a pattern */
    SCHEMA_PATTERN_COMPILED_MAX = 4096, /* its characters when repetition is written out */
    SCHEMA_PATTERN_TEXT_MAX = 64 << 10, /* bytes of a text that a pattern is matched with */
    SCHEMA_PROBLEMS_MAX = PROBLEMS_MAX, /* problems told of one value */
    SCHEMA_VISITS_MAX = 20000000,       /* comparisons of a value with a schema */
    SCHEMA_FORMS_MAX = 64,              /* schemas that describe one value, for marks */
    SCHEMA_KEY_MAX = 256                /* bytes of a key as it is told: write_files[0].path */
};

struct schema;

/* The document must live as long (it is referred to). NULL and an error, which names the place. */
struct schema *schema_compile(json_t *document, const char *where, struct error *error);
void schema_free(struct schema *schema);

#define AUTO_SCHEMA __attribute__((cleanup(schema_release)))
void schema_release(struct schema **schema);

/* A problem: key is the path of what it is about, "" for the whole; the error has its place. */
typedef void schema_report(void *context, bool warning, const char *key, const struct error *error);

/*
 * Tells every problem of the value in the order of the text; where names it in errors that have no
 * position. positions may be NULL. Returns how many are errors, no warnings.
 */
size_t schema_check(const struct schema *schema, json_t *value, const char *where,
                    struct positions *positions, schema_report *report, void *context);

/* A report that adds to struct problems, the context. */
void schema_report_problem(void *context, bool warning, const char *key, const struct error *error);

/* What is shown in a secret's place. */
#define SCHEMA_REDACTED "(redacted)"

/*
 * A copy in which every value is replaced that an x-secret schema describes in any form, whatever
 * its kind; also where the key is a likely misspelling of one.
 */
json_t *schema_redact(const struct schema *schema, json_t *value);

/* Returns a text's replacement, a new reference, or NULL and an error. */
typedef json_t *schema_render(void *context, const char *text, const char *key,
                              struct error *error);

/*
 * Replaces every text in a slot marked x-template, in place; the positions stay good. The first
 * error ends it and gets the text's position.
 */
int schema_render_all(const struct schema *schema, json_t *value, struct positions *positions,
                      schema_render *render, void *context, struct error *error);

/* One module's part of the whole: the schema of the object that holds its keys. */
struct schema_source {
    const char *name; /* the module's */
    json_t *schema;
};

/*
 * One document of all: every source's properties and its $defs, renamed to NAME.def. A key that
 * two sources describe is an error, and so is what cannot be put together: a source may have type
 * (object), properties, $defs, additionalProperties (false) and annotations at its top. *culprit is
 * the index of the source that it is about.
 */
json_t *schema_compose(const struct schema_source *sources, size_t count, size_t *culprit,
                       struct error *error);

/*
 * The candidate that the word is a likely misspelling of, or NULL. candidates ends with NULL.
 */
const char *schema_nearest(const char *word, const char *const *candidates);

#endif
