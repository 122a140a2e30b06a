/* What is installed: the manager's own list of it, in one shape for all. */
#ifndef BOOTLACE_PACKAGES_INSTALLED_H
#define BOOTLACE_PACKAGES_INSTALLED_H

#include <stdbool.h>
#include <stddef.h>

struct installed_entry {
    const char *name, *architecture, *version;
    const char *provides; /* "name, name (= version)", or NULL */
};

struct installed {
    struct installed_entry *entries; /* in the order of names, architectures and versions */
    size_t count;
};

/* How two lists differ. */
struct installed_change {
    unsigned added, changed, removed;
};

void installed_add(struct installed *installed, const struct installed_entry *entry);

/* Puts it in order, once all were added. */
void installed_sort(struct installed *installed);

/* The entry of that name, of any architecture where that is NULL; or NULL. The last of several,
 * which is the newest of what may be there more than once. */
const struct installed_entry *installed_find(const struct installed *installed, const char *name,
                                             const char *architecture);

/* The first entry that provides the name, or NULL. */
const struct installed_entry *installed_provider(const struct installed *installed,
                                                 const char *name);

struct installed_change installed_compare(const struct installed *before,
                                          const struct installed *after);

/* The next field of a line, up to a tab; NULL after the last one. *at moves on. */
char *installed_field(char **at);

#endif
