/* What a copy left; see record.h. */
#include <s3/record.h>

#include <support/text.h>

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fcntl.h>

static void clear_line(struct record_line *line)
{
    free(line->path);
    free(line->etag);
    *line = (struct record_line){0};
}

/* ["path","etag",size,modified] */
static bool read_line(const char *text, size_t size, struct record_line *line)
{
    json_t *array = json_loadb(text, size, 0, NULL);
    const char *path = NULL, *etag = NULL;
    json_int_t bytes = 0, modified = 0;
    bool good = json_unpack(array, "[ssII]", &path, &etag, &bytes, &modified) == 0;

    if (good)
        *line =
            (struct record_line){text_format("%s", path), text_format("%s", etag), bytes, modified};
    json_decref(array);
    return good;
}

static void next_line(struct record *record)
{
    char *text = NULL;
    size_t room = 0;
    ssize_t size;

    clear_line(&record->line);
    while (record->old && (size = getline(&text, &room, record->old)) > 0) {
        if (read_line(text, (size_t)size, &record->line))
            break;
    }
    free(text);
}

void record_open(struct record *record, struct places *folder, const char *name, bool write)
{
    int fd;

    *record = (struct record){.folder = folder, .name = name};
    if (folder->top >= 0) {
        fd = openat(folder->top, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        record->old = fd < 0 ? NULL : fdopen(fd, "r");
    }
    if (write) {
        fd = places_create(folder, name);
        record->new = fd < 0 ? NULL : fdopen(fd, "w");
    }
    next_line(record);
}

const struct record_line *record_find(struct record *record, const char *path)
{
    clear_line(&record->found);
    while (record->line.path && strcmp(record->line.path, path) < 0)
        next_line(record);
    if (!record->line.path || strcmp(record->line.path, path) != 0)
        return NULL;
    record->found = record->line;
    record->line = (struct record_line){0};
    next_line(record);
    return &record->found;
}

void record_add(struct record *record, const char *path, const char *etag, int64_t size,
                int64_t modified_ns)
{
    json_t *array;

    if (!record->new)
        return;
    /* A path that is no UTF-8 cannot be kept; its file is compared by its content then. */
    array = json_pack("[ssII]", path, etag, (json_int_t)size, (json_int_t)modified_ns);
    if (array && json_dumpf(array, record->new, JSON_COMPACT) == 0)
        fputc('\n', record->new);
    json_decref(array);
}

static void keep_rest(struct record *record)
{
    while (record->line.path) {
        record_add(record, record->line.path, record->line.etag, record->line.size,
                   record->line.modified_ns);
        next_line(record);
    }
}

int record_close(struct record *record, bool whole)
{
    int result = 0;

    if (record->new) {
        if (!whole)
            keep_rest(record);
        if (fflush(record->new) != 0 || ferror(record->new) || fdatasync(fileno(record->new)) < 0)
            result = errno ? -errno : -EIO;
        fclose(record->new);
        if (result == 0)
            result = places_settle(record->folder, record->name);
        if (result < 0)
            places_discard(record->folder, record->name);
    }
    if (record->old)
        fclose(record->old);
    clear_line(&record->line);
    clear_line(&record->found);
    *record = (struct record){0};
    return result;
}
