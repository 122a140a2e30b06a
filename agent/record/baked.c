/* What was baked into this file system; see baked.h. */
#include "record/baked.h"

#include "base/banned.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/paths.h"

#include <errno.h>
#include <fcntl.h>

enum { FOLDER_MODE = 0700, FILE_MODE = 0600 };

static char *path_of(const char *name)
{
    return memory_format("%s/baked/%s", paths_get(PATHS_STATE), name);
}

static json_t *member_object(json_t *object, const char *name)
{
    json_t *member = json_object_get(object, name);

    if (member)
        return member;
    member = memory_need(json_object());
    json_put(object, name, member);
    return member;
}

/* What a line says of a key: digests of items, or of the whole. */
static void take_key(json_t *facts, const char *key, const json_t *value)
{
    json_t *fact = member_object(facts, key), *items;
    const json_t *item;
    size_t i;

    if (json_is_string(value)) {
        /* What it is now is what it was made last. */
        json_put_text(fact, "whole", json_string_value(value));
        return;
    }
    items = member_object(fact, "items");
    json_array_foreach(value, i, item)
    {
        if (json_is_string(item))
            json_put_flag(items, json_string_value(item), true);
    }
}

static void take_line(json_t *facts, const char *line, size_t size)
{
    struct error ignored = ERROR_INIT;
    AUTO_JSON json_t *entry = json_parse(line, size, NULL, &ignored);
    const char *module = json_text_of(entry, "module", NULL), *key;
    json_t *value;

    if (!module)
        return;
    json_object_foreach(json_object_get(entry, "keys"), key, value)
        take_key(member_object(facts, module), key, value);
}

static int read_steps(struct baked *baked, struct error *error)
{
    AUTO_FREE char *path = path_of("steps");
    AUTO_BUFFER struct buffer text = BUFFER_INIT(BAKED_FILE_MAX);
    const char *line, *stop, *end;
    int got = file_read(AT_FDCWD, path, &text, error);

    if (got <= 0)
        return got;
    baked->facts = memory_need(json_object());
    line = buffer_text(&text);
    stop = line + text.size;
    for (; (end = memchr(line, '\n', (size_t)(stop - line))); line = end + 1)
        take_line(baked->facts, line, (size_t)(end - line));
    return 0;
}

int baked_read(struct baked *baked, struct error *error)
{
    AUTO_FREE char *layers = path_of("layers.json");
    AUTO_FREE char *config = path_of("config.json");

    *baked = (struct baked){0};
    if (json_read_file(AT_FDCWD, layers, BAKED_FILE_MAX, &baked->layers, error) < 0 ||
        json_read_file(AT_FDCWD, config, BAKED_FILE_MAX, &baked->config, error) < 0 ||
        read_steps(baked, error) < 0)
        return -1;
    return 0;
}

void baked_clear(struct baked *baked)
{
    if (!baked)
        return;
    json_decref(baked->layers);
    json_decref(baked->config);
    json_decref(baked->facts);
    *baked = (struct baked){0};
}

const char *baked_layer_name(const struct baked *baked, size_t index)
{
    return json_text_of(json_array_get(baked->layers, index), "name", "");
}

/* The digest is in a file's name: so it is one. */
static char *layer_path(const json_t *layer, struct error *error)
{
    const char *digest = json_text_of(layer, "digest", "");
    AUTO_FREE char *name = memory_format("layer-%.40s", digest);

    if (file_name_is_plain(digest, DIGEST_TEXT_MAX))
        return path_of(name);
    error_set(error, ERROR_INTERNAL, "the record of what was baked names no file");
    return NULL;
}

int baked_layer(const struct baked *baked, size_t index, struct buffer *out, struct error *error)
{
    AUTO_FREE char *path = layer_path(json_array_get(baked->layers, index), error);
    int got = path ? file_read(AT_FDCWD, path, out, error) : -1;

    if (got == 0)
        return error_set(error, ERROR_INTERNAL, "what was baked is not there: %s", path);
    return got < 0 ? -1 : 0;
}

static int save_json(const char *name, const json_t *value, struct error *error)
{
    AUTO_FREE char *path = path_of(name);
    AUTO_FREE char *text = json_indented(value);
    AUTO_FREE char *line = memory_format("%s\n", text);

    return file_write(AT_FDCWD, path, line, strlen(line), FILE_MODE, error);
}

