/* Signature Version 4; see aws_sign.h. */
#include <support/aws_sign.h>

#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SHA256_BYTES = 32, DATE_MAX = 17, DAY_LENGTH = 8 };

#define ALGORITHM "AWS4-HMAC-SHA256"
#define TERMINATOR "aws4_request"

/* Two texts of one line of a sorted list. */
struct entry {
    struct text name, value;
};

struct entries {
    struct entry list[AWS_SIGN_PAIRS_MAX];
    size_t count;
};

static void hex_of(const unsigned char *bytes, size_t size, char *hex)
{
    for (size_t i = 0; i < size; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
}

void aws_sha256(const void *bytes, size_t size, char hex[AWS_SHA256_HEX])
{
    unsigned char digest[SHA256_BYTES];

    if (EVP_Digest(bytes, size, digest, NULL, EVP_sha256(), NULL) != 1)
        text_need(NULL);
    hex_of(digest, sizeof digest, hex);
}

static void hmac(const void *key, size_t size, const char *text, unsigned char digest[SHA256_BYTES])
{
    if (!HMAC(EVP_sha256(), key, (int)size, (const unsigned char *)text, strlen(text), digest,
              NULL))
        text_need(NULL);
}

void aws_encode(struct text *out, const char *bytes, size_t size, const char *keep)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        const char escaped[] = {'%', hex[byte >> 4], hex[byte & 15]};
        bool stays = (byte < 0x80 && isalnum(byte)) || (byte && strchr("-._~", byte)) ||
                     (byte && strchr(keep, byte));

        text_add(out, stays ? bytes + i : escaped, stays ? 1 : sizeof escaped);
    }
}

static int compare_texts(const struct text *one, const struct text *other)
{
    return strcmp(text_string(one), text_string(other));
}

static int compare_pairs(const void *one, const void *other)
{
    const struct entry *left = one, *right = other;
    int order = compare_texts(&left->name, &right->name);

    return order ? order : compare_texts(&left->value, &right->value);
}

static struct entry *new_entry(struct entries *entries)
{
    if (entries->count == AWS_SIGN_PAIRS_MAX)
        return NULL;
    entries->list[entries->count] = (struct entry){0};
    return &entries->list[entries->count++];
}

static void clear_entries(struct entries *entries)
{
    for (size_t i = 0; i < entries->count; i++) {
        free(entries->list[i].name.bytes);
        free(entries->list[i].value.bytes);
    }
    free(entries);
}

/* The parameters, encoded and in order. */
static int add_query(const struct aws_pair *query, struct text *out)
{
    struct entries *entries = text_need(calloc(1, sizeof *entries));
    int result = 0;

    for (; query && query->name; query++) {
        struct entry *entry = new_entry(entries);

        if (!entry) {
            result = -E2BIG;
            break;
        }
        aws_encode(&entry->name, query->name, strlen(query->name), "");
        if (query->value)
            aws_encode(&entry->value, query->value, strlen(query->value), "");
    }
    qsort(entries->list, entries->count, sizeof *entries->list, compare_pairs);
    for (size_t i = 0; i < entries->count; i++)
        text_add_format(out, "%s%s=%s", i ? "&" : "", text_string(&entries->list[i].name),
                        text_string(&entries->list[i].value));
    clear_entries(entries);
    return result;
}

/* Removes the last segment of a path that has no slash at its end. */
static void drop_segment(struct text *path)
{
    while (path->size > 0 && path->bytes[--path->size] != '/')
        ;
}

/* An encoded path as other services than S3 have it: without empty, "." and ".." segments
 * (RFC 3986, 5.2.4), and encoded once more. */
static void add_normal_path(const char *path, struct text *out)
{
    struct text normal = {0};
    size_t length = 0;

    for (const char *at = path; *at; at += length) {
        at += strspn(at, "/");
        length = strcspn(at, "/");
        if (length == 2 && strncmp(at, "..", 2) == 0)
            drop_segment(&normal);
        else if (length > 0 && !(length == 1 && *at == '.'))
            text_add_format(&normal, "/%.*s", (int)length, at);
    }
    if (normal.size == 0 || path[strlen(path) - 1] == '/')
        text_add_string(&normal, "/");
    aws_encode(out, normal.bytes, normal.size, "/");
    free(normal.bytes);
}

/* Headers that proxies may change, or that are no part of the request. */
static bool is_signed(const char *name)
{
    static const char *const left_out[] = {"connection", "expect", "transfer-encoding",
                                           "user-agent", "x-amzn-trace-id"};

    for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++) {
        if (strcasecmp(name, left_out[i]) == 0)
            return false;
    }
    return true;
}

/* A value without blanks around it, and with one for several within. */
static void add_value(struct text *out, const char *value)
{
    static const char blanks[] = " \t\r\n\v\f";

    value += strspn(value, blanks);
    while (*value) {
        size_t length = strcspn(value, blanks);

        text_add(out, value, length);
        value += length;
        value += strspn(value, blanks);
        if (*value)
            text_add_string(out, " ");
    }
}

static struct entry *find_header(struct entries *entries, const char *name)
{
    for (size_t i = 0; i < entries->count; i++) {
        if (strcasecmp(text_string(&entries->list[i].name), name) == 0)
            return &entries->list[i];
    }
    return NULL;
}

/* Several headers of one name are one, with commas between their values. */
static int take_header(struct entries *entries, const char *name, const char *value)
{
    struct entry *entry = find_header(entries, name);
    bool is_new = !entry;

    if (!is_signed(name))
        return 0;
    if (is_new)
        entry = new_entry(entries);
    else
        text_add_string(&entry->value, ",");
    if (!entry)
        return -E2BIG;
    while (is_new && *name) {
        char lower = (char)tolower((unsigned char)*name++);

        text_add(&entry->name, &lower, 1);
    }
    add_value(&entry->value, value ? value : "");
    return 0;
}

