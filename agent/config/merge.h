/*
 * Merging cloud-config parts, as cloud-init does it (its documentation, "Merging user-data
 * sections").
 *
 * Rules are text like "dict(recurse_list)+list(append)+str()", or a YAML list of
 * {name: dict, settings: [recurse_list]}. One kind of value is merged by the first rule for its
 * kind; where there is none, what was there first stays.
 *   dict  no_replace (what was there stays) or replace; recurse_list (also recurse_array) and
 *         recurse_str merge values of these kinds; mappings are always merged unless replaced;
 *         allow_delete: null takes a key away
 *   list  replace (item by item, as many as there were; what is no list replaces the whole),
 *         append, prepend, no_replace; recurse_dict, recurse_list, recurse_str merge items
 *   str   replaces, or append
 * The kind that counts is that of the value that was there first.
 *
 * Where cloud-init would take a text apart into characters, or end with an exception and drop the
 * part, there is an error.
 */
#ifndef BOOTLACE_CONFIG_MERGE_H
#define BOOTLACE_CONFIG_MERGE_H

#include "base/error.h"
#include "config/positions.h"
#include "model/problem.h"

#include <jansson.h>

#include <stdbool.h>

enum { MERGE_RULES_TEXT_MAX = 4096, MERGE_SETTINGS_MAX = 32 };

/* A later part over earlier ones, where nothing else is said: top-level keys are replaced. */
#define MERGE_RULES_PARTS "dict(replace)+list()+str()"
/* The image's configuration under the user-data's: only what is not there yet. */
#define MERGE_RULES_IMAGE "dict()+list()+str()"

enum merge_method { MERGE_NO_REPLACE, MERGE_REPLACE, MERGE_APPEND, MERGE_PREPEND };

struct merge_rule {
    bool known; /* there is a rule for this kind */
    enum merge_method method;
    bool recurse_dict, recurse_list, recurse_str, allow_delete;
};

struct merge_rules {
    struct merge_rule dict, list, str;
};

/*
 * Adds the rules of a text; those that are there already count first. An option that no rule has
 * is a warning in problems (may be NULL).
 */
int merge_rules_parse(struct merge_rules *rules, const char *text, struct problems *problems,
                      struct error *error);

/*
 * The rules by which a part asks to be merged: its merge_how or else merge_type, which is taken
 * out of it; then header, the Merge-Type of its MIME part (or NULL); else MERGE_RULES_PARTS.
 * positions (may be NULL) tell the error's place.
 */
int merge_rules_of_part(struct merge_rules *rules, json_t *part, const char *header,
                        struct positions *positions, struct problems *problems,
                        struct error *error);

/*
 * Merges over into base, in place; both are objects, and over is used up: base shares its values
 * then. Positions (may be NULL) go along: a value stands where it was written, what was merged of
 * two where the first was. After an error base is good for nothing.
 */
int merge_into(const struct merge_rules *rules, json_t *base, json_t *over,
               struct positions *positions, struct error *error);

/*
 * What list(prepend) puts before a list's items, and str(append) behind a text, waits apart from
 * them while part after part is merged, so that many parts cost no more than what is in them. All
 * zero: nothing waits. By address:
 */
struct merge_waiting {
    json_t *lists; /* [list, [what is to be put before it, back to front]], or NULL */
    json_t *texts; /* [text, what is to be put behind it, …], or NULL */
};

/* As merge_into(), for one of many parts: base is not whole until merge_settle() was called. */
int merge_over(const struct merge_rules *rules, json_t *base, json_t *over,
               struct merge_waiting *waiting, struct positions *positions, struct error *error);

/* Puts everything that waits where it belongs; whatever became of merging. */
void merge_settle(struct merge_waiting *waiting, struct positions *positions);

#endif
