/* The variables of templates; see variables.h. */
#include "verbs/variables.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"

enum { NAME_MAX_BYTES = 256, ITEM_MAX = 64 << 10 };

static const char cloud_name[] = "aws";

/* What cloud-init calls by other names than the metadata does. */
static const struct {
    const char *name;
    const char *path;
} standard[] = {
    {"region", "placement/region"},
    {"availability_zone", "placement/availability-zone"},
    {"local_hostname", "local-hostname"},
    {"instance_id", "instance-id"},
    {"public_ssh_keys", "public-keys/0/openssh-key"},
};

/* Puts a value below an object, by the parts of a path; what is in the way stays. */
static void put_below(json_t *object, const char *path, json_t *value)
{
    char name[NAME_MAX_BYTES];
    size_t length;

    while ((length = strcspn(path, "/")) < sizeof name && path[length]) {
        json_t *next;

        snprintf(name, sizeof name, "%.*s", (int)length, path);
        next = json_object_get(object, name);
        if (!next) {
            next = memory_need(json_object());
            json_put(object, name, next);
        }
        if (!json_is_object(next)) {
            json_decref(value);
            return;
        }
        object = next;
        path += length + 1;
    }
    json_put(object, path, value);
}

/* Reads an item into place; that there is none is for the template to tell. */
static int read_item(json_t *object, const char *place, const char *path,
                     const struct parts_setup *setup, struct error *error)
{
    AUTO_BUFFER struct buffer value = BUFFER_INIT(ITEM_MAX);
    int got = setup->item(setup->context, path, &value, error);

    if (got > 0)
        put_below(object, place, json_lossy_string(buffer_text(&value), value.size));
    return got < 0 ? -1 : 0;
}

/* The path of a name: dots are folders, and an item's name has - where a variable's has _. */
static void path_of(const char *name, char path[static NAME_MAX_BYTES])
{
    snprintf(path, NAME_MAX_BYTES, "%s", name);
    for (char *c = path; *c; c++)
        *c = *c == '.' ? '/' : *c == '_' ? '-' : *c;
}

static int add_standard(json_t *v1, const char *name, const struct parts_setup *setup,
                        struct error *error)
{
    for (size_t i = 0; i < ARRAY_SIZE(standard); i++) {
        if (strcmp(name, standard[i].name) == 0)
            return read_item(v1, standard[i].name, standard[i].path, setup, error);
    }
    return 0;
}

static bool is_standard(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(standard); i++) {
        if (strcmp(name, standard[i].name) == 0)
            return true;
    }
    return strcmp(name, "cloud_name") == 0;
}

/* What is below v1 has its bare name, too, unless the metadata has an item of that name. */
static void add_aliases(json_t *variables)
{
    const char *name;
    json_t *value;

    json_object_foreach(json_object_get(variables, "v1"), name, value)
    {
        if (!json_object_get(variables, name))
            json_put(variables, name, json_incref(value));
    }
}

static int add_name(json_t *variables, const char *name, const struct parts_setup *setup,
                    struct error *error)
{
    static const char v1[] = "v1.", metadata[] = "ds.meta_data.";
    char path[NAME_MAX_BYTES];
    json_t *below = variables;

    if (strncmp(name, v1, strlen(v1)) == 0)
        return add_standard(json_object_get(variables, "v1"), name + strlen(v1), setup, error);
    if (strncmp(name, metadata, strlen(metadata)) == 0) {
        name += strlen(metadata);
        below = json_object_get(json_object_get(variables, "ds"), "meta_data");
    } else if (strcmp(name, "v1") == 0 || strncmp(name, "ds", 2) == 0) {
        return 0;
    } else if (is_standard(name)) {
        return add_standard(json_object_get(variables, "v1"), name, setup, error);
    }
    path_of(name, path);
    return read_item(below, path, path, setup, error);
}

json_t *variables_make(const json_t *names, const struct parts_setup *setup, struct error *error)
{
    AUTO_JSON json_t *variables = memory_need(json_object());
    json_t *v1 = memory_need(json_object()), *ds = memory_need(json_object());
    const json_t *name;
    size_t i;

    json_put(variables, "v1", v1);
    json_put(variables, "ds", ds);
    json_put(ds, "meta_data", memory_need(json_object()));
    json_put_text(v1, "instance_id", setup->instance_id);
    json_put_text(v1, "cloud_name", strcmp(setup->source, "ec2") == 0 ? cloud_name : "unknown");
    json_array_foreach(names, i, name)
    {
        if (add_name(variables, json_string_value(name), setup, error) < 0)
            return NULL;
    }
    add_aliases(variables);
    return TAKE_POINTER(variables);
}