static size_t find_layer(const struct baked *baked, const char *name)
{
    size_t i = 0;

    while (i < json_array_size(baked->layers) && strcmp(baked_layer_name(baked, i), name) != 0)
        i++;
    return i;
}

/* Whether a layer's file is another's as well. */
static bool is_used(const struct baked *baked, const char *digest)
{
    const json_t *layer;
    size_t i;

    json_array_foreach(baked->layers, i, layer)
    {
        if (strcmp(json_text_of(layer, "digest", ""), digest) == 0)
            return true;
    }
    return false;
}

static int remove_old(const struct baked *baked, const json_t *layer, struct error *error)
{
    AUTO_FREE char *path = NULL;

    if (!layer || is_used(baked, json_text_of(layer, "digest", "")))
        return 0;
    path = layer_path(layer, error);
    return path ? file_remove(AT_FDCWD, path, error) : -1;
}

int baked_save(struct baked *baked, const char *name, const struct buffer *user_data,
               const json_t *config, struct error *error)
{
    AUTO_FREE char *folder = path_of("");
    AUTO_FREE char *path = NULL;
    AUTO_JSON json_t *old = NULL;
    json_t *layer = memory_need(json_object());
    char digest[DIGEST_TEXT_MAX], stamp[CLOCK_TEXT_MAX];
    struct digest sum;
    size_t index;

    if (!baked->layers)
        baked->layers = memory_need(json_array());
    digest_init(&sum);
    digest_add(&sum, buffer_text(user_data), user_data->size);
    json_put_text(layer, "name", name);
    json_put_text(layer, "digest", digest_text(&sum, digest));
    json_put_text(layer, "time", clock_text(stamp));
    index = find_layer(baked, name);
    old = json_incref(json_array_get(baked->layers, index));
    json_array_remove(baked->layers, index);
    json_add(baked->layers, layer);
    if (json_array_size(baked->layers) > BAKED_LAYERS_MAX)
        return error_set(error, ERROR_USAGE, "more than %d were baked", BAKED_LAYERS_MAX);
    path = layer_path(layer, error);
    if (!path || file_make_folders(AT_FDCWD, folder, FOLDER_MODE, error) < 0 ||
        file_write(AT_FDCWD, path, buffer_text(user_data), user_data->size, FILE_MODE, error) < 0 ||
        save_json("config.json", config, error) < 0 ||
        save_json("layers.json", baked->layers, error) < 0)
        return -1;
    return remove_old(baked, old, error);
}

static json_t *digests_of(const json_t *value)
{
    char text[DIGEST_TEXT_MAX];
    const json_t *item;
    json_t *list;
    size_t i;

    if (!json_is_array(value))
        return memory_need(json_string(json_digest(value, text)));
    list = memory_need(json_array());
    json_array_foreach(value, i, item)
    {
        json_add(list, json_string(json_digest(item, text)));
    }
    return list;
}

int baked_add_step(const struct step *step, struct error *error)
{
    AUTO_FREE char *folder = path_of("");
    AUTO_FREE char *path = path_of("steps");
    AUTO_FREE char *text = NULL, *line = NULL;
    AUTO_JSON json_t *entry = memory_need(json_object());
    json_t *keys = memory_need(json_object()), *value;
    char stamp[CLOCK_TEXT_MAX];
    AUTO_CLOSE int fd = -1;
    const char *key;

    json_put_text(entry, "module", step->module->name);
    json_put_text(entry, "step", step->name);
    json_put_text(entry, "time", clock_text(stamp));
    json_put(entry, "keys", keys);
    json_object_foreach(step->settings, key, value) json_put(keys, key, digests_of(value));
    text = json_one_line(entry);
    line = memory_format("%s\n", text);
    if (file_make_folders(AT_FDCWD, folder, FOLDER_MODE, error) < 0)
        return -1;
    fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (fd < 0 || file_write_all(fd, line, strlen(line)) < 0 || fdatasync(fd) < 0)
        return error_errno(error, ERROR_INTERNAL, errno, "cannot write %s", path);
    return 0;
}
