/* Rules of sudo for users; see sudo.h. */
#include "sudo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <support/program.h>
#include <support/tree.h>

enum { FILE_MODE = 0440 };

static const char path[] = "/etc/sudoers.d/90-bootlace-users", heading[] = "# Rules for ";

static void add_rule(struct text *out, const char *user, const char *rule)
{
    text_add_format(out, "%s %s\n", user, rule);
}

void sudo_merge(const char *file, const char *user, const json_t *rules, struct text *out)
{
    char *own = text_format("%s%s", heading, user);
    const json_t *rule;
    bool skip = false;
    size_t i;

    while (*file) {
        size_t size = strcspn(file, "\n");

        if (strncmp(file, heading, strlen(heading)) == 0)
            skip = size == strlen(own) && strncmp(file, own, size) == 0;
        if (!skip)
            text_add_format(out, "%.*s\n", (int)size, file);
        file += size + (file[size] == '\n');
    }
    if (json_is_string(rules) || json_array_size(rules))
        text_add_format(out, "%s\n", own);
    if (json_is_string(rules))
        add_rule(out, user, json_string_value(rules));
    json_array_foreach(rules, i, rule)
    {
        if (json_is_string(rule))
            add_rule(out, user, json_string_value(rule));
    }
    free(own);
}

static bool has_line_end(const json_t *rules)
{
    const json_t *rule;
    size_t i;

    json_array_foreach(rules, i, rule)
    {
        if (has_line_end(rule))
            return true;
    }
    return json_is_string(rules) && strpbrk(json_string_value(rules), "\r\n");
}

/* A wrong file would end all of sudo. */
static int check(const struct bootlace_host *host, const struct text *file, const char *user,
                 const char **why)
{
    const char *const argv[] = {"visudo", "--check", "--quiet", "--file=-", NULL};
    int result = host->dry_run ? 0 : program_change(host, argv, file, PROGRAM_LIMIT_S, why);

    if (result == -ENOENT)
        return 0; /* sudo is not installed, or not yet */
    if (result < 0) {
        *why = text_format("the sudo rule of %s is none that visudo takes", user);
        return -EINVAL;
    }
    return 0;
}

int sudo_take(const struct bootlace_host *host, const char *user, const json_t *rules,
              const char **why)
{
    struct text file = {0}, merged = {0};
    int result = tree_read(host, path, &file, NULL);

    if (has_line_end(rules)) {
        *why = text_format("the sudo rule of %s has several lines; give it as a list", user);
        return -EINVAL;
    }
    if (result < 0 && result != -ENOENT) {
        *why = text_format("%s cannot be read: %s", path, strerror(-result));
        return result;
    }
    sudo_merge(text_string(&file), user, rules, &merged);
    if (strcmp(text_string(&file), text_string(&merged)) == 0)
        return 0;
    result = check(host, &merged, user, why);
    if (result < 0)
        return result;
    result = tree_put(host, path, &merged, FILE_MODE);
    if (result < 0)
        *why = text_format("%s cannot be written: %s", path, strerror(-result));
    return result;
}
