/*
 * The seed source: a folder with `user-data` and `meta-data`, baked into an image or put there by
 * whoever makes the machine (cloud-init's NoCloud layout, whose own folder is accepted, too).
 *
 * What stands in the folder decides what root runs: its files must be regular ones, owned by root
 * or by who runs this, that nobody else can write.
 */
#include "source/source.h"

#include "base/banned.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"
#include "source/input.h"
#include "source/seed_yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

enum { META_DATA_MAX = 256 << 10, FOLDERS = 2 };

static const char user_data_name[] = "user-data";
static const char meta_data_name[] = "meta-data";

struct seed {
    char folder[PATH_MAX];
    bool has_user_data;
    struct buffer user_data;
    struct seed_items items;
};

/* The folders, the one of the settings first. */
static const char *folder_at(const struct settings *settings, int index)
{
    if (index == 0)
        return *settings->seed ? settings->seed : paths_get(PATHS_SEED);
    return paths_get(PATHS_NOCLOUD);
}

static bool has_file(const char *folder, const char *name)
{
    char path[PATH_MAX];

    return snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path &&
           file_exists(AT_FDCWD, path);
}

/* The first folder that has one of the files, or NULL. */
static const char *find_folder(const struct settings *settings)
{
    for (int i = 0; i < FOLDERS; i++) {
        const char *folder = folder_at(settings, i);

        if (has_file(folder, user_data_name) || has_file(folder, meta_data_name))
            return folder;
    }
    return NULL;
}

static int seed_detect(const struct settings *settings, bool explicitly, char *why, size_t size)
{
    const char *folder = find_folder(settings);

    (void)explicitly;
    if (folder)
        snprintf(why, size, "%s has a seed", folder);
    else
        snprintf(why, size, "no user-data or meta-data in %s or %s", folder_at(settings, 0),
                 folder_at(settings, 1));
    return folder ? 1 : 0;
}

/* Whether only root and the user that runs this could have written what stands there. */
static int check_owner(const struct stat *status, const char *path, struct error *error)
{
    if (status->st_uid != 0 && status->st_uid != geteuid())
        error_set(error, ERROR_INPUT, "%s is not taken: it belongs to another user (%u)", path,
                  (unsigned)status->st_uid);
    else if ((status->st_mode & S_IWOTH) ||
             ((status->st_mode & S_IWGRP) && status->st_gid != 0 && status->st_gid != getegid()))
        error_set(error, ERROR_INPUT, "%s is not taken: others can write it (mode %04o)", path,
                  (unsigned)status->st_mode & ALLPERMS);
    else
        return 0;
    return error_hint(error, "chown root:root %s && chmod go-w %s", path, path);
}

/* Reads a file of the folder: 1, or 0 where there is none, or -1. */
static int read_file(int folder, const char *folder_path, const char *name, struct buffer *out,
                     struct error *error)
{
    AUTO_FREE char *path = memory_format("%s/%s", folder_path, name);
    AUTO_CLOSE int fd =
        openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    struct stat status;

    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0 && errno == ELOOP)
        return error_set(error, ERROR_INPUT, "%s is not taken: it is a symbolic link", path);
    if (fd < 0 || fstat(fd, &status) < 0)
        return error_errno(error, ERROR_INPUT, errno, "cannot read %s", path);
    if (!S_ISREG(status.st_mode))
        return error_set(error, ERROR_INPUT, "%s is not taken: it is no regular file", path);
    if (check_owner(&status, path, error) < 0 || input_read(fd, path, out, error) < 0)
        return -1;
    return 1;
}

/* Adds the keys of one value, a line each, below public-keys as EC2 has them. */
static void add_keys(struct seed_items *items, const char *name, const char *lines, unsigned *count,
                     struct buffer *listing)
{
    while (*lines) {
        size_t length = strcspn(lines, "\n");
        char path[64];

        if (length) {
            AUTO_FREE char *key = memory_copy_bytes(lines, length);

            snprintf(path, sizeof path, "public-keys/%u/openssh-key", *count);
            seed_items_add(items, path, key);
            buffer_format(listing, "%s%u=%s", listing->size ? "\n" : "", *count, name);
            ++*count;
        }
        lines += length + (lines[length] ? 1 : 0);
    }
}

/* `public-keys` is a key, a list of keys or a mapping of names to keys: made EC2's tree of it. */
static void arrange_keys(struct seed_items *items)
{
    static const char folder[] = "public-keys/";
    AUTO_BUFFER struct buffer listing = BUFFER_INIT(SOURCE_ITEM_MAX);
    struct seed_items arranged = {.items = NULL};
    unsigned count = 0;

    for (size_t i = 0; i < items->count; i++) {
        const char *path = items->items[i].path;
        const char *name =
            strncmp(path, folder, sizeof folder - 1) == 0 ? path + sizeof folder - 1 : NULL;

        if (strcmp(path, "public-keys") == 0)
            name = "key";
        if (name && !strchr(name, '/'))
            add_keys(&arranged, name, items->items[i].value, &count, &listing);
        else
            seed_items_add(&arranged, path, items->items[i].value);
    }
    if (count)
        seed_items_add(&arranged, folder, buffer_text(&listing));
    seed_items_free(items);
    *items = arranged;
}

static int load(struct seed *seed, struct error *error)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(META_DATA_MAX);
    AUTO_FREE char *name = memory_format("%s/%s", seed->folder, meta_data_name);
    AUTO_CLOSE int folder = file_open_folder(AT_FDCWD, seed->folder, error);
    struct stat status;
    int got;

    if (folder < 0)
        return -1;
    if (fstat(folder, &status) < 0)
        return error_errno(error, ERROR_INPUT, errno, "cannot read %s", seed->folder);
    if (check_owner(&status, seed->folder, error) < 0)
        return -1;
    got = read_file(folder, seed->folder, user_data_name, &seed->user_data, error);
    if (got < 0)
        return -1;
    seed->has_user_data = got && seed->user_data.size;
    got = read_file(folder, seed->folder, meta_data_name, &text, error);
    if (got < 0 ||
        (got && seed_yaml_read(buffer_text(&text), text.size, name, &seed->items, error) < 0))
        return -1;
    arrange_keys(&seed->items);
    return 0;
}

