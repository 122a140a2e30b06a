/*
 * The distribution's own archives: other mirrors for them, suites that are left out, or a whole
 * list instead.
 *
 * They are in /etc/apt/sources.list, or in a file of stanzas that has the distribution's name;
 * whichever is there stays what it is.
 */
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <support/input.h>
#include <support/program.h>
#include <support/tree.h>
#include <sys/socket.h>

#include "rewrite.h"
#include "setup.h"

#define LIST_PATH "/etc/apt/sources.list"
#define KEYS_FOLDER "/etc/apt/trusted.gpg.d"

enum { ASK_LIMIT_S = 30, SUITES_MAX = 100, HOST_MAX = 256 };

struct archive {
    struct setup *setup;
    const char *architecture; /* dpkg's word for it; asked for where it is needed */
    const char *primary, *security;
    const char *disabled[SUITES_MAX + 1];
};

static const char *stanzas_path(const struct setup *setup)
{
    return text_format("/etc/apt/sources.list.d/%s.sources", setup_file_name(setup->distribution));
}

static const char *architecture_of(struct archive *archive)
{
    static const char *const argv[] = {"dpkg", "--print-architecture", NULL};
    struct text text = {0};

    if (archive->architecture)
        return archive->architecture;
    if (program_ask(archive->setup->host, argv, ASK_LIMIT_S, &text) == 0)
        text.bytes[strcspn(text.bytes, "\n")] = '\0';
    archive->architecture = text_string(&text);
    return archive->architecture;
}

static bool list_has(const json_t *list, const char *word)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        const char *text = json_string_value(item);

        if (text && strcmp(text, word) == 0)
            return true;
    }
    return false;
}

/* The mirror that is meant for this architecture, or else for all; NULL: none is. */
static const json_t *choose(struct archive *archive, const json_t *mirrors)
{
    const json_t *mirror, *chosen = NULL;
    size_t i;

    json_array_foreach(mirrors, i, mirror)
    {
        const json_t *architectures = json_object_get(mirror, "arches");

        if (!architectures || list_has(architectures, "default"))
            chosen = chosen ? chosen : mirror;
        else if (list_has(architectures, architecture_of(archive)))
            return mirror;
    }
    return chosen;
}

/* Whether the name of a URI's host can be resolved; a URI without one, such as a file's, is taken
 * as it is. */
static bool is_reachable(const char *uri)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    const char *host = strstr(uri, "://");
    struct addrinfo *found = NULL;
    char name[HOST_MAX];
    size_t size;

    host = host ? host + strlen("://") : "";
    size = strcspn(host, "/:");
    if (!size || size >= sizeof name)
        return true;
    memcpy(name, host, size);
    name[size] = '\0';
    if (getaddrinfo(name, NULL, &hints, &found) != 0)
        return false;
    freeaddrinfo(found);
    return true;
}

static bool is_uri(const char *uri)
{
    return *uri && !uri[strcspn(uri, " \t\r\n")];
}

/* The URI of `primary` or `security`; NULL: it is left as it is. */
static const char *read_mirror(struct archive *archive, const char *key)
{
    struct setup *setup = archive->setup;
    const json_t *mirror = choose(archive, json_object_get(setup->settings, key)), *item;
    const char *uri = setup_text(mirror, "uri"), *path;
    size_t i;

    if (!mirror)
        return NULL;
    if (key_set_up(setup, key, mirror, KEYS_FOLDER, &path) < 0)
        return NULL;
    json_array_foreach(json_object_get(mirror, "search"), i, item)
    {
        const char *one = json_string_value(item);

        if (!uri && one && is_reachable(one))
            uri = one;
    }
    if (uri && is_uri(uri))
        return uri;
    setup_fail(setup, key,
               uri ? "its uri is none" : "it has no uri, and no host of search can be resolved");
    return NULL;
}

/* Words of cloud-init's for suites, and what they stand for. */
static const char *suite_of(const struct setup *setup, const char *word)
{
    static const struct text_word endings[] = {
        {"updates", "-updates"},   {"backports", "-backports"},
        {"security", "-security"}, {"proposed", "-proposed"},
        {"release", ""},           {NULL, NULL}};
    struct text text = {0};

    for (const struct text_word *one = endings; one->name; one++) {
        if (strcmp(one->name, word) == 0)
            return text_format("%s%s", setup->release, one->value);
    }
    setup_expand(setup, word, NULL, &text);
    return text_string(&text);
}

