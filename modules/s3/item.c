/* One item of `s3:`; see item.h. */
#include <s3/item.h>

#include <s3/pattern.h>
#include <support/text.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SCHEME "s3://"

enum { STRIP_MAX = 32, READ_BITS = 0444, SEARCH_SHIFT = 2, OWNER_ALL = 0700 };

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

/* A member that is a text, or absent. */
static int read_text(struct item *item, const json_t *given, const char *key, const char **value)
{
    const json_t *member = json_object_get(given, key);

    if (!member || json_is_null(member))
        return 0;
    if (!json_is_string(member) || json_string_length(member) != strlen(json_string_value(member)))
        return wrong(item, EINVAL, "%s is no text; put it in quotes", key);
    *value = *json_string_value(member) ? json_string_value(member) : NULL;
    return 0;
}

static int read_flag(struct item *item, const json_t *given, const char *key, bool *value)
{
    const json_t *member = json_object_get(given, key);

    if (!member || json_is_null(member))
        return 0;
    if (!json_is_boolean(member))
        return wrong(item, EINVAL, "%s is neither true nor false", key);
    *value = json_is_true(member);
    return 0;
}

static int read_number(struct item *item, const json_t *given, const char *key, unsigned least,
                       unsigned most, unsigned *value)
{
    const json_t *member = json_object_get(given, key);

    if (!member || json_is_null(member))
        return 0;
    if (!json_is_integer(member) || json_integer_value(member) < least ||
        json_integer_value(member) > most)
        return wrong(item, EINVAL, "%s is no whole number from %u to %u", key, least, most);
    *value = (unsigned)json_integer_value(member);
    return 0;
}

static int read_patterns(struct item *item, const json_t *given, const char *key,
                         const json_t **list)
{
    json_t *member = json_object_get(given, key), *pattern;
    size_t i;

    if (!member || json_is_null(member))
        return 0;
    if (json_is_string(member)) {
        pattern = text_need(json_array());
        json_array_append(pattern, member);
        member = pattern;
    }
    if (!json_is_array(member) || json_array_size(member) > PATTERNS_MAX)
        return wrong(item, EINVAL, "%s is no list of at most %d patterns", key, PATTERNS_MAX);
    json_array_foreach(member, i, pattern)
    {
        if (!json_is_string(pattern) || json_string_length(pattern) > PATTERN_MAX ||
            json_string_length(pattern) == 0)
            return wrong(item, EINVAL, "%s has one that is no pattern", key);
    }
    *list = member;
    return 0;
}

/* s3://BUCKET/KEY, or s3://BUCKET. A key is taken as it is: nothing in it is encoded. */
static int read_location(struct item *item, const char *url, const char *setting)
{
    const char *bucket = url + strlen(SCHEME);
    size_t size = strcspn(bucket, "/");

    if (size == 0 || size > ITEM_BUCKET_MAX || strcspn(bucket, " ?#@:%\\") < size)
        return wrong(item, EINVAL, "%s names no bucket; write s3://BUCKET/KEY", setting);
    item->bucket = text_format("%.*s", (int)size, bucket);
    item->key = text_format("%s", bucket + size + (bucket[size] == '/'));
    if (strlen(item->key) > ITEM_KEY_MAX)
        return wrong(item, ENAMETOOLONG, "%s has a key of more than %d bytes", setting,
                     ITEM_KEY_MAX);
    return 0;
}

static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static int read_path(struct item *item, const char *path, const char *setting)
{
    size_t length = strlen(path);

    if (*path != '/')
        return wrong(item, EINVAL, "%s is neither %sBUCKET/KEY nor a path that begins with /",
                     setting, SCHEME);
    while (length > 1 && path[length - 1] == '/')
        length--;
    item->path = text_format("%.*s", (int)length, path);
    return 0;
}

static bool ends_with_slash(const char *text)
{
    return *text && text[strlen(text) - 1] == '/';
}

/* Where one object goes: to the path itself, or under its own name into a folder ("/srv/"). */
static int read_download(struct item *item, const char *to)
{
    const char *name = last_name(item->key);

    item->tree = !*item->key || ends_with_slash(item->key);
    if (item->tree || item->extract)
        return 0;
    if (ends_with_slash(to)) {
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            return wrong(item, EINVAL, "from ends with no name of a file; say in to what it is");
        item->path = text_format("%s%s", to, name);
    }
    item->name = text_format("%s", last_name(item->path));
    if (!*item->name || strcmp(item->name, ".") == 0 || strcmp(item->name, "..") == 0)
        return wrong(item, EISDIR, "to ends with no name of a file");
    return 0;
}