/* A header that is to be sent. */
static void add_line(struct aws_signed *out, char *line)
{
    out->lines = text_need(realloc(out->lines, (out->count + 2) * sizeof *out->lines));
    out->lines[out->count++] = line;
    out->lines[out->count] = NULL;
}

static int add_header(struct entries *entries, struct aws_signed *out, const char *name,
                      const char *value)
{
    add_line(out, text_format("%s: %s", name, value ? value : ""));
    return take_header(entries, name, value);
}

/* The headers that are given, and those that signing adds. */
static int take_headers(const struct aws_sign *sign, const char *date, struct entries *entries,
                        struct aws_signed *out)
{
    const struct aws_pair *header = sign->headers;
    int result = 0;

    for (; header && header->name && result == 0; header++)
        result = add_header(entries, out, header->name, header->value);
    if (result == 0)
        result = add_header(entries, out, "X-Amz-Date", date);
    if (result == 0 && sign->is_s3)
        result = add_header(entries, out, "X-Amz-Content-SHA256", sign->payload_sha256);
    if (result == 0 && sign->credentials && sign->credentials->token)
        result = add_header(entries, out, "X-Amz-Security-Token", sign->credentials->token);
    qsort(entries->list, entries->count, sizeof *entries->list, compare_pairs);
    return result;
}

static void add_names(struct text *out, const struct entries *entries)
{
    for (size_t i = 0; i < entries->count; i++)
        text_add_format(out, "%s%s", i ? ";" : "", text_string(&entries->list[i].name));
}

static void add_canonical(const struct aws_sign *sign, const struct entries *entries,
                          const struct text *path, const struct text *query, struct text *out)
{
    text_add_format(out, "%s\n", sign->method);
    if (sign->is_s3)
        text_add_string(out, text_string(path));
    else
        add_normal_path(text_string(path), out);
    text_add_format(out, "\n%s\n", text_string(query));
    for (size_t i = 0; i < entries->count; i++)
        text_add_format(out, "%s:%s\n", text_string(&entries->list[i].name),
                        text_string(&entries->list[i].value));
    text_add_string(out, "\n");
    add_names(out, entries);
    text_add_format(out, "\n%s", sign->payload_sha256);
}

/* The key of a day, region and service, and what it makes of the string to sign. */
static void sign_string(const struct aws_sign *sign, const char *day, const char *string,
                        char hex[AWS_SHA256_HEX])
{
    unsigned char key[SHA256_BYTES], next[SHA256_BYTES];
    char *secret = text_format("AWS4%s", sign->credentials->secret);

    hmac(secret, strlen(secret), day, key);
    hmac(key, sizeof key, sign->region, next);
    hmac(next, sizeof next, sign->service, key);
    hmac(key, sizeof key, TERMINATOR, next);
    hmac(next, sizeof next, string, key);
    hex_of(key, sizeof key, hex);
    explicit_bzero(secret, strlen(secret));
    explicit_bzero(next, sizeof next);
    free(secret);
}

static void add_authorization(const struct aws_sign *sign, const char *date,
                              const struct entries *entries, struct aws_signed *out)
{
    char *scope =
        text_format("%.*s/%s/%s/" TERMINATOR, DAY_LENGTH, date, sign->region, sign->service);
    char *day = text_format("%.*s", DAY_LENGTH, date), hex[AWS_SHA256_HEX];
    struct text names = {0};

    aws_sha256(text_string(&out->canonical), out->canonical.size, hex);
    text_add_format(&out->to_sign, ALGORITHM "\n%s\n%s\n%s", date, scope, hex);
    sign_string(sign, day, text_string(&out->to_sign), hex);
    add_names(&names, entries);
    add_line(out, text_format("Authorization: " ALGORITHM
                              " Credential=%s/%s, SignedHeaders=%s, Signature=%s",
                              sign->credentials->key_id, scope, text_string(&names), hex));
    free(names.bytes);
    free(scope);
    free(day);
}

int aws_sign(const struct aws_sign *sign, struct aws_signed *out)
{
    struct entries *entries = text_need(calloc(1, sizeof *entries));
    const char *given = sign->path && *sign->path ? sign->path : "/";
    struct text path = {0}, query = {0};
    char date[DATE_MAX];
    struct tm when;
    int result;

    *out = (struct aws_signed){0};
    strftime(date, sizeof date, "%Y%m%dT%H%M%SZ", gmtime_r(&sign->when, &when));
    aws_encode(&path, given, strlen(given), "/");
    result = add_query(sign->query, &query);
    if (result == 0)
        result = take_headers(sign, date, entries, out);
    if (result == 0) {
        text_add_format(&out->target, "%s%s%s", text_string(&path), query.size ? "?" : "",
                        text_string(&query));
        add_canonical(sign, entries, &path, &query, &out->canonical);
    }
    if (result == 0 && sign->credentials)
        add_authorization(sign, date, entries, out);
    clear_entries(entries);
    free(path.bytes);
    free(query.bytes);
    return result;
}

void aws_signed_clear(struct aws_signed *out)
{
    for (size_t i = 0; i < out->count; i++)
        free((char *)out->lines[i]);
    free(out->lines);
    free(out->target.bytes);
    free(out->canonical.bytes);
    free(out->to_sign.bytes);
    *out = (struct aws_signed){0};
}