static void read_suites(struct archive *archive)
{
    const json_t *item;
    size_t i, count = 0;

    json_array_foreach(json_object_get(archive->setup->settings, "disable_suites"), i, item)
    {
        if (count < SUITES_MAX && json_is_string(item))
            archive->disabled[count++] = suite_of(archive->setup, json_string_value(item));
    }
}

/* The file of the other form says so where this one has everything. */
static void put_list(struct setup *setup, const char *path, const struct text *text)
{
    const char *stanzas = stanzas_path(setup);
    const char *other = strcmp(path, LIST_PATH) == 0 ? stanzas : LIST_PATH;
    struct text note = {0};

    setup_put(setup, path, text, SETUP_FILE_MODE);
    if (!tree_has(setup->host, other))
        return;
    text_add_format(&note, "# See %s.\n", path);
    setup_put(setup, other, &note, SETUP_FILE_MODE);
}

/* sources_list: the user's own text. */
static void put_own(struct archive *archive, const char *given)
{
    struct setup *setup = archive->setup;
    struct text expanded = {0}, text = {0};
    const struct rewrite rewrite = {.release = setup->release, .disabled = archive->disabled};
    bool stanzas = rewrite_is_stanzas(given);

    setup_expand(setup, given, NULL, &expanded);
    if (stanzas)
        rewrite_stanzas(&rewrite, text_string(&expanded), &text);
    else
        rewrite_list(&rewrite, text_string(&expanded), &text);
    put_list(setup, stanzas ? stanzas_path(setup) : LIST_PATH, &text);
}

/* A list for a machine that has none. */
static void put_new(struct archive *archive)
{
    struct setup *setup = archive->setup;
    const struct rewrite rewrite = {.release = setup->release, .disabled = archive->disabled};
    const char *components =
        strcmp(setup->distribution, "ubuntu") == 0 ? "main restricted universe multiverse" : "main";
    struct text all = {0}, text = {0};

    text_add_format(&all, "deb %s %s %s\n", setup->primary, setup->release, components);
    text_add_format(&all, "deb %s %s-updates %s\n", setup->primary, setup->release, components);
    text_add_format(&all, "deb %s %s-security %s\n", setup->security, setup->release, components);
    rewrite_list(&rewrite, text_string(&all), &text);
    setup_put(setup, LIST_PATH, &text, SETUP_FILE_MODE);
}

/* Rewrites what is there; whether anything of it is the distribution's. */
static bool rewrite_file(struct archive *archive, const char *path)
{
    struct setup *setup = archive->setup;
    const struct rewrite rewrite = {.release = setup->release,
                                    .primary = archive->primary,
                                    .security = archive->security,
                                    .disabled = archive->disabled};
    struct text before = {0}, text = {0};
    size_t found;

    if (tree_read(setup->host, path, &before, NULL) < 0)
        return false;
    found = rewrite_is_stanzas(text_string(&before))
                ? rewrite_stanzas(&rewrite, text_string(&before), &text)
                : rewrite_list(&rewrite, text_string(&before), &text);
    if (found)
        setup_put(setup, path, &text, SETUP_FILE_MODE);
    return found > 0;
}

void archive_set_up(struct setup *setup)
{
    struct archive archive = {.setup = setup};
    const char *own = setup_text(setup->settings, "sources_list");
    bool preserve = false, is_list, is_stanzas;

    input_flag(setup->host, setup->settings, "preserve_sources_list", &preserve);
    archive.primary = read_mirror(&archive, "primary");
    archive.security = read_mirror(&archive, "security");
    if (archive.primary)
        setup->primary = archive.primary;
    if (archive.security)
        setup->security = archive.security;
    read_suites(&archive);
    if (preserve || (!own && !archive.primary && !archive.security && !archive.disabled[0]))
        return;
    if (!*setup->release) {
        setup_fail(setup, LIST_PATH, "os-release has no VERSION_CODENAME");
        return;
    }
    if (own) {
        put_own(&archive, own);
        return;
    }
    is_list = rewrite_file(&archive, LIST_PATH);
    is_stanzas = rewrite_file(&archive, stanzas_path(setup));
    if (!is_list && !is_stanzas)
        put_new(&archive);
}
