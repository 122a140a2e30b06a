/* Objects and trees copied to the instance; see download.h. */
#include <s3/download.h>

#include <s3/fetch.h>
#include <s3/key.h>
#include <s3/listing.h>
#include <s3/local.h>
#include <s3/pattern.h>
#include <s3/store.h>
#include <support/text.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TURN_MS = 100, SHOWN_MAX = 50 /* objects that a dry run names */ };

struct download {
    struct copy *copy;
    struct fetch *fetch;
    struct listing listing;
    json_t *folded; /* paths of keys with empty names, which others may have, too */
    uint64_t room;  /* that is left for fetching ahead */
};

static void show(struct copy *copy, const struct object *object, const char *path)
{
    char *size = copy_size_text(object->size);

    if (copy->copied <= SHOWN_MAX)
        copy->host->log(copy->host, BOOTLACE_INFO, "would copy s3://%s/%s to %s%s%s (%s)",
                        copy->item->bucket, object->key, copy->item->path,
                        copy->item->tree ? "/" : "", copy->item->tree ? path : "", size);
    else if (copy->copied == SHOWN_MAX + 1)
        copy->host->log(copy->host, BOOTLACE_INFO, "would copy more of %s", copy->item->label);
    free(size);
}

/* Into the store, where there is room, and where it is not yet. */
static void fetch_ahead(struct download *download, struct object *object, bool known)
{
    char name[REMEMBER_DIGEST_MAX];
    int fd = store_open(download->copy, object);

    if (fd >= 0 || object->size > download->room) {
        if (fd >= 0)
            close(fd);
        object_clear(object);
        return;
    }
    download->room -= object->size;
    store_name(download->copy, object, name);
    fetch_add(download->fetch, object, name, known);
}

/* One that is not there, or not as it should be. */
static void copy_one(struct download *download, struct object *object, const char *path, bool known)
{
    struct copy *copy = download->copy;

    if (copy->host->dry_run) {
        copy->copied++;
        copy->bytes += object->size;
        show(copy, object, path);
        object_clear(object);
    } else if (copy->preparing)
        fetch_ahead(download, object, known);
    else
        fetch_add(download->fetch, object, path, known);
}

static void dress_one(struct download *download, struct object *object, const char *path,
                      int64_t modified_ns)
{
    struct copy *copy = download->copy;
    int result = 0;

    if (copy->host->dry_run)
        copy->host->log(copy->host, BOOTLACE_INFO, "would change owner and mode of %s", path);
    else if (!copy->preparing)
        result = local_dress(copy, path);
    if (result < 0)
        copy_fail(copy, object->key, -result, NULL);
    else
        copy->dressed++;
    fetch_add_unchanged(download->fetch, object, path, modified_ns);
}

/* What is to be done about an object whose path is known. */
static void decide(struct download *download, struct object *object, const char *path, bool known)
{
    struct copy *copy = download->copy;
    int64_t modified_ns = 0;

    switch (local_compare(copy, object, path, &modified_ns)) {
    case LOCAL_OTHER:
        copy_one(download, object, path, known);
        return;
    case LOCAL_UNDRESSED:
        dress_one(download, object, path, modified_ns);
        return;
    case LOCAL_SAME:
        copy->unchanged++;
        fetch_add_unchanged(download->fetch, object, path, modified_ns);
        return;
    }
}

/*
 * Keys with empty names ("a//b") have the path of another key ("a/b"). Such are rare, so S3 is
 * asked whether there is that other one. Returns words where the path is another's.
 */
static char *find_rival(struct download *download, const struct object *object, const char *path)
{
    const struct item *item = download->copy->item;
    char *plain = text_format("%s%s", item->key, path), *why = NULL, *ignored = NULL;
    struct object other = {.key = plain};

    if (strcmp(plain, object->key) == 0) {
        free(plain);
        return NULL;
    }
    if (json_object_get(download->folded, path))
        why = text_format("another key has the same path, %s", path);
    else if (object_ask(download->copy->aws, item, &other, &ignored) == 0)
        why = text_format("the key %s has the same path", plain);
    json_object_set_new(download->folded, path, json_true());
    free(ignored);
    object_clear(&other);
    return why;
}

