/*
 * Templates: the part of Jinja that user-data uses, rendered as cloud-init's renderer sets it.
 *
 * Known: {{ expressions }} with literals, lists, mappings, attributes, subscripts and slices,
 * arithmetic, comparisons, and/or/not, in, is, the inline if, filters, some tests, the methods of
 * texts and mappings that do not change them, and range(); {% if %}, {% for %}, {% set %},
 * {% raw %}; {# comments #}; white-space control by - and +. The new line behind a tag is taken
 * away (trim_blocks), what stands before one stays (no lstrip_blocks), the text's last new line
 * stays, CR LF becomes LF. A first line `## template: jinja` is no part of the text, but counts.
 *
 * Everything else of Jinja (macros, imports, includes, inheritance, other filters, tests and
 * functions) is an error with its line and column, wherever it stands. So is a variable that is
 * missing, unless default() or `is defined` looks at it; these look through a missing parent, too.
 *
 * What differs from Jinja: numbers are of 64 bits and what passes that is an error; tuples are
 * lists, and filters give lists where Jinja gives generators; keys of mappings are texts; letters
 * beyond ASCII have no other case; an attribute finds a mapping's key before its method. Filters
 * that Jinja has not: b64encode, b64decode.
 *
 * Names are found as they stand, or with every operator character (-, ., /, :, …) read as `_`:
 * ds.meta_data.local_hostname is the metadata's local-hostname.
 */
#ifndef BOOTLACE_CONFIG_TEMPLATE_H
#define BOOTLACE_CONFIG_TEMPLATE_H

#include "base/buffer.h"
#include "base/error.h"

#include <jansson.h>

#include <stddef.h>

enum {
    TEMPLATE_SIZE_MAX = 4 << 20,
    TEMPLATE_OUTPUT_MAX = 8 << 20,
    TEMPLATE_NODES_MAX = 400000,   /* what a template is made of: texts, names, operators, … */
    TEMPLATE_DEPTH_MAX = 64,       /* nested expressions, and nested blocks */
    TEMPLATE_STEPS_MAX = 4000000,  /* nodes evaluated, values made, and bytes: see below */
    TEMPLATE_STEP_BYTES = 16,      /* so many bytes of a text that is made are a step */
    TEMPLATE_LOOP_MAX = 100000,    /* turns of all loops together */
    TEMPLATE_LIST_MAX = 100000,    /* items of a list that is made */
    TEMPLATE_TEXT_MAX = 1 << 20,   /* a text that is made */
    TEMPLATE_VALUE_DEPTH_MAX = 100 /* nested lists and mappings */
};

/*
 * Appends the rendered text; variables is an object. 0, or -1 and an error of kind ERROR_INPUT with
 * line and column, and out as it was.
 */
int template_render(const char *text, size_t size, const json_t *variables, struct buffer *out,
                    struct error *error);

/*
 * The variables that a template may ask for, as a list of dotted names in the order of their first
 * appearance, each once: "v1.region", "ds.meta_data.local-ipv4". What the template sets itself is
 * not among them; where a part of the name is only known when it runs, the name ends before that.
 * 0 and a list that the caller releases, or -1 and an error.
 */
int template_names(const char *text, size_t size, json_t **names, struct error *error);

#endif
