/* /etc/hosts; see hosts.h and hosts(5). */
#include "hosts.h"

#include <errno.h>
#include <string.h>
#include <support/text.h>
#include <support/tree.h>

#define HOSTS_PATH "/etc/hosts"
#define TEMPLATE_PATH "/etc/bootlace/templates/hosts"

enum { FILE_MODE = 0644, MODE_BITS = 07777 };

static const char debian_template[] =
    "# Written at each boot: manage_etc_hosts is true. Changes belong in\n"
    "# " TEMPLATE_PATH ", in which the names are replaced.\n"
    "127.0.1.1 {{fqdn}} {{hostname}}\n"
    "127.0.0.1 localhost\n"
    "\n"
    "::1 localhost ip6-localhost ip6-loopback\n"
    "ff02::1 ip6-allnodes\n"
    "ff02::2 ip6-allrouters\n";

static const char other_template[] =
    "# Written at each boot: manage_etc_hosts is true. Changes belong in\n"
    "# " TEMPLATE_PATH ", in which the names are replaced.\n"
    "127.0.0.1 {{fqdn}} {{hostname}}\n"
    "127.0.0.1 localhost.localdomain localhost\n"
    "127.0.0.1 localhost4.localdomain4 localhost4\n"
    "\n"
    "::1 {{fqdn}} {{hostname}}\n"
    "::1 localhost.localdomain localhost\n"
    "::1 localhost6.localdomain6 localhost6\n";

int hosts_write(const struct bootlace_host *host, const struct names *names)
{
    const struct text_word words[] = {
        {"hostname", names->hostname}, {"fqdn", names->fqdn}, {NULL, NULL}};
    struct text given = {0}, text = {0};
    int result = tree_read(host, TEMPLATE_PATH, &given, NULL);

    if (result < 0 && result != -ENOENT)
        return result;
    if (result < 0)
        text_add_string(&given, tree_is_like(host, "debian") ? debian_template : other_template);
    text_add_replaced(&text, text_string(&given), words);
    return tree_put(host, HOSTS_PATH, &text, FILE_MODE);
}

/* The next word of a line of hosts(5), whose end is a comment or the line's. */
static size_t next_word(const char **at)
{
    *at += strspn(*at, " \t\r");
    return strcspn(*at, " \t\r\n#");
}

static bool word_is(const char *at, size_t size, const char *word)
{
    return strlen(word) == size && strncmp(at, word, size) == 0;
}

/* Whether the line gives the address the one name first, and the other one as an alias. */
static bool line_has(const char *line, const char *address, const struct names *names)
{
    size_t size = next_word(&line);

    if (!word_is(line, size, address))
        return false;
    line += size;
    size = next_word(&line);
    if (!word_is(line, size, names->fqdn))
        return false;
    if (strcmp(names->fqdn, names->hostname) == 0)
        return true;
    while (size) {
        line += size;
        size = next_word(&line);
        if (word_is(line, size, names->hostname))
            return true;
    }
    return false;
}

int hosts_add(const struct bootlace_host *host, const struct names *names)
{
    const char *address = tree_is_like(host, "debian") ? "127.0.1.1" : "127.0.0.1";
    struct text text = {0};
    struct stat info = {.st_mode = FILE_MODE};
    struct bootlace_file how = {.size = sizeof how};
    int result = tree_read(host, HOSTS_PATH, &text, &info);

    if (result < 0 && result != -ENOENT)
        return result;
    for (const char *line = text_string(&text); *line;) {
        if (line_has(line, address, names))
            return 0;
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    if (text.size && text.bytes[text.size - 1] != '\n')
        text_add_string(&text, "\n");
    text_add_format(&text, "%s %s", address, names->fqdn);
    if (strcmp(names->fqdn, names->hostname) != 0)
        text_add_format(&text, " %s", names->hostname);
    text_add_string(&text, "\n");
    how.mode = info.st_mode & MODE_BITS;
    how.owner = info.st_uid;
    how.group = info.st_gid;
    return host->put_file(host, HOSTS_PATH, text.bytes, text.size, &how);
}
