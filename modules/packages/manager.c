/* What the package managers have in common; see manager.h. */
#include "manager.h"

#include <string.h>
#include <support/program.h>

bool manager_is(const struct manager *manager, const char *name)
{
    static const char *const relatives[] = {"dnf", "yum", "microdnf"};
    bool is_relative = false, name_is = false;

    for (size_t i = 0; i < sizeof relatives / sizeof *relatives; i++) {
        is_relative |= strcmp(manager->name, relatives[i]) == 0;
        name_is |= strcmp(name, relatives[i]) == 0;
    }
    return strcmp(manager->name, name) == 0 || (is_relative && name_is);
}

int manager_ask(const struct work *work, const char *const *argv, struct text *out)
{
    return work->outside ? program_ask_outside(work->host, argv, MANAGER_ASK_LIMIT_S, out)
                         : program_ask(work->host, argv, MANAGER_ASK_LIMIT_S, out);
}

const char *manager_spec_by_equals(const struct package *package)
{
    return package->version ? text_format("%s=%s", package->name, package->version) : package->name;
}

static void each_line(char *text, manager_line *take, struct installed *installed)
{
    while (text && *text) {
        char *end = text + strcspn(text, "\n"), *next = *end ? end + 1 : NULL;

        *end = '\0';
        if (*text)
            take(installed, text);
        text = next;
    }
}

int manager_list(const struct work *work, const char *const *argv, manager_line *take,
                 struct installed *installed)
{
    struct text text = {0};
    int result = manager_ask(work, argv, &text);

    if (result < 0)
        return result;
    each_line(text.bytes, take, installed);
    installed_sort(installed);
    return result;
}
