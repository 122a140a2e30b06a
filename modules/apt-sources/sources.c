/*
 * `sources`: package sources of others, each in a file of its own below /etc/apt/sources.list.d, or
 * several in one that they name together.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <support/input.h>
#include <support/program.h>
#include <support/tree.h>

#include "rewrite.h"
#include "setup.h"

#define FOLDER "/etc/apt/sources.list.d"
#define KEYS_FOLDER "/etc/apt/trusted.gpg.d"
#define KEYRINGS_FOLDER "/etc/apt/keyrings"
#define PPA "ppa:"

enum { ADD_LIMIT_S = 300, FILES_MAX = 1000 };

/* A file, and what is to be in it. */
struct file {
    char *path;
    struct text text;
    bool append; /* to what was in it before */
};

struct files {
    struct file items[FILES_MAX];
    size_t count;
};

static struct file *file_of(struct files *files, char *path, bool append)
{
    for (size_t i = 0; i < files->count; i++) {
        if (strcmp(files->items[i].path, path) == 0)
            return &files->items[i];
    }
    if (files->count == FILES_MAX)
        return NULL;
    files->items[files->count] = (struct file){.path = path, .append = append};
    return &files->items[files->count++];
}

/* Where a source goes; NULL: a place outside of apt's own. */
static char *path_of(const char *name, const char *filename, bool stanzas)
{
    const char *ending = stanzas ? ".sources" : ".list";
    const char *given = filename ? filename : name;
    const char *slash = strrchr(given, '/');
    size_t size;
    char *file;

    if (filename && *filename == '/' && strncmp(filename, FOLDER "/", strlen(FOLDER "/")) != 0)
        return NULL;
    if (filename && slash && (size_t)(slash - filename) != (*filename == '/' ? strlen(FOLDER) : 0))
        return NULL;
    file = setup_file_name(filename && slash ? slash + 1 : given);
    size = strlen(file);
    if (size > strlen(ending) && strcmp(file + size - strlen(ending), ending) == 0)
        ending = "";
    else if (size > strlen(".list") && strcmp(file + size - strlen(".list"), ".list") == 0)
        file[size - strlen(".list")] = '\0';
    return text_format(FOLDER "/%s%s", file, ending);
}

/* Whether a file below the folder mentions the archive already. */
static bool has_ppa(const struct setup *setup, const char *ppa)
{
    static const char *const argv[] = {"grep", "-rhs", "^[^#]*ppa\\.launchpad", FOLDER, NULL};
    struct text text = {0};
    const char *name = text_format("/%s/", ppa + strlen(PPA));

    return program_ask(setup->host, argv, ADD_LIMIT_S, &text) == 0 &&
           strstr(text_string(&text), name);
}

static void add_ppa(struct setup *setup, const char *ppa)
{
    const char *const argv[] = {"add-apt-repository", "--yes", "--no-update", ppa, NULL};
    const char *why = NULL;
    int result = has_ppa(setup, ppa) ? 0 : 1;

    if (result)
        result = program_change(setup->host, argv, NULL, ADD_LIMIT_S, &why);
    else {
        outcome_item(&setup->outcome, setup->host, ppa, 0, -1, NULL);
        return;
    }
    if (result == -ENOENT)
        why = "add-apt-repository is not there: its package is software-properties-common";
    outcome_item(&setup->outcome, setup->host, ppa, result < 0 ? result : 1, -1, why);
}

static void add_text(const struct setup *setup, struct file *file, const char *source,
                     const char *key_file)
{
    if (file->text.size && rewrite_is_stanzas(source))
        text_add_string(&file->text, "\n");
    setup_expand(setup, source, key_file, &file->text);
    if (file->text.bytes[file->text.size - 1] != '\n')
        text_add_string(&file->text, "\n");
}

static bool is_source(const char *source)
{
    return strncmp(source, "deb ", 4) == 0 || strncmp(source, "deb-src ", 8) == 0 ||
           strncmp(source, "deb\t", 4) == 0 || *source == '#' || rewrite_is_stanzas(source);
}

static void set_up_one(struct setup *setup, struct files *files, const char *name,
                       const json_t *object)
{
    const char *source = setup_text(object, "source");
    bool has_key_file = source && strstr(source, "$KEY_FILE"), append = true;
    const char *key_file = NULL;
    struct file *file;
    char *path;

    if (key_set_up(setup, name, object, has_key_file ? KEYRINGS_FOLDER : KEYS_FOLDER, &key_file) <
        0)
        return;
    if (!source)
        return;
    source += strspn(source, " \t\r\n");
    if (strncmp(source, PPA, strlen(PPA)) == 0) {
        add_ppa(setup, source);
        return;
    }
    path = path_of(name, setup_text(object, "filename"), rewrite_is_stanzas(source));
    input_flag(setup->host, object, "append", &append);
    file = path ? file_of(files, path, append) : NULL;
    if (has_key_file && !key_file)
        setup_fail(setup, name, "source has $KEY_FILE, and there is neither key nor keyid");
    else if (!path)
        setup_fail(setup, name, "filename is no name of a file below " FOLDER);
    else if (!file)
        setup_fail(setup, name, "there are too many files");
    else if (!is_source(source))
        setup_fail(setup, name, "source is no line of sources.list, no deb822 stanza and no ppa:");
    else
        add_text(setup, file, source, key_file);
}

/* What was in the file already and is not in the new text stays in it. */
static void keep_others(const struct setup *setup, struct file *file)
{
    struct text before = {0}, all = {0};

    if (!file->append || tree_read(setup->host, file->path, &before, NULL) < 0 || !before.size)
        return;
    if (strstr(before.bytes, file->text.bytes)) {
        file->text = before;
        return;
    }
    text_add(&all, before.bytes, before.size);
    if (all.bytes[all.size - 1] != '\n')
        text_add_string(&all, "\n");
    if (rewrite_is_stanzas(file->text.bytes))
        text_add_string(&all, "\n");
    text_add(&all, file->text.bytes, file->text.size);
    file->text = all;
}

/* What is in it may be a user and a password of a server. */
static mode_t mode_of(const struct text *text)
{
    const char *user = strstr(text_string(text), "://");

    for (; user; user = strstr(user + 3, "://")) {
        size_t size = strcspn(user + 3, "/@ \t\n");

        if (user[3 + size] == '@')
            return SETUP_SECRET_MODE;
    }
    return SETUP_FILE_MODE;
}

void sources_set_up(struct setup *setup)
{
    struct files *files = text_need(calloc(1, sizeof *files));
    const char *name;
    const json_t *object;

    json_object_foreach((json_t *)json_object_get(setup->settings, "sources"), name, object)
    {
        set_up_one(setup, files, name, object);
    }
    for (size_t i = 0; i < files->count; i++) {
        struct file *file = &files->items[i];

        if (!file->text.size)
            continue;
        keep_others(setup, file);
        setup_put(setup, file->path, &file->text, mode_of(&file->text));
    }
}
