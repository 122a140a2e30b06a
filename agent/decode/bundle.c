/*
 * An archive (tar, zip) as user-data: what stands in bootlace.yaml or user-data at its root is
 * decoded as user-data is, and may name the other files: in #include, and in a list of parts.
 *
 * bootlace.yaml needs no first line to tell what it is: a list is a list of parts, and anything
 * else a cloud-config.
 */
#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "decode/archive_plugin.h"
#include "decode/piece.h"
#include "decode/types.h"

static const char configuration[] = "bootlace.yaml", plain[] = "user-data";

static int take_file(void *context, const char *name, struct buffer *bytes)
{
    struct piece_files *files = context;
    struct piece_file *file;

    files->items = memory_grow(files->items, files->count, sizeof *files->items);
    file = &files->items[files->count++];
    *file = (struct piece_file){.name = memory_copy_string(name), .bytes = *bytes};
    buffer_init(bytes, bytes->maximum);
    return 0;
}

static void files_clear(struct piece_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->items[i].name);
        buffer_free(&files->items[i].bytes);
    }
    free(files->items);
    *files = (struct piece_files){0};
}

static const struct buffer *find(const struct piece_files *files, const char *name)
{
    for (size_t i = 0; files && i < files->count; i++) {
        if (strcmp(files->items[i].name, name) == 0)
            return &files->items[i].bytes;
    }
    return NULL;
}

int bundle_take(struct decoder *decoder, struct piece *inner, const char *name)
{
    const struct buffer *bytes;
    struct error error = ERROR_INIT;

    while (strncmp(name, "./", 2) == 0)
        name += 2;
    bytes = find(decoder->files, name);
    if (!bytes)
        return 1;
    inner->bytes = buffer_text(bytes);
    inner->size = bytes->size;
    /* A file may be named again and again, and name others. */
    if (++decoder->taken > PARTS_MAX) {
        error_set(&error, ERROR_INPUT, "the archive's files are named more than %d times",
                  PARTS_MAX);
        piece_problem(decoder, inner, &error);
        return -1;
    }
    return piece_charge(decoder, inner, inner->size) < 0 ? -1 : decode_piece(decoder, inner);
}

/* bootlace.yaml without a first line that says what it is. */
static int decode_yaml_file(struct decoder *decoder, struct piece *piece)
{
    struct error error = ERROR_INIT;
    AUTO_JSON json_t *value = NULL;

    if (!decoder->setup->yaml || decoder->setup->sniff(piece->bytes, piece->size))
        return decode_piece(decoder, piece);
    value = decoder->setup->yaml(piece->bytes, piece->size, NULL, &error);
    if (!value)
        return piece_problem(decoder, piece, &error);
    piece->type = json_is_array(value) ? TYPE_ARCHIVE_LIST : TYPE_CONFIG;
    return decode_piece(decoder, piece);
}

static int decode_files(struct decoder *decoder, const struct piece *piece,
                        const struct piece_files *files)
{
    const struct buffer *first = find(files, configuration);
    const struct buffer *root = first ? first : find(files, plain);
    const struct piece_files *outer = decoder->files;
    struct error error = ERROR_INIT;
    struct piece inner;
    int result;

    if (!root) {
        error_set(&error, ERROR_INPUT, "the archive has neither bootlace.yaml nor user-data");
        error_hint(&error, "one of them must be at its root, not in a folder");
        return piece_problem(decoder, piece, &error);
    }
    inner = piece_inner(piece, root);
    inner.type = NULL;
    inner.fallback = first ? TYPE_CONFIG : NULL;
    decoder->files = files;
    result = first ? decode_yaml_file(decoder, &inner) : decode_piece(decoder, &inner);
    decoder->files = outer;
    return result;
}

int bundle_decode(struct decoder *decoder, const struct piece *piece)
{
    const struct archive_reader *reader = archive_plugin_load(decoder->error);
    size_t maximum = piece->size * DECODE_RATIO_MAX, total = 0;
    struct piece_files files = {0};
    struct error error = ERROR_INIT;
    int result;

    if (!reader)
        return -1;
    maximum = maximum < DECODE_RATIO_FREE ? DECODE_RATIO_FREE
              : maximum > DECODE_SIZE_MAX ? DECODE_SIZE_MAX
                                          : maximum;
    if (reader->read(piece->bytes, piece->size, maximum, take_file, &files, &error) < 0) {
        files_clear(&files);
        return piece_problem(decoder, piece, &error);
    }
    for (size_t i = 0; i < files.count; i++)
        total += files.items[i].bytes.size;
    result = piece_charge(decoder, piece, total);
    if (result == 0)
        result = decode_files(decoder, piece, &files);
    files_clear(&files);
    return result;
}
