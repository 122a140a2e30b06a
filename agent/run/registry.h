/*
 * The registry: every module in lib/bootlace/modules, by its description.
 *
 * A shared object's description is the manifest NAME.json beside it, which the build writes; so
 * listing and planning open no module. One without a manifest, and every executable, is asked
 * once, in a process of its own with a time limit, and remembered by inode, size and time. A module
 * that cannot be described is listed with its error, which is remembered, too, and never keeps the
 * others from working.
 *
 * A manifest says of its schema that it is in NAME.schema.json beside it, for most runs need few of
 * them, or none.
 *
 * A manifest without its shared object that names a package tells of a module that is in that
 * package: so who wants it can be told what to install, and its settings are checked all the same.
 */
#ifndef BOOTLACE_RUN_REGISTRY_H
#define BOOTLACE_RUN_REGISTRY_H

#include "base/error.h"
#include "model/description.h"
#include "model/problem.h"

#include <stddef.h>

enum { REGISTRY_MODULES_MAX = 500, REGISTRY_CACHE_MAX = 4 << 20, DESCRIBE_LIMIT_MS = 5000 };

struct registry {
    struct description *modules; /* sorted by name */
    size_t count;
    struct problems problems; /* a warning for each module that is left out */
};

#define AUTO_REGISTRY __attribute__((cleanup(registry_clear)))

/*
 * Scans folder (NULL: below paths_library()). cache names the file where answers are remembered,
 * or is NULL; keep says whether it may be written, and that it cannot be is no error.
 */
int registry_scan(struct registry *registry, const char *folder, const char *cache, bool keep,
                  struct error *error);
void registry_clear(struct registry *registry);
const struct description *registry_find(const struct registry *registry, const char *name);

/*
 * Reads the schema of a module into its description, where it is in a file of its own and was not
 * read yet. An error says what is wrong with the file.
 */
int registry_read_schema(struct registry *registry, size_t index, struct error *error);

/* Leaves a module out that is there already, and adds why to the problems. It stays where it is:
 * steps that were planned before refer to it. */
void registry_leave_out(struct registry *registry, size_t index, struct error *error);

/* Asks one file, shared object or executable, for its description; NULL and an error. */
json_t *registry_ask(const char *path, struct error *error);

#endif
