/*
 * The file source: user-data that the command line names (`--user-data FILE`, "-" is standard
 * input). Its identity is the digest of the bytes, and it has no metadata.
 */
#include "source/source.h"

#include "base/banned.h"
#include "base/digest.h"
#include "base/memory.h"
#include "source/input.h"

#include <errno.h>
#include <fcntl.h>

struct file_source {
    char path[SETTINGS_PATH_MAX];
    bool read;
    struct buffer bytes;
};

static int file_source_detect(const struct settings *settings, bool explicitly, char *why,
                              size_t size)
{
    (void)explicitly;
    snprintf(why, size, "%s", *settings->user_data ? "--user-data names it" : "no --user-data");
    return *settings->user_data ? 1 : 0;
}

static int file_source_open(const struct settings *settings, void **state, struct error *error)
{
    struct file_source *file;

    (void)error;
    file = memory_zeroed(1, sizeof *file);
    buffer_init(&file->bytes, SOURCE_USER_DATA_MAX);
    snprintf(file->path, sizeof file->path, "%s", settings->user_data);
    *state = file;
    return 0;
}

/* Reads it, once: standard input gives its bytes only once. */
static int load(struct file_source *file, struct error *error)
{
    bool input = strcmp(file->path, "-") == 0;
    AUTO_CLOSE int fd = -1;

    if (file->read)
        return 0;
    if (!input)
        fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (!input && fd < 0)
        return error_errno(error, ERROR_INPUT, errno, "cannot open %s", file->path);
    if (input_read(input ? STDIN_FILENO : fd, input ? "standard input" : file->path, &file->bytes,
                   error) < 0)
        return -1;
    file->read = true;
    return 0;
}

static int file_source_identify(void *state, char id[SOURCE_ID_MAX + 1], struct error *error)
{
    struct file_source *file = state;
    char text[DIGEST_TEXT_MAX];
    struct digest digest;

    if (load(file, error) < 0)
        return -1;
    digest_init(&digest);
    digest_add(&digest, buffer_text(&file->bytes), file->bytes.size);
    snprintf(id, SOURCE_ID_MAX + 1, "file-%s", digest_text(&digest, text));
    return 0;
}

static int file_source_user_data(void *state, struct buffer *out, struct error *error)
{
    struct file_source *file = state;

    if (load(file, error) < 0)
        return -1;
    buffer_clear(out);
    if (!file->bytes.size)
        return 0;
    if (!buffer_append(out, file->bytes.bytes, file->bytes.size))
        return error_set(error, ERROR_INPUT, "%s is larger than the limit of %zu bytes", file->path,
                         out->maximum);
    return 1;
}

static int file_source_item(void *state, const char *path, struct buffer *out, struct error *error)
{
    (void)state, (void)path, (void)error;
    buffer_clear(out);
    return 0;
}

static void file_source_close(void *state)
{
    struct file_source *file = state;

    if (!file)
        return;
    buffer_free(&file->bytes);
    free(file);
}

const struct source_type source_file = {
    .name = "file",
    .detect = file_source_detect,
    .open = file_source_open,
    .identify = file_source_identify,
    .user_data = file_source_user_data,
    .item = file_source_item,
    .close = file_source_close,
};