static void seed_close(void *state)
{
    struct seed *seed = state;

    if (!seed)
        return;
    buffer_free(&seed->user_data);
    seed_items_free(&seed->items);
    free(seed);
}

static int seed_open(const struct settings *settings, void **state, struct error *error)
{
    const char *folder = find_folder(settings);
    struct seed *seed;

    if (!folder)
        return error_set(error, ERROR_SOURCE, "there is no seed any more");
    seed = memory_zeroed(1, sizeof *seed);
    buffer_init(&seed->user_data, SOURCE_USER_DATA_MAX);
    snprintf(seed->folder, sizeof seed->folder, "%s", folder);
    if (load(seed, error) < 0) {
        seed_close(seed);
        return -1;
    }
    *state = seed;
    return 0;
}

static int seed_identify(void *state, char id[SOURCE_ID_MAX + 1], struct error *error)
{
    struct seed *seed = state;
    const char *given = seed_items_find(&seed->items, "instance-id");
    char text[DIGEST_TEXT_MAX];
    struct digest digest;

    if (given && !file_name_is_plain(given, SOURCE_ID_MAX)) {
        error_set(error, ERROR_INPUT,
                  "this instance-id cannot be one: an id has 1 to %d letters, digits, '.', '_' "
                  "and '-', and no '.' first",
                  SOURCE_ID_MAX);
        return error_at(error, seed->folder, 0, 0);
    }
    if (given) {
        snprintf(id, SOURCE_ID_MAX + 1, "%s", given);
        return 0;
    }
    /* Without a name, other user-data is another instance. */
    digest_init(&digest);
    digest_add(&digest, buffer_text(&seed->user_data), seed->user_data.size);
    snprintf(id, SOURCE_ID_MAX + 1, "seed-%s", digest_text(&digest, text));
    return 0;
}

static int seed_user_data(void *state, struct buffer *out, struct error *error)
{
    struct seed *seed = state;

    buffer_clear(out);
    if (!seed->has_user_data)
        return 0;
    if (!buffer_append(out, seed->user_data.bytes, seed->user_data.size))
        return error_set(error, ERROR_INPUT, "%s/%s is larger than the limit of %zu bytes",
                         seed->folder, user_data_name, out->maximum);
    return 1;
}

/* The value of an item. Either name of the machine stands for the other, as both are on EC2. */
static const char *find(const struct seed *seed, const char *path)
{
    const char *value = seed_items_find(&seed->items, path);

    if (!value && strcmp(path, "hostname") == 0)
        value = seed_items_find(&seed->items, "local-hostname");
    if (!value && strcmp(path, "local-hostname") == 0)
        value = seed_items_find(&seed->items, "hostname");
    return value;
}

/* The part of an item's path that a listing of a folder shows: "NAME" or "NAME/"; 0: none. */
static size_t listed_length(const char *path, const char *folder)
{
    size_t length = strlen(folder), size;

    if (strncmp(path, folder, length) != 0)
        return 0;
    size = strcspn(path + length, "/");
    return size + (path[length + size] ? 1 : 0);
}

/* The names below a folder, a line each, as EC2 lists them; false where there are none. */
static bool list(const struct seed_items *items, const char *folder, struct buffer *out)
{
    size_t length = strlen(folder);

    for (size_t i = 0; i < items->count; i++) {
        const char *path = items->items[i].path;
        size_t size = listed_length(path, folder);
        bool listed = false;

        for (size_t k = 0; k < i && !listed; k++)
            listed = listed_length(items->items[k].path, folder) == size &&
                     memcmp(items->items[k].path + length, path + length, size) == 0;
        if (size && !listed)
            buffer_format(out, "%s%.*s", out->size ? "\n" : "", (int)size, path + length);
    }
    return out->size > 0;
}

static int seed_item(void *state, const char *path, struct buffer *out, struct error *error)
{
    struct seed *seed = state;
    AUTO_FREE char *folder = NULL;
    const char *value;

    buffer_clear(out);
    path += strspn(path, "/");
    folder = memory_format("%s%s", path, *path && path[strlen(path) - 1] != '/' ? "/" : "");
    value = find(seed, path);
    if (!value)
        value = seed_items_find(&seed->items, folder);
    if (!value)
        return list(&seed->items, folder, out);
    if (!buffer_append_text(out, value))
        return error_set(error, ERROR_INPUT, "%s is larger than the limit of %zu bytes", path,
                         out->maximum);
    return 1;
}

static void seed_known(void *state,
                       void (*tell)(const char *path, const char *value, void *context),
                       void *context)
{
    static const char *const names[] = {"hostname", "local-hostname"};
    const struct seed *seed = state;

    for (size_t i = 0; i < seed->items.count; i++) {
        const struct seed_item *item = &seed->items.items[i];

        if (item->path[strlen(item->path) - 1] != '/')
            tell(item->path, item->value, context);
    }
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *value = find(seed, names[i]);

        if (value && !seed_items_find(&seed->items, names[i]))
            tell(names[i], value, context);
    }
}

const struct source_type source_seed = {
    .name = "seed",
    .detect = seed_detect,
    .open = seed_open,
    .identify = seed_identify,
    .user_data = seed_user_data,
    .item = seed_item,
    .known = seed_known,
    .close = seed_close,
};
