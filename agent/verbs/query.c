/*
 * bootlace query: items of the instance's metadata.
 *
 * What the run of this boot has learned is answered from its file, without libcurl; anything else
 * is asked of the source. `query user-data` prints the bytes as they were given.
 */
#include "base/banned.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "config/settings.h"
#include "model/metadata.h"
#include "source/source.h"
#include "verbs/metadata_cache.h"
#include "verbs/show.h"
#include "verbs/verbs.h"

#include <fcntl.h>

enum { TREE_ITEMS_MAX = 4096, TREE_DEPTH_MAX = 12, PATH_LENGTH_MAX = 512 };

struct query {
    const struct options *options;
    json_t *cache; /* or NULL */
    struct settings settings;
    json_t *image;
    struct source source;
    size_t items;
};

static const char user_data_path[] = "user-data";

/* Opens the source when the first question needs it. */
static int open_source(struct query *query, struct error *error)
{
    char id[SOURCE_ID_MAX + 1];

    if (query->source.type)
        return 0;
    if (settings_read(&query->settings, &query->image, NULL, error) < 0 ||
        source_open(&query->source, &query->settings, query->options->source, error) < 0)
        return -1;
    /* The wait for a source that is only coming up is the identification's. */
    return source_identify(&query->source, id, error);
}

/* 1 and the value, 0 no such item, -1. */
static int ask(struct query *query, const char *path, struct buffer *out, struct error *error)
{
    const json_t *known = json_object_get(query->cache, path);

    if (json_is_string(known) && !query->options->source) {
        buffer_append(out, json_string_value(known), json_string_length(known));
        return 1;
    }
    if (known && !query->options->source)
        return 0;
    if (open_source(query, error) < 0)
        return -1;
    if (strcmp(path, user_data_path) == 0)
        return source_user_data(&query->source, out, error);
    return source_item(&query->source, path, out, error);
}

/*
 * The entries of a listing: LF-separated, a trailing / marks a folder; "0=my-key" stands for the
 * folder 0/ (Instance Metadata Service, "public-keys/").
 */
static int read_tree(struct query *query, const char *folder, json_t *tree, unsigned depth,
                     struct error *error);

static int read_entry(struct query *query, const char *folder, const char *entry, json_t *tree,
                      unsigned depth, struct error *error)
{
    AUTO_BUFFER struct buffer value = BUFFER_INIT(SOURCE_ITEM_MAX);
    size_t name = strcspn(entry, "=/");
    bool inner = entry[name] != '\0';
    AUTO_FREE char *label = memory_copy_bytes(entry, name);
    AUTO_FREE char *path = memory_format("%s%s%s", folder, label, inner ? "/" : "");
    json_t *below;
    int got;

    if (!metadata_is_public(path))
        return 0;
    if (++query->items > TREE_ITEMS_MAX || depth > TREE_DEPTH_MAX || strlen(path) > PATH_LENGTH_MAX)
        return error_set(error, ERROR_SOURCE, "the tree of metadata is larger than it can be");
    if (inner) {
        below = memory_need(json_object());
        json_put(tree, label, below);
        return read_tree(query, path, below, depth + 1, error);
    }
    got = ask(query, path, &value, error);
    if (got > 0)
        json_put(tree, label, json_lossy_string(buffer_text(&value), value.size));
    return got < 0 ? -1 : 0;
}

static int read_tree(struct query *query, const char *folder, json_t *tree, unsigned depth,
                     struct error *error)
{
    AUTO_BUFFER struct buffer list = BUFFER_INIT(SOURCE_ITEM_MAX);
    int got = ask(query, folder, &list, error);
    char *next;

    if (got <= 0)
        return got;
    for (char *line = list.bytes; line && *line; line = next) {
        size_t length = strcspn(line, "\n");

        next = line[length] ? line + length + 1 : line + length;
        line[length] = '\0';
        if (*line && read_entry(query, folder, line, tree, depth, error) < 0)
            return -1;
    }
    return 0;
}

static void print_tree(const json_t *tree, unsigned depth)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)tree, name, value)
    {
        printf("%*s%s%s", (int)depth * 2, "", name, json_is_object(value) ? "/\n" : ": ");
        if (json_is_object(value))
            print_tree(value, depth + 1);
        else
            puts(json_string_value(value));
    }
}

static int query_all(struct query *query, struct error *error)
{
    AUTO_JSON json_t *tree = memory_need(json_object());

    if (read_tree(query, "", tree, 0, error) < 0)
        return -1;
    if (query->options->json)
        show_json(tree);
    else
        print_tree(tree, 0);
    return json_object_size(tree) ? 0 : ERROR_STEP;
}

static void print_value(const struct query *query, const char *path, const struct buffer *value,
                        json_t *values)
{
    if (query->options->json) {
        json_put(values, path, json_lossy_string(buffer_text(value), value->size));
        return;
    }
    fwrite(buffer_text(value), 1, value->size, stdout);
    /* User-data is bytes; everything else is a line. */
    if (strcmp(path, user_data_path) != 0 &&
        (!value->size || value->bytes[value->size - 1] != '\n'))
        puts("");
}

static int query_paths(struct query *query, struct error *error)
{
    AUTO_JSON json_t *values = memory_need(json_object());
    int result = 0;

    for (size_t i = 0; i < query->options->operand_count; i++) {
        const char *path = query->options->operands[i];
        AUTO_BUFFER struct buffer value = BUFFER_INIT(SOURCE_USER_DATA_MAX);
        int got;

        path += strspn(path, "/");
        got = ask(query, path, &value, error);
        if (got < 0)
            return -1;
        if (got == 0)
            result = ERROR_STEP;
        else
            print_value(query, path, &value, values);
    }
    if (query->options->json)
        show_json(values);
    return result;
}

int verb_query(const struct options *options)
{
    struct query query = {.options = options, .cache = metadata_cache_read()};
    struct error error = ERROR_INIT;
    int result;

    if (!options->all && !options->operand_count) {
        error_set(&error, ERROR_USAGE, "an item's path is missing");
        result = error_hint(&error, "for example: bootlace query hostname; --all prints the tree");
    } else {
        result = options->all ? query_all(&query, &error) : query_paths(&query, &error);
    }
    if (result < 0) {
        log_error_object(&error);
        result = error_exit_code(&error);
    }
    source_close(&query.source);
    json_decref(query.cache);
    json_decref(query.image);
    settings_clear(&query.settings);
    return result;
}