static int read_upload(struct item *item, const json_t *given, const char *from)
{
    static const char *const others[] = {"owner", "mode", "extract", "strip", "checksum"};

    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (json_object_get(given, others[i]))
            return wrong(item, EINVAL, "%s is for what is copied to the instance", others[i]);
    }
    item->tree = ends_with_slash(from);
    if (item->tree && *item->key && !ends_with_slash(item->key))
        item->key = text_format("%s/", item->key);
    if (!item->tree && (!*item->key || ends_with_slash(item->key)))
        item->key = text_format("%s%s", item->key, last_name(item->path));
    return strlen(item->key) > ITEM_KEY_MAX
               ? wrong(item, ENAMETOOLONG, "the key has more than %d bytes", ITEM_KEY_MAX)
               : 0;
}

static int read_ends(struct item *item, const json_t *given)
{
    const char *from = NULL, *to = NULL;
    bool down;
    int result = read_text(item, given, "from", &from);

    if (result == 0)
        result = read_text(item, given, "to", &to);
    if (result < 0)
        return result;
    if (!from || !to)
        return wrong(item, EINVAL, "has no %s", from ? "to" : "from");
    item->label = text_format("%s to %s", from, to);
    down = strncasecmp(from, SCHEME, strlen(SCHEME)) == 0;
    item->upload = strncasecmp(to, SCHEME, strlen(SCHEME)) == 0;
    if (down == item->upload)
        return wrong(item, EINVAL, "one of from and to must begin with %s, and the other with /",
                     SCHEME);
    result = read_location(item, down ? from : to, down ? "from" : "to");
    if (result == 0)
        result = read_path(item, down ? to : from, down ? "to" : "from");
    if (result < 0)
        return result;
    return down ? read_download(item, to) : read_upload(item, given, from);
}

static int read_checksum(struct item *item, const json_t *given)
{
    const char *text = NULL;
    int result = read_text(item, given, "checksum", &text);

    if (result < 0 || !text)
        return result;
    if (item->tree)
        return wrong(item, EINVAL, "checksum is of one object, not of a tree");
    if (checksum_parse(text, &item->checksum) < 0)
        return wrong(item, EINVAL, "checksum is not sha256: and 64 hexadecimal digits");
    return 0;
}

static int read_archive(struct item *item, const json_t *given)
{
    int result = read_number(item, given, "strip", 0, STRIP_MAX, &item->strip);

    if (result < 0)
        return result;
    if (item->strip && !item->extract)
        return wrong(item, EINVAL, "strip is for archives; say extract: true");
    if (item->extract && item->tree)
        return wrong(item, EINVAL, "extract is for one archive, not for a tree");
    return 0;
}

static int read_how(const struct bootlace_host *host, const json_t *given, struct item *item)
{
    int result = read_archive(item, given);

    if (result == 0)
        result = read_checksum(item, given);
    if (result == 0)
        result = read_flag(item, given, "if_changed", &item->if_changed);
    if (result == 0)
        result = read_text(item, given, "region", &item->region);
    if (result == 0)
        result = read_text(item, given, "endpoint", &item->endpoint);
    if (result == 0)
        result =
            read_number(item, given, "connections", 1, ITEM_CONNECTIONS_MAX, &item->connections);
    if (result == 0)
        result = read_patterns(item, given, "include", &item->include);
    if (result == 0)
        result = read_patterns(item, given, "exclude", &item->exclude);
    if (result == 0 && (item->include || item->exclude) && !item->tree)
        result = wrong(item, EINVAL, "include and exclude are for trees: from must end with /");
    if (result == 0)
        result = rights_read(host, given, "mode", &item->rights, item->why, sizeof item->why);
    return result;
}

int item_read(const struct bootlace_host *host, const json_t *given, struct item *item)
{
    mode_t mode;
    int result;

    *item = (struct item){.label = "", .if_changed = true, .rights.mode = ITEM_MODE};
    if (!json_is_object(given))
        return wrong(item, EINVAL, "is no mapping with from and to");
    remember_digest_json(item->digest, given);
    result = read_flag(item, given, "extract", &item->extract);
    if (result == 0)
        result = read_ends(item, given);
    if (result == 0)
        result = read_how(host, given, item);
    mode = item->rights.mode & 0777;
    item->folder_mode =
        item->rights.mode_given ? mode | OWNER_ALL | ((mode & READ_BITS) >> SEARCH_SHIFT) : 0755;
    if (result == 0 && !item->rights.owner_is_there)
        result = wrong(item, ENOENT, "its owner %s is not there; create it by users or packages",
                       rights_owner_text(&item->rights));
    return result;
}
