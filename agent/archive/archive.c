/*
 * The archive plug-in: xz, zstd and bzip2 streams, tar and zip, by libarchive, behind
 * decode/archive_plugin.h.
 *
 * Nothing is written to a disk, so libarchive's own guards of that (ARCHIVE_EXTRACT_SECURE_…) have
 * nothing to guard: their rules are kept here for the names, since these are looked up by name.
 * Only the formats and filters named here are ever tried, and a tar's filter is undone by who
 * called.
 */
#include "decode/archive_plugin.h"

#include "base/banned.h"
#include "base/memory.h"

#include <archive.h>
#include <archive_entry.h>

enum { CHUNK = 64 << 10 };

struct names {
    char **items;
    size_t count;
};

struct reading {
    struct archive *archive;
    struct names names;
    size_t left; /* bytes that the rest may have */
    size_t maximum;
    archive_take *take;
    void *context;
    struct error *error;
};

static int refuse(struct error *error, const char *what, const char *hint)
{
    error_set(error, ERROR_INPUT, "%s", what);
    return error_hint(error, "%s", hint);
}

static int damaged(const char *what, struct archive *archive, struct error *error)
{
    const char *text = archive_error_string(archive);

    error_set(error, ERROR_INPUT, "the %s cannot be read: %s", what,
              text ? text : "it is damaged or cut off");
    return error_hint(error, "was it larger than the service takes? EC2's limit is 16384 bytes");
}

static int too_large(size_t maximum, struct error *error)
{
    error_set(error, ERROR_INPUT, "the packed data is more than %zu bytes", maximum);
    return error_hint(error, "fetch what is large from where it is kept");
}

/* The whole content of the current entry: 0, -1 and an error, or 1 where out is full. */
static int read_entry(struct archive *archive, const char *what, struct buffer *out,
                      struct error *error)
{
    for (;;) {
        size_t left = out->maximum - out->size, chunk = left < CHUNK ? left : CHUNK;
        char beyond;
        char *room = chunk ? buffer_room(out, chunk) : &beyond;
        ssize_t got = archive_read_data(archive, room, chunk ? chunk : 1);

        if (got < 0)
            return damaged(what, archive, error);
        if (got == 0) {
            if (chunk)
                buffer_grown(out, 0);
            return 0;
        }
        if (!chunk)
            return 1;
        buffer_grown(out, (size_t)got);
    }
}

static int archive_inflate(const char *bytes, size_t size, struct buffer *out, struct error *error)
{
    struct archive *archive = memory_need(archive_read_new());
    struct archive_entry *entry;
    int result;

    archive_read_support_filter_xz(archive);
    archive_read_support_filter_zstd(archive);
    archive_read_support_filter_bzip2(archive);
    archive_read_support_format_raw(archive);
    if (archive_read_open_memory(archive, bytes, size) != ARCHIVE_OK ||
        archive_read_next_header(archive, &entry) != ARCHIVE_OK)
        result = damaged("compressed data", archive, error);
    else if (archive_filter_count(archive) < 2)
        result = refuse(error, "the compressed data is damaged", "compress it anew");
    else
        result = read_entry(archive, "compressed data", out, error);
    if (result > 0)
        result = too_large(out->maximum, error);
    archive_read_free(archive);
    return result;
}

/* A relative name without `..`; printable, so that it can be looked up and shown. */
static bool is_safe_name(const char *name)
{
    if (!*name || *name == '/' || strlen(name) > ARCHIVE_NAME_MAX)
        return false;
    for (const char *c = name; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == '\x7f' || *c == '\\')
            return false;
        if ((c == name || c[-1] == '/') && strncmp(c, "..", 2) == 0 && (!c[2] || c[2] == '/'))
            return false;
    }
    return true;
}

static bool is_new_name(struct names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->items[i], name) == 0)
            return false;
    }
    names->items = memory_grow(names->items, names->count, sizeof *names->items);
    names->items[names->count++] = memory_copy_string(name);
    return true;
}

static int take_entry(struct reading *reading, struct archive_entry *entry)
{
    AUTO_BUFFER struct buffer bytes = BUFFER_INIT(reading->left);
    const char *name = archive_entry_pathname(entry);
    int result;

    while (name && strncmp(name, "./", 2) == 0)
        name += 2;
    if (name && (!*name || strcmp(name, ".") == 0) && archive_entry_filetype(entry) == AE_IFDIR)
        return 0;
    if (!name || !is_safe_name(name))
        return refuse(reading->error, "the archive has a file with a name that is not allowed",
                      "names are relative, without .. and at most 255 bytes long");
    if (archive_entry_filetype(entry) == AE_IFDIR)
        return 0;
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry))
        return refuse(reading->error, "the archive has something that is no plain file",
                      "links and devices are not allowed: tar --dereference --hard-dereference");
    if (archive_entry_is_encrypted(entry))
        return refuse(reading->error, "the archive is encrypted", "nobody is there to ask");
    if (reading->names.count >= ARCHIVE_FILES_MAX)
        return refuse(reading->error, "the archive has more than 1000 files",
                      "fetch what is large from where it is kept");
    if (!is_new_name(&reading->names, name))
        return refuse(reading->error, "the archive has two files of one name", "make it anew");
    result = read_entry(reading->archive, "archive", &bytes, reading->error);
    if (result > 0)
        return too_large(reading->maximum, reading->error);
    if (result < 0)
        return -1;
    reading->left -= bytes.size;
    return reading->take(reading->context, name, &bytes);
}

static int read_entries(struct reading *reading)
{
    struct archive_entry *entry;
    size_t entries = 0;
    int result;

    while ((result = archive_read_next_header(reading->archive, &entry)) == ARCHIVE_OK) {
        /* Folders count, too: they cost time. */
        if (++entries > 2 * ARCHIVE_FILES_MAX)
            return refuse(reading->error, "the archive has too many entries", "make it smaller");
        if (take_entry(reading, entry) < 0)
            return -1;
    }
    return result == ARCHIVE_EOF ? 0 : damaged("archive", reading->archive, reading->error);
}

static int archive_read_all(const char *bytes, size_t size, size_t maximum, archive_take *take,
                            void *context, struct error *error)
{
    struct reading reading = {.archive = memory_need(archive_read_new()),
                              .left = maximum,
                              .maximum = maximum,
                              .take = take,
                              .context = context,
                              .error = error};
    int result;

    archive_read_support_format_tar(reading.archive);
    archive_read_support_format_zip(reading.archive);
    if (archive_read_open_memory(reading.archive, bytes, size) != ARCHIVE_OK)
        result = damaged("archive", reading.archive, error);
    else
        result = read_entries(&reading);
    archive_read_free(reading.archive);
    for (size_t i = 0; i < reading.names.count; i++)
        free(reading.names.items[i]);
    free(reading.names.items);
    return result;
}

__attribute__((visibility("default"))) const struct archive_reader bootlace_archive = {
    .size = sizeof(struct archive_reader), .inflate = archive_inflate, .read = archive_read_all};