/* An object that only says that there is a folder. */
static void make_folder(struct copy *copy, const char *path)
{
    int result =
        copy->host->dry_run || copy->preparing ? 0 : places_folder(&copy->target, path, true);

    if (result < 0)
        copy_fail(copy, path, -result, NULL);
}

static void take(struct download *download, struct object *object)
{
    struct copy *copy = download->copy;
    const char *relative = object->key + strlen(copy->item->key), *why;
    bool is_folder;
    char *path = key_path(relative, &is_folder, &why), *rival = NULL;

    copy->seen++;
    if (!path)
        copy_fail(copy, object->key, EINVAL, why);
    else if (!pattern_wanted(copy->item->include, copy->item->exclude, path))
        copy->seen--;
    else if (is_folder)
        make_folder(copy, path);
    else if ((rival = find_rival(download, object, path)))
        copy_fail(copy, object->key, EEXIST, rival);
    else
        decide(download, object, path, false);
    object_clear(object);
    free(rival);
    free(path);
}

static void copy_tree(struct download *download)
{
    struct copy *copy = download->copy;
    int result = 0;

    listing_begin(&download->listing, copy->aws, copy->item);
    while (!copy_is_ended()) {
        struct object object;

        result = fetch_has_room(download->fetch) ? listing_take(&download->listing, &object) : 0;
        if (result > 0)
            take(download, &object);
        else if (result < 0 || download->listing.is_over)
            break;
        else
            fetch_move(download->fetch, TURN_MS);
    }
    if (result < 0)
        copy_fail(copy, "", -result, download->listing.why);
}

static void copy_object(struct download *download)
{
    struct copy *copy = download->copy;
    struct object object = {.key = text_format("%s", copy->item->key)};
    char *why = NULL;
    int result = object_ask(copy->aws, copy->item, &object, &why);

    copy->seen++;
    copy->size = object.size;
    if (result < 0)
        copy_fail(copy, "", -result, why);
    else
        decide(download, &object, copy->item->name, true);
    object_clear(&object);
    free(why);
}

/* The folder that all of it is below. */
static int open_target(struct copy *copy)
{
    const struct item *item = copy->item;
    bool make = !copy->host->dry_run && !copy->preparing;
    char *folder = text_format("%s", item->path);
    int result;

    if (!item->tree)
        folder[strlen(folder) - strlen(item->name)] = '\0';
    copy->target = (struct places){.folder_mode = item->folder_mode,
                                   .owner = item->rights.owner,
                                   .group = item->rights.group_id};
    result = places_open(&copy->target, copy->host, folder, make);
    free(folder);
    return result == -ENOENT && !make ? 0 : result;
}

void download(struct copy *copy)
{
    struct download download = {.copy = copy, .room = store_room(copy)};
    bool write = !copy->host->dry_run && !copy->preparing;
    int result = open_target(copy);

    if (result < 0) {
        copy_fail(copy, "", -result,
                  result == -ENOTDIR ? "a part of its path is no directory" : NULL);
        return;
    }
    download.folded = text_need(json_object());
    record_open(&copy->record, copy->state, copy->item->digest, write);
    download.fetch = fetch_new(copy);
    if (copy->item->tree)
        copy_tree(&download);
    else
        copy_object(&download);
    fetch_finish(download.fetch);
    fetch_free(download.fetch);
    if (!copy_is_ended())
        listing_end(&download.listing);
    result = record_close(&copy->record, copy->failed == 0);
    if (result < 0)
        copy->host->log(copy->host, BOOTLACE_WARNING, "%s: what was copied cannot be recorded: %s",
                        copy->item->label, strerror(-result));
    /* The names are on the disk, too, before anybody is told. */
    if (write && fsync(copy->target.top) < 0 && errno != EINVAL)
        copy_fail(copy, "", errno, NULL);
    json_decref(download.folded);
    places_close(&copy->target);
}
