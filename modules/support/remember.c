/* What a module remembers; see remember.h. */
#include <support/remember.h>

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/tree.h>

#define FNV_OFFSET UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

enum { FILE_MODE = 0600 };

static void make_path(char path[REMEMBER_PATH_MAX], const char *name)
{
    snprintf(path, REMEMBER_PATH_MAX, "/var/lib/bootlace/modules/%s.json", name);
}

json_t *remember_read(const struct bootlace_host *host, const char *name)
{
    char path[REMEMBER_PATH_MAX];
    struct text text = {0};
    json_t *object = NULL;

    make_path(path, name);
    if (tree_read(host, path, &text, NULL) == 0)
        object = json_loads(text_string(&text), JSON_REJECT_DUPLICATES, NULL);
    free(text.bytes);
    if (json_is_object(object))
        return object;
    json_decref(object);
    return text_need(json_object());
}

int remember_write(const struct bootlace_host *host, const char *name, const json_t *object)
{
    char path[REMEMBER_PATH_MAX];
    struct text text = {0};
    char *line;
    int result;

    if (host->dry_run)
        return 0;
    make_path(path, name);
    line = text_need(json_dumps(object, JSON_SORT_KEYS));
    text_add_format(&text, "%s\n", line);
    result = tree_put(host, path, &text, FILE_MODE);
    free(line);
    free(text.bytes);
    return result < 0 ? result : 0;
}

void remember_digest(char digest[REMEMBER_DIGEST_MAX], const char *const *texts,
                     const size_t *sizes, size_t count)
{
    uint64_t hash = FNV_OFFSET;
    size_t all = 0;

    for (size_t i = 0; i < count; i++) {
        /* The final zero is counted, so that no two lists of texts look the same. */
        for (size_t j = 0; j <= sizes[i]; j++)
            hash = (hash ^ (j < sizes[i] ? (unsigned char)texts[i][j] : 0)) * FNV_PRIME;
        all += sizes[i];
    }
    snprintf(digest, REMEMBER_DIGEST_MAX, "%016" PRIx64 "-%zu", hash, all);
}

void remember_digest_json(char digest[REMEMBER_DIGEST_MAX], const json_t *value)
{
    char *text = text_need(json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY));
    const char *const texts[] = {text};
    const size_t sizes[] = {strlen(text)};

    remember_digest(digest, texts, sizes, 1);
    free(text);
}
