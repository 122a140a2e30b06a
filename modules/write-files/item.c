/* One item of write_files; see item.h. Messages never quote content. */
#include <write-files/item.h>

#include <support/accounts.h>
#include <support/encoding.h>
#include <support/tree.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MODE_MAX = 07777, OCTAL = 8, NAME_MAX_BYTES = 256, DECIMAL_DIGITS = 3 };

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

/*
 * A number is taken as it is: YAML has read 0644 as octal already. Only 644 and its like, three
 * octal digits that as a decimal number would be a nonsensical mode, are told from it.
 */
static int read_mode_number(struct item *item, json_int_t number)
{
    char digits[32];

    snprintf(digits, sizeof digits, "%lld", (long long)number);
    if (number > 0777 && strlen(digits) == DECIMAL_DIGITS &&
        strspn(digits, "01234567") == DECIMAL_DIGITS)
        return wrong(item, EINVAL, "permissions %s is a decimal number; write \"0%s\"", digits,
                     digits);
    if (number < 0 || number > MODE_MAX)
        return wrong(item, EINVAL, "permissions is no mode; write octal digits, as in \"0644\"");
    item->mode = (mode_t)number;
    return 0;
}

static int read_mode(struct item *item, const json_t *given)
{
    const json_t *member = json_object_get(given, "permissions");
    const char *text = json_string_value(member);
    unsigned long mode;
    char *end;

    item->mode = ITEM_MODE_DEFAULT;
    if (!member || json_is_null(member))
        return 0;
    item->mode_given = true;
    if (json_is_integer(member))
        return read_mode_number(item, json_integer_value(member));
    if (text && strncasecmp(text, "0o", 2) == 0)
        text += 2;
    if (!text || !*text || strspn(text, "01234567") != strlen(text))
        return wrong(item, EINVAL, "permissions is no mode; write octal digits, as in \"0644\"");
    mode = strtoul(text, &end, OCTAL);
    if (mode > MODE_MAX)
        return wrong(item, EINVAL, "permissions is more than 07777");
    item->mode = (mode_t)mode;
    return 0;
}

/* "", "-1" and "none" mean: as a new file has it, which is root. cloud-init's rule. */
static const char *account_or_none(const char *name)
{
    return !*name || strcmp(name, "-1") == 0 || strcasecmp(name, "none") == 0 ? NULL : name;
}

static int find_owner(const struct bootlace_host *host, struct item *item)
{
    int result = item->user ? accounts_user(host, item->user, &item->owner) : 1;

    if (result > 0 && item->group)
        result = accounts_group(host, item->group, &item->owner_group);
    if (result < 0)
        return wrong(item, -result, "owner cannot be looked up: %s", strerror(-result));
    item->owner_is_there = result > 0;
    return 0;
}

static int read_owner(const struct bootlace_host *host, struct item *item, const json_t *given)
{
    const json_t *member = json_object_get(given, "owner");
    const char *text = json_string_value(member);
    char *copy, *colon;

    item->owner_is_there = true;
    if (!member || json_is_null(member))
        return 0;
    item->owner_given = true;
    if (json_is_integer(member))
        text = text_format("%lld", (long long)json_integer_value(member));
    if (!text || strlen(text) > NAME_MAX_BYTES || strchr(text, '\n'))
        return wrong(item, EINVAL, "owner is not USER:GROUP");
    copy = text_format("%s", text);
    colon = strchr(copy, ':');
    if (colon) {
        *colon = '\0';
        if (strchr(colon + 1, ':'))
            return wrong(item, EINVAL, "owner is not USER:GROUP");
        item->group = account_or_none(colon + 1);
    }
    item->user = account_or_none(copy);
    return find_owner(host, item);
}

int item_read(const struct bootlace_host *host, const json_t *given, struct item *item)
{
    int result;

    *item = (struct item){.path = ""};
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
        result = read_mode(item, given);
    if (result == 0)
        result = read_flag(item, given, "append", &item->append);
    if (result == 0)
        result = read_flag(item, given, "defer", &item->defer);
    return result == 0 ? read_owner(host, item, given) : result;
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
    /* Bytes cannot be in a text; what YAML calls !!binary comes as base64. */
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

/* file:///path, of the tree that is worked on. */
static int read_source(const struct bootlace_host *host, struct item *item, const json_t *source,
                       struct text *out)
{
    static const char scheme[] = "file://";
    const char *uri = json_string_value(json_object_get(source, "uri"));
    int result;

    if (!uri || !*uri)
        return wrong(item, EINVAL, "source has no uri");
    if (strncasecmp(uri, scheme, strlen(scheme)) != 0)
        return wrong(item, EPROTONOSUPPORT,
                     "source.uri is not file:///PATH, which alone is "
                     "supported; fetch it by runcmd");
    uri += strlen(scheme);
    if (strncmp(uri, "localhost/", strlen("localhost/")) == 0)
        uri += strlen("localhost");
    if (*uri != '/')
        return wrong(item, EINVAL, "source.uri names another machine; write file:///PATH");
    result = tree_read(host, uri, out, NULL);
    if (result < 0)
        return wrong(item, -result, "source.uri cannot be read: %s",
                     result == -EINVAL ? "it is no regular file" : strerror(-result));
    return 0;
}

int item_content(const struct bootlace_host *host, const json_t *given, struct item *item,
                 struct text *out)
{
    const json_t *source = json_object_get(given, "source");
    const json_t *content = json_object_get(given, "content");
    const char *encoding = NULL;
    unsigned known;
    int result = read_text(item, given, "encoding", &encoding);

    if (result < 0)
        return result;
    known = encoding_of(encoding ? encoding : "");
    if (known == UNKNOWN)
        return wrong(item, EINVAL,
                     "encoding is none of text/plain, b64, base64, gz, gzip, gz+b64, gz+base64, "
                     "gzip+b64, gzip+base64");
    if (content && !json_is_string(content) && !json_is_null(content))
        return wrong(item, EINVAL, "content is no text; put it in quotes, or behind |");
    if (source && !json_is_null(source)) {
        result = read_source(host, item, source, out);
        /* cloud-init's rule: content stands in for a source that cannot be had. */
        if (result == 0 || !json_is_string(content))
            return result;
        host->log(host, BOOTLACE_WARNING, "%s: %s; its content is used", item->path, item->why);
        out->size = 0;
    }
    if (!json_is_string(content)) {
        text_add(out, "", 0);
        return 0;
    }
    return decode(item, known, json_string_value(content), json_string_length(content), out);
}
