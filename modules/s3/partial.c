/* What is kept of a broken transfer; see partial.h. */
#include <s3/partial.h>

#include <s3/store.h>
#include <support/text.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX ".partial"

enum { NAME_SIZE = REMEMBER_DIGEST_MAX + 16 };

static const char *folder_of(const struct copy *copy)
{
    return copy->preparing ? STORE_FOLDER : copy->item->path;
}

/* One file for each place and object. */
static void name_of(const struct copy *copy, const struct entry *entry, char name[NAME_SIZE])
{
    const char *const texts[] = {copy->item->bucket, entry->object.key, folder_of(copy),
                                 entry->path};
    const size_t sizes[] = {strlen(texts[0]), strlen(texts[1]), strlen(texts[2]), strlen(texts[3])};
    char digest[REMEMBER_DIGEST_MAX];

    remember_digest(digest, texts, sizes, sizeof texts / sizeof *texts);
    snprintf(name, NAME_SIZE, "%s" SUFFIX, digest);
}

bool partial_save(const struct copy *copy, const struct entry *entry)
{
    char name[NAME_SIZE];
    char *marks = text_need(calloc(entry->parts + 1, 1));
    json_t *object;
    bool saved = false;
    int fd;

    for (unsigned part = 0; part < entry->parts; part++)
        marks[part] = entry->done[part] ? '1' : '0';
    object = json_pack("{sssssssIsIss}", "folder", folder_of(copy), "path", entry->path, "etag",
                       entry->object.etag, "size", (json_int_t)entry->object.size, "range",
                       (json_int_t)entry->part_bytes, "done", marks);
    free(marks);
    name_of(copy, entry, name);
    if (!object || fdatasync(entry->fd) < 0)
        return false;
    fd = places_create(copy->state, name);
    if (fd >= 0) {
        saved = json_dumpfd(object, fd, JSON_COMPACT) == 0 && fdatasync(fd) == 0;
        close(fd);
        saved = saved && places_settle(copy->state, name) == 0;
    }
    json_decref(object);
    return saved;
}

static json_t *read_object(const struct copy *copy, const char *name)
{
    json_t *object;
    int fd = copy->state->top < 0
                 ? -1
                 : openat(copy->state->top, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return NULL;
    object = json_loadfd(fd, 0, NULL);
    close(fd);
    return object;
}

bool partial_load(const struct copy *copy, struct entry *entry)
{
    char name[NAME_SIZE];
    const char *etag = NULL, *marks = NULL;
    json_int_t size = 0, range = 0;
    json_t *object;
    bool found;

    name_of(copy, entry, name);
    object = read_object(copy, name);
    found = json_unpack(object, "{sssIsIss}", "etag", &etag, "size", &size, "range", &range, "done",
                        &marks) == 0 &&
            strcmp(etag, entry->object.etag) == 0 && (uint64_t)size == entry->object.size &&
            (uint64_t)range == entry->part_bytes && strlen(marks) == entry->parts;
    for (unsigned part = 0; found && part < entry->parts; part++)
        entry->done[part] = marks[part] == '1';
    if (object)
        unlinkat(copy->state->top, name, 0);
    json_decref(object);
    return found;
}

/* The file that grew, and the note about it. */
static void remove_one(const struct copy *copy, const char *name)
{
    const char *folder = NULL, *path = NULL;
    json_t *object = read_object(copy, name);
    struct places places = {.top = -1};

    if (json_unpack(object, "{ssss}", "folder", &folder, "path", &path) == 0 &&
        places_open(&places, copy->host, folder, false) == 0) {
        places_discard(&places, path);
        places_close(&places);
    }
    json_decref(object);
    unlinkat(copy->state->top, name, 0);
}

void partial_sweep(const struct copy *copy)
{
    int fd = copy->state->top < 0
                 ? -1
                 : openat(copy->state->top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    while (stream && (entry = readdir(stream))) {
        size_t length = strlen(entry->d_name);

        if (length > strlen(SUFFIX) && strcmp(entry->d_name + length - strlen(SUFFIX), SUFFIX) == 0)
            remove_one(copy, entry->d_name);
    }
    if (stream)
        closedir(stream);
}
