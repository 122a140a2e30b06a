/* One item of write_files; see item.h. Messages never quote content. */
#include <write-files/item.h>

#include <support/encoding.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int wrong(struct item *item, int number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int wrong(struct item *item, int number, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(item->why, sizeof item->why, format, arguments);
    va_end(arguments);
    return -number;
}

/* An absent or null member is NULL; 0, or a negative errno where it is no text. */
static int read_text(struct item *item, const json_t *given, const char *key, const char **value)
{
    const json_t *member = json_object_get(given, key);

    if (member && !json_is_null(member) && !json_is_string(member))
        return wrong(item, EINVAL, "%s is no text; put it in quotes", key);
    *value = json_string_value(member);
    return 0;
}

static int read_flag(struct item *item, const json_t *given, const char *key, bool *value)
{
    const json_t *member = json_object_get(given, key);
    const char *word = json_string_value(member);

    *value = json_is_true(member) || (word && strcasecmp(word, "true") == 0);
    if (member && !json_is_boolean(member) && !json_is_null(member) && !*value &&
        (!word || strcasecmp(word, "false") != 0))
        return wrong(item, EINVAL, "%s is neither true nor false", key);
    return 0;
}

static int read_source(struct item *item, const json_t *given)
{
    const json_t *source = json_object_get(given, "source");

    item->has_source = source && !json_is_null(source);
    return item->has_source ? source_read(source, &item->source, item->why) : 0;
}

int item_read(const struct bootlace_host *host, const json_t *given, struct item *item)
{
    int result;

    *item = (struct item){.path = "", .rights.mode = ITEM_MODE_DEFAULT};
    if (!json_is_object(given))
        return wrong(item, EINVAL, "is no mapping with a path");
    result = read_text(item, given, "path", &item->path);
    if (!item->path)
        item->path = "";
    if (result == 0 && !*item->path)
        result = wrong(item, EINVAL, "has no path");
    if (result == 0 && item->path[strlen(item->path) - 1] == '/')
        result = wrong(item, EISDIR, "the path is that of a directory");
    if (result == 0)
        result =
            rights_read(host, given, "permissions", &item->rights, item->why, sizeof item->why);
    if (result == 0)
        result = read_flag(item, given, "append", &item->append);
    if (result == 0)
        result = read_flag(item, given, "defer", &item->defer);
    return result == 0 ? read_source(item, given) : result;
}

enum encoding { PLAIN = 0, BASE64 = 1, GZIP = 2, UNKNOWN = 4 };

static unsigned encoding_of(const char *name)
{
    static const struct {
        const char *name;
        unsigned encoding;
    } names[] = {{"", PLAIN},
                 {"text/plain", PLAIN},
                 {"b64", BASE64},
                 {"base64", BASE64},
                 {"gz", GZIP},
                 {"gzip", GZIP},
                 {"gz+b64", BASE64 | GZIP},
                 {"gz+base64", BASE64 | GZIP},
                 {"gzip+b64", BASE64 | GZIP},
                 {"gzip+base64", BASE64 | GZIP}};
    const char *begin = name + strspn(name, " \t");
    size_t size = strcspn(begin, " \t");

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strlen(names[i].name) == size && strncasecmp(names[i].name, begin, size) == 0)
            return names[i].encoding;
    }
    return UNKNOWN;
}

static int gunzip(struct item *item, const char *bytes, size_t size, struct text *out)
{
    int result = encoding_gunzip(bytes, size, out);

    if (result == -ENODATA)
        return wrong(item, ENODATA, "content is gzip that was cut off");
    if (result == -EFBIG)
        return wrong(item, EFBIG, "content inflates to more than %d MiB",
                     ENCODING_INFLATED_MAX >> 20);
    return result < 0 ? wrong(item, EINVAL, "content is no gzip, or damaged") : 0;
}

static int decode(struct item *item, unsigned encoding, const char *content, size_t size,
                  struct text *out)
{
    struct text bytes = {0};

    if (encoding == PLAIN) {
        text_add(out, content, size);
        return 0;
    }
    if (encoding == GZIP && encoding_is_gzip(content, size))
        return gunzip(item, content, size, out);
    if (encoding_base64(content, size, &bytes) < 0)
        return encoding == GZIP ? wrong(item, EINVAL, "content is no gzip; is the encoding gz+b64?")
                                : wrong(item, EINVAL, "content is no base64, or damaged");
    if (encoding & GZIP)
        return gunzip(item, text_string(&bytes), bytes.size, out);
    text_add(out, bytes.bytes, bytes.size);
    return 0;
}

static void note_substitute(const struct bootlace_host *host, struct item *item)
{
    char *message = text_format("its content is used: %s", item->why);

    host->log(host, BOOTLACE_WARNING, "%s: %s", item->path, message);
    snprintf(item->why, sizeof item->why, "%s", message);
    free(message);
}

int item_content(const struct bootlace_host *host, const json_t *given, struct item *item,
                 struct text *out)
{
    const json_t *content = json_object_get(given, "content");
    bool has_content = content && !json_is_null(content);
    const char *encoding = NULL;
    struct text bytes = {0};
    unsigned known;
    int result = read_text(item, given, "encoding", &encoding);

    if (result < 0)
        return result;
    known = encoding_of(encoding ? encoding : "");
    if (known == UNKNOWN)
        return wrong(item, EINVAL,
                     "encoding is none of text/plain, b64, base64, gz, gzip, gz+b64, gz+base64, "
                     "gzip+b64, gzip+base64");
    if (has_content && encoding_bytes(content, &bytes) < 0)
        return wrong(item, EINVAL, "content is no text; put it in quotes, or behind |");
    if (item->has_source) {
        result = source_take(host, &item->source, item->append ? NULL : item->path, out, item->why);
        /* cloud-init's rule: content stands in for a source that cannot be had. */
        if (result >= 0 || result == -EBADMSG || !has_content)
            return result;
        note_substitute(host, item);
        out->size = 0;
    }
    if (has_content)
        result = decode(item, known, text_string(&bytes), bytes.size, out);
    else
        text_add(out, "", 0);
    free(bytes.bytes);
    return has_content ? result : 0;
}
