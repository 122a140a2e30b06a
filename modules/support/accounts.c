/* Users and groups; see accounts.h. */
#include <support/accounts.h>

#include <support/tree.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The largest number stands for "leave it" in chown(2), so it is nobody's. */
static int parse_number(const char *text, uint32_t *number)
{
    unsigned long long value;
    char *end;

    if (!*text || strspn(text, "0123456789") != strlen(text))
        return 0;
    errno = 0;
    value = strtoull(text, &end, 10);
    if (errno || value >= UINT32_MAX)
        return -ERANGE;
    *number = (uint32_t)value;
    return 1;
}

/* The third field of the line that begins with the name: passwd(5), group(5). */
static int find_in_file(const struct bootlace_host *host, const char *path, const char *name,
                        uint32_t *number)
{
    struct text text = {0};
    size_t length = strlen(name);
    int result = tree_read(host, path, &text, NULL);

    if (result == -ENOENT)
        result = 0;
    for (char *line = text.bytes; result == 0 && line && *line;) {
        char *end = line + strcspn(line, "\n"), *field = line + length + 1;
        int last = !*end;

        *end = '\0';
        if (strncmp(line, name, length) == 0 && line[length] == ':') {
            field += strcspn(field, ":");
            field += *field == ':';
            field[strcspn(field, ":")] = '\0';
            result = parse_number(field, number) > 0 ? 1 : -EINVAL;
        }
        line = last ? end : end + 1;
    }
    free(text.bytes);
    return result;
}

int accounts_user(const struct bootlace_host *host, const char *name, uid_t *id)
{
    int result = parse_number(name, id);
    const struct passwd *entry;

    if (result)
        return result;
    if (!tree_is_running(host))
        return find_in_file(host, "/etc/passwd", name, id);
    entry = getpwnam(name);
    if (entry)
        *id = entry->pw_uid;
    return entry != NULL;
}

int accounts_group(const struct bootlace_host *host, const char *name, gid_t *id)
{
    int result = parse_number(name, id);
    const struct group *entry;

    if (result)
        return result;
    if (!tree_is_running(host))
        return find_in_file(host, "/etc/group", name, id);
    entry = getgrnam(name);
    if (entry)
        *id = entry->gr_gid;
    return entry != NULL;
}
