/*
 * A list of parts: cloud-config-archive, in YAML or as a bare JSON array.
 *
 *     - a text
 *     - {type: text/x-shellscript, filename: setup.sh, content: "…", launch-index: 0}
 *     - {file: setup.sh}
 *
 * As cloud-init has it, what says nothing about its type and begins like nothing known is a
 * cloud-config, content may be !!binary, and Merge-Type may stand beside the others. Here `file`
 * names a file of the archive that the list came in.
 */
#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "decode/base64.h"
#include "decode/piece.h"
#include "decode/types.h"

#include <ctype.h>
#include <strings.h>

enum { NUMBER_MAX = 24 };

/* An item under way. */
struct item {
    struct decoder *decoder;
    const struct piece *list;
    size_t index;
};

static int refuse(const struct item *item, bool warning, const char *what, const char *hint)
{
    struct error error = ERROR_INIT;

    error_set(&error, ERROR_INPUT, "item %zu of the list of parts: %s", item->index + 1, what);
    error_hint(&error, "%s", hint);
    return warning ? piece_warning(item->decoder, item->list, &error)
                   : piece_problem(item->decoder, item->list, &error);
}

/* A member of any case, as MIME header fields are. */
static const json_t *member(const json_t *object, const char *wanted)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if (strcasecmp(key, wanted) == 0)
            return value;
    }
    return NULL;
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(member(object, key));
}

/* The base64 of bytes that are no text, as config's YAML reader hands them on; NULL for others. */
static const char *binary_of(const json_t *value)
{
    return json_object_size(value) == 1 ? json_text_of(value, "!!binary", NULL) : NULL;
}

/* Whether a member that takes a text may have the value. */
static bool fits(const char *key, const json_t *value)
{
    bool content = strcasecmp(key, "content") == 0;

    return json_is_string(value) || (content && binary_of(value)) ||
           (!content && json_is_null(value)) ||
           (strcasecmp(key, "filename") == 0 && json_is_integer(value));
}

/* What an item says beside its content; what it says that nobody knows is told. */
static bool check_members(const struct item *item, const json_t *object)
{
    static const char *const texts[] = {"type", "filename",   "content",
                                        "file", "merge-type", "x-merge-type"};
    static const char *const others[] = {"launch-index", "content-disposition", "content-type",
                                         "mime-version", "content-transfer-encoding"};
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        bool known = false, text = false;

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
            text = text || strcasecmp(key, texts[i]) == 0;
        for (size_t i = 0; i < ARRAY_SIZE(others); i++)
            known = known || strcasecmp(key, others[i]) == 0;
        if (text && !fits(key, value)) {
            AUTO_FREE char *what = memory_format("%s is no text", key);

            refuse(item, false, what, "put it into quotes");
            return false;
        }
        if (!text && !known)
            refuse(item, true, "it has a member that is ignored",
                   "known are content, type, filename, launch-index, file and Merge-Type");
    }
    return true;
}

static int decode_binary(const struct item *item, struct piece *piece, const char *base64)
{
    AUTO_BUFFER struct buffer bytes = BUFFER_INIT(DECODE_SIZE_MAX);
    size_t place;

    if (!base64_decode(base64, strlen(base64), &bytes, &place))
        return refuse(item, false, "its content is no base64", "is it cut off?");
    piece->bytes = buffer_text(&bytes);
    piece->size = bytes.size;
    return piece_charge(item->decoder, piece, bytes.size) < 0 ? -1
                                                              : decode_piece(item->decoder, piece);
}

static int decode_content(const struct item *item, struct piece *piece, const json_t *object)
{
    const json_t *content = json_is_string(object) ? object : member(object, "content");
    const char *file = json_is_object(object) ? text_of(object, "file") : NULL;
    int result;

    if (!file && !content)
        return refuse(item, true, "it has no content", "content: holds the part's text");
    if (binary_of(content))
        return decode_binary(item, piece, binary_of(content));
    if (content) {
        piece->bytes = json_string_value(content);
        piece->size = json_string_length(content);
        return decode_piece(item->decoder, piece);
    }
    result = bundle_take(item->decoder, piece, file);
    if (result > 0)
        return refuse(item, false, "its file is not there",
                      "file: names a file of the archive that the list came in");
    return result;
}

/* The text of a member that is a text or a whole number, which is written to number. */
static const char *word_of(const json_t *value, char number[static NUMBER_MAX])
{
    if (!json_is_integer(value))
        return json_string_value(value);
    snprintf(number, NUMBER_MAX, "%lld", (long long)json_integer_value(value));
    return number;
}

static int decode_object(const struct item *item, struct piece *piece, const json_t *object)
{
    char name_number[NUMBER_MAX], index_number[NUMBER_MAX];
    const json_t *index = member(object, "launch-index");
    const char *type = text_of(object, "type");
    const char *name = word_of(member(object, "filename"), name_number);
    AUTO_FREE char *lower = type && *type ? memory_copy_string(type) : NULL;
    AUTO_FREE char *label = NULL;

    if (!check_members(item, object))
        return 0;
    for (char *c = lower; c && *c; c++)
        *c = (char)tolower((unsigned char)*c);
    if (lower)
        lower[strcspn(lower, "; \t")] = '\0';
    if (lower && !strchr(lower, '/'))
        return refuse(item, false, "its type is none", "a type is like text/x-shellscript");
    name = name && *name ? name : text_of(object, "file");
    label = name && *name ? piece_label(name) : NULL;
    piece->type = lower;
    piece->name = label;
    piece->merge_type = text_of(object, "merge-type");
    if (!piece->merge_type)
        piece->merge_type = text_of(object, "x-merge-type");
    piece->launch_index = word_of(index, index_number);
    if (index && !json_is_null(index) && !piece->launch_index)
        piece->launch_index = "";
    return decode_content(item, piece, object);
}

int list_decode_json(struct decoder *decoder, const struct piece *piece, const json_t *list)
{
    struct item item = {.decoder = decoder, .list = piece};
    const json_t *value;

    json_array_foreach(list, item.index, value)
    {
        struct piece inner = {.fallback = TYPE_CONFIG, .line = 1, .depth = piece->depth + 1};
        int result = 0;

        if (json_is_object(value))
            result = decode_object(&item, &inner, value);
        else if (json_is_string(value))
            result = decode_content(&item, &inner, value);
        else
            refuse(&item, false, "it is neither a text nor an object with content",
                   "begin it with content: |");
        if (result < 0)
            return -1;
    }
    return 0;
}

int list_decode_yaml(struct decoder *decoder, const struct piece *piece)
{
    struct error error = ERROR_INIT;
    AUTO_JSON json_t *list = decoder->setup->yaml
                                 ? decoder->setup->yaml(piece->bytes, piece->size, NULL, &error)
                                 : json_parse(piece->bytes, piece->size, "list of parts", &error);

    if (!list)
        return piece_problem(decoder, piece, &error);
    if (json_is_null(list))
        return 0;
    if (!json_is_array(list)) {
        error_set(&error, ERROR_INPUT,
                  "a cloud-config-archive is a list of parts, and this is none");
        error_hint(&error, "begin each part with \"- content: |\"");
        return piece_problem(decoder, piece, &error);
    }
    return list_decode_json(decoder, piece, list);
}
