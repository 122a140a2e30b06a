/* JSON, by jansson: the few helpers that keep its callers short. */
#include "base/json.h"

#include "base/banned.h"
#include "base/file.h"
#include "base/memory.h"

void json_release(json_t **value)
{
    json_decref(*value);
}

const char *json_text_of(const json_t *object, const char *key, const char *fallback)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : fallback;
}

int64_t json_number_of(const json_t *object, const char *key, int64_t fallback)
{
    const json_t *value = json_object_get(object, key);

    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

bool json_flag_of(const json_t *object, const char *key, bool fallback)
{
    const json_t *value = json_object_get(object, key);

    return json_is_boolean(value) ? json_is_true(value) : fallback;
}

void json_put(json_t *object, const char *key, json_t *value)
{
    if (!value || json_object_set_new(object, key, value) < 0)
        memory_exhausted();
}

void json_add(json_t *array, json_t *value)
{
    if (!value || json_array_append_new(array, value) < 0)
        memory_exhausted();
}

void json_put_text(json_t *object, const char *key, const char *text)
{
    if (text)
        json_put(object, key, json_lossy_string(text, strlen(text)));
}

void json_put_number(json_t *object, const char *key, int64_t number)
{
    json_put(object, key, json_integer(number));
}

void json_put_flag(json_t *object, const char *key, bool flag)
{
    json_put(object, key, json_boolean(flag));
}

/* The length of the UTF-8 sequence at bytes (RFC 3629), 0 where there is none. */
static size_t sequence_length(const unsigned char *bytes, size_t left)
{
    size_t length = bytes[0] < 0x80   ? 1
                    : bytes[0] < 0xc2 ? 0
                    : bytes[0] < 0xe0 ? 2
                    : bytes[0] < 0xf0 ? 3
                    : bytes[0] < 0xf5 ? 4
                                      : 0;

    if (!length || length > left)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    }
    if ((bytes[0] == 0xe0 && bytes[1] < 0xa0) || (bytes[0] == 0xed && bytes[1] > 0x9f) ||
        (bytes[0] == 0xf0 && bytes[1] < 0x90) || (bytes[0] == 0xf4 && bytes[1] > 0x8f))
        return 0;
    return length;
}

json_t *json_lossy_string(const char *bytes, size_t size)
{
    static const char replacement[] = "\xef\xbf\xbd";
    AUTO_BUFFER struct buffer text = BUFFER_INIT(SIZE_MAX / 2);
    json_t *value = json_stringn(bytes, size);

    if (value)
        return value;
    for (size_t i = 0; i < size;) {
        size_t length = sequence_length((const unsigned char *)bytes + i, size - i);

        if (length)
            buffer_append(&text, bytes + i, length);
        else
            buffer_append(&text, replacement, sizeof replacement - 1);
        i += length ? length : 1;
    }
    return memory_need(json_stringn(buffer_text(&text), text.size));
}

char *json_digest(const json_t *value, char text[static DIGEST_TEXT_MAX])
{
    AUTO_FREE char *whole =
        memory_need(json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY));
    struct digest digest;

    digest_init(&digest);
    digest_add_text(&digest, whole);
    return digest_text(&digest, text);
}

char *json_one_line(const json_t *value)
{
    return memory_need(json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY));
}

char *json_indented(const json_t *value)
{
    return memory_need(json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY));
}

json_t *json_parse(const char *text, size_t size, const char *where, struct error *error)
{
    json_error_t details;
    json_t *value = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &details);

    if (value)
        return value;
    /* jansson's text quotes what it found near the error, which may be a secret: drop that. */
    details.text[strcspn(details.text, "'")] = '\0';
    error_set(error, ERROR_INPUT, "not valid JSON: %s", details.text);
    error_at(error, where, (unsigned)details.line, (unsigned)details.column);
    return NULL;
}

int json_read_file(int folder, const char *path, size_t maximum, json_t **out, struct error *error)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(maximum);
    int got = file_read(folder, path, &text, error);

    if (got <= 0)
        return got;
    *out = json_parse(buffer_text(&text), text.size, path, error);
    return *out ? 1 : -1;
}
