/* What write_files remembers; see state.h. */
#include <write-files/state.h>

#include <support/remember.h>
#include <support/text.h>
#include <write-files/files.h>

#include <string.h>

/* Both passes remember in the one file. */
static const char file_name[] = "write-files";

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
    state->object = remember_read(host, file_name);
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

bool state_has_any(const struct state *state, const char *name)
{
    return json_array_size(json_object_get(state->object, name)) > 0;
}

bool state_has(const struct state *state, const char *name, const char *digest)
{
    const json_t *list = list_of(state, name);

    return find(list, digest) < json_array_size(list);
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
    return remember_write(host, file_name, state->object);
}

int state_remove(const struct bootlace_host *host, struct state *state, const char *name,
                 const char *digest)
{
    json_t *list = list_of(state, name);
    size_t at = find(list, digest);

    if (at == json_array_size(list))
        return 0;
    json_array_remove(list, at);
    return remember_write(host, file_name, state->object);
}
