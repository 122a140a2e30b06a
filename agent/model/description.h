/*
 * A module's description: what it is called, what it owns, how often and when it runs.
 *
 * It has one form, the JSON object that an executable module prints for `describe`, that the build
 * writes as a manifest beside a shared object, and that this struct mirrors. So every kind of
 * module is the same to the stages. The schema is true in a manifest that has it in a file of its
 * own, until that is read.
 */
#ifndef BOOTLACE_MODEL_DESCRIPTION_H
#define BOOTLACE_MODEL_DESCRIPTION_H

#include "base/error.h"
#include "bootlace/module.h"

#include <jansson.h>

#include <stdbool.h>

enum { DESCRIPTION_MAX = 256 << 10, DESCRIPTION_NAME_MAX = 64 };

struct description {
    char *name;
    char *path;    /* of the shared object or executable */
    char *package; /* to install: the module is described here, but not there; or NULL */
    bool native;
    enum bootlace_frequency frequency;
    enum bootlace_stage stage;
    int order;
    bool repeatable, bakeable, has_prepare, has_stop, has_forget, no_limit, essential, also_early,
        tree_state, by_item;
    bool left_out;       /* found to be no good: it owns nothing, and gets no step any more */
    unsigned time_limit; /* seconds; 0 = the default */
    json_t *object;      /* the whole description: name, version, summary, keys, types, … */
};

/*
 * Checks the object and fills the description in; the object is kept by reference. An error names
 * the member that is wrong.
 */
int description_parse(struct description *description, json_t *object, const char *path,
                      bool native, struct error *error);
void description_clear(struct description *description);

/* The description object of a native module's data, to be written as its manifest. */
json_t *description_of_native(const struct bootlace_module *module);

/* The member package of a manifest: what to install where the shared object beside it is not there.
 */
#define DESCRIPTION_PACKAGE "package"

/* Whether it owns a part type, or a cloud-config key. */
bool description_has_type(const struct description *description, const char *type);
bool description_has_key(const struct description *description, const char *key);

/* The text of member version, summary ("" where absent). */
const char *description_text(const struct description *description, const char *member);

/* "per-instance", "per-boot", "once". */
const char *description_frequency_name(enum bootlace_frequency frequency);

/* "main", "early", "instance". */
const char *description_stage_name(enum bootlace_stage stage);

#endif
