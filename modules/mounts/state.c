/* What the module remembers; see state.h. */
#include "state.h"

#include <string.h>
#include <support/remember.h>
#include <support/text.h>

static const char module_name[] = "mounts";

static const json_t *recall(const struct bootlace_host *host, const char *group, const char *name)
{
    return json_object_get(json_object_get(remember_read(host, module_name), group), name);
}

static void keep(const struct bootlace_host *host, const char *group, const char *name,
                 json_t *value)
{
    json_t *all = remember_read(host, module_name), *members = json_object_get(all, group);
    int result;

    if (!json_is_object(members)) {
        members = text_need(json_object());
        json_object_set_new(all, group, members);
    }
    json_object_set_new(members, name, text_need(value));
    result = remember_write(host, module_name, all);
    if (result < 0)
        host->log(host, BOOTLACE_WARNING, "what was done to %s cannot be remembered: %s", name,
                  strerror(-result));
    json_decref(all);
}

bool state_is_made(const struct bootlace_host *host, const char *name, const char *uuid)
{
    const char *made = json_string_value(recall(host, "made", name));

    /* Both are "" where the type of file system has no UUID. */
    return made && strcmp(made, uuid) == 0;
}

void state_made(const struct bootlace_host *host, const char *name, const char *uuid)
{
    keep(host, "made", name, json_string(uuid));
}

bool state_fills(const struct bootlace_host *host, const char *uuid, uint64_t size)
{
    return (uint64_t)json_integer_value(recall(host, "filled", uuid)) == size;
}

void state_filled(const struct bootlace_host *host, const char *uuid, uint64_t size)
{
    keep(host, "filled", uuid, json_integer((json_int_t)size));
}
