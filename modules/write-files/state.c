/* What write_files remembers; see state.h. */
#include <write-files/state.h>

#include <support/text.h>
#include <support/tree.h>
#include <write-files/files.h>

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define STATE_PATH "/var/lib/bootlace/modules/write-files.json"
#define FNV_OFFSET UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

enum { STATE_MODE = 0600 };

const char state_appended[] = "appended", state_waiting[] = "waiting";

static json_t *list_of(const struct state *state, const char *name)
{
    json_t *list = json_object_get(state->object, name);

    if (!json_is_array(list)) {
        list = text_need(json_array());
        json_object_set_new(state->object, name, list);
    }
    return list;
}

void state_read(const struct bootlace_host *host, struct state *state)
{
    struct text text = {0};

    state->object = NULL;
    if (tree_read(host, STATE_PATH, &text, NULL) == 0)
        state->object = json_loads(text_string(&text), JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(state->object))
        state->object = text_need(json_object());
}

static size_t find(const json_t *list, const char *digest)
{
    size_t i = 0;

    while (i < json_array_size(list)) {
        const char *item = json_string_value(json_array_get(list, i));

        if (item && strcmp(item, digest) == 0)
            break;
        i++;
    }
    return i;
}

bool state_has(const struct state *state, const char *name, const char *digest)
{
    const json_t *list = list_of(state, name);

    return find(list, digest) < json_array_size(list);
}

static int write_state(const struct bootlace_host *host, const struct state *state)
{
    struct text text = {0};
    int result;

    if (host->dry_run)
        return 0;
    text_add_format(&text, "%s\n", (char *)text_need(json_dumps(state->object, JSON_COMPACT)));
    result = tree_put(host, STATE_PATH, &text, STATE_MODE);
    return result < 0 ? result : 0;
}

int state_add(const struct bootlace_host *host, struct state *state, const char *name,
              const char *digest)
{
    json_t *list = list_of(state, name);

    if (state_has(state, name, digest))
        return 0;
    if (json_array_size(list) >= FILES_REMEMBERED_MAX)
        json_array_remove(list, 0);
    json_array_append_new(list, text_need(json_string(digest)));
    return write_state(host, state);
}

int state_remove(const struct bootlace_host *host, struct state *state, const char *name,
                 const char *digest)
{
    json_t *list = list_of(state, name);
    size_t at = find(list, digest);

    if (at == json_array_size(list))
        return 0;
    json_array_remove(list, at);
    return write_state(host, state);
}

void state_digest(char digest[STATE_DIGEST_MAX], const char *const *texts, const size_t *sizes,
                  size_t count)
{
    uint64_t hash = FNV_OFFSET;
    size_t all = 0;

    for (size_t i = 0; i < count; i++) {
        /* The final zero is counted, so that no two lists of texts look the same. */
        for (size_t j = 0; j <= sizes[i]; j++)
            hash = (hash ^ (j < sizes[i] ? (unsigned char)texts[i][j] : 0)) * FNV_PRIME;
        all += sizes[i];
    }
    snprintf(digest, STATE_DIGEST_MAX, "%016" PRIx64 "-%zu", hash, all);
}
