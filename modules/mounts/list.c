/* Mounts as lines of fstab(5); see list.h. */
#include "list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <support/text.h>

#include "filesystem.h"
#include "place.h"

enum { FIELDS = 6 };

static const char *const own_defaults[FIELDS] = {NULL, NULL, "auto", "defaults,nofail", "0", "2"};

/* A field as text; numbers may stand there as such. */
static const char *field(const json_t *list, size_t i)
{
    const json_t *value = json_array_get(list, i);

    if (json_is_integer(value))
        return text_format("%lld", (long long)json_integer_value(value));
    return json_string_value(value);
}

const char *list_name(const json_t *item)
{
    const char *target = field(item, 1), *source = field(item, 0);

    return target && strcmp(target, "none") != 0 ? target
           : source                              ? source
                                                 : "an item without source";
}

static const char *fill(const json_t *item, const json_t *defaults, size_t i)
{
    const char *value = field(item, i);

    value = value ? value : field(defaults, i);
    return value ? value : own_defaults[i];
}

/* By UUID, where the device has something with one; what is there says what it is, too. */
static int by_uuid(struct place *place, const char **why)
{
    struct content content;
    int result = content_read(place->device, &content, why);

    if (result < 0)
        return result;
    if (!*content.type) {
        *why = text_format("%s has %s; fs_setup or volumes make a file system", place->device,
                           content_text(&content));
        return -ENODATA;
    }
    place->line.source = *content.uuid ? text_format("UUID=%s", content.uuid) : place->device;
    if (strcmp(place->line.type, "auto") == 0)
        place->line.type = text_format("%s", content.type);
    return 0;
}

static bool is_swap(const struct table_line *line)
{
    return strcmp(line->type, "swap") == 0;
}

static int check(const struct table_line *line, const char **why)
{
    *why = "its target is no absolute path without . and ..";
    return is_swap(line) || place_is_target(line->target) ? 0 : -EINVAL;
}

int list_mount(const struct device_names *names, const json_t *item, const json_t *defaults,
               const char **why)
{
    struct place place = {.line = {fill(item, defaults, 0), fill(item, defaults, 1),
                                   fill(item, defaults, 2), fill(item, defaults, 3),
                                   fill(item, defaults, 4), fill(item, defaults, 5)}};
    struct table_line *line = &place.line;
    int result;

    if (!line->source || !line->target) {
        *why = "it has no target";
        return 0;
    }
    result = check(line, why);
    if (result < 0 || !device_is_name(names, line->source))
        return result < 0 ? result : place_take(names->host, &place, why);
    if (device_is_absent_store(names, line->source)) {
        *why = "this instance has no such store";
        return 0;
    }
    place.device = device_find(names, line->source, NULL, DEVICE_WAIT_S, why);
    if (!place.device)
        return -ENODEV;
    result = by_uuid(&place, why);
    if (result == 0 && is_swap(line))
        line->target = "none";
    return result < 0 ? result : place_take(names->host, &place, why);
}
