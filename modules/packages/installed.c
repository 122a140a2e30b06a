/* What is installed; see installed.h. */
#include "installed.h"

#include <stdlib.h>
#include <string.h>
#include <support/text.h>

enum { GROWTH = 1024 };

void installed_add(struct installed *installed, const struct installed_entry *entry)
{
    if (installed->count % GROWTH == 0)
        installed->entries = text_need(
            realloc(installed->entries, (installed->count + GROWTH) * sizeof *installed->entries));
    installed->entries[installed->count++] = *entry;
}

static int compare_places(const struct installed_entry *left, const struct installed_entry *right)
{
    int order = strcmp(left->name, right->name);

    return order ? order : strcmp(left->architecture, right->architecture);
}

static int compare_entries(const void *left, const void *right)
{
    const struct installed_entry *a = left, *b = right;
    int order = compare_places(a, b);

    return order ? order : strverscmp(a->version, b->version);
}

void installed_sort(struct installed *installed)
{
    if (installed->count)
        qsort(installed->entries, installed->count, sizeof *installed->entries, compare_entries);
}

const struct installed_entry *installed_find(const struct installed *installed, const char *name,
                                             const char *architecture)
{
    const struct installed_entry *found = NULL;

    for (size_t i = 0; i < installed->count; i++) {
        const struct installed_entry *entry = &installed->entries[i];

        if (strcmp(entry->name, name) == 0 &&
            (!architecture || strcmp(entry->architecture, architecture) == 0))
            found = entry;
    }
    return found;
}

/* Whether a list "name, name (= version)" has the name. */
static bool list_has(const char *list, const char *name)
{
    size_t size = strlen(name);

    for (const char *at = list; *at;) {
        at += strspn(at, ", ");
        if (strncmp(at, name, size) == 0 && strchr(", (", at[size]))
            return true;
        at += strcspn(at, ",");
    }
    return false;
}

const struct installed_entry *installed_provider(const struct installed *installed,
                                                 const char *name)
{
    for (size_t i = 0; i < installed->count; i++) {
        const struct installed_entry *entry = &installed->entries[i];

        if (entry->provides && list_has(entry->provides, name))
            return entry;
    }
    return NULL;
}

struct installed_change installed_compare(const struct installed *before,
                                          const struct installed *after)
{
    struct installed_change change = {0};
    size_t i = 0, j = 0;

    while (i < before->count || j < after->count) {
        int order = i == before->count  ? 1
                    : j == after->count ? -1
                                        : compare_places(&before->entries[i], &after->entries[j]);

        change.removed += order < 0;
        change.added += order > 0;
        change.changed +=
            order == 0 && strcmp(before->entries[i].version, after->entries[j].version) != 0;
        i += order <= 0;
        j += order >= 0;
    }
    return change;
}

char *installed_field(char **at)
{
    char *field = *at, *end;

    if (!field)
        return NULL;
    end = field + strcspn(field, "\t");
    *at = *end ? end + 1 : NULL;
    *end = '\0';
    return field;
}
