/* JSON Patch (RFC 6902); see patch.h. */
#include "config/patch.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"

enum { INDEX_MAX = 10000000 };

/* An operation under way. */
struct patch {
    json_t **document;
    struct positions *positions;
    json_t *operations;
    size_t number; /* of the operation, from 0 */
    json_t *operation;
    size_t values; /* that were put somewhere so far */
    struct error *error;
};

/* The slot that a pointer leads to: a member of an object, or an item of a list. */
struct slot {
    json_t *holder; /* NULL: it is the whole document */
    char *name;     /* of the member; owned */
    size_t index;   /* of the item; the list's size for "-" */
};

static void slot_clear(struct slot *slot)
{
    free(slot->name);
    slot->name = NULL;
}

#define AUTO_SLOT __attribute__((cleanup(slot_clear)))

static int refuse(const struct patch *patch, const char *what)
{
    struct position position = {0};

    positions_item(patch->positions, patch->operations, patch->number, &position);
    error_set(patch->error, ERROR_INPUT, "operation %zu of the patch: %s", patch->number + 1, what);
    return error_at(patch->error, position.where, position.line, position.column);
}

/* The next reference of a pointer, unescaped (RFC 6901, section 4); NULL: the escape is none. */
static char *take_reference(const char **pointer)
{
    const char *end = *pointer + 1 + strcspn(*pointer + 1, "/");
    char *text = memory_zeroed((size_t)(end - *pointer), 1), *out = text;

    for (const char *c = *pointer + 1; c < end; c++) {
        if (*c != '~') {
            *out++ = *c;
        } else if (c[1] == '0' || c[1] == '1') {
            *out++ = *++c == '0' ? '~' : '/';
        } else {
            free(text);
            return NULL;
        }
    }
    *pointer = end;
    return text;
}

/* A list's index, or its end where that is "-"; false: it is none. */
static bool read_index(const char *text, const json_t *list, size_t *index)
{
    size_t digits = strspn(text, "0123456789");

    *index = json_array_size(list);
    if (strcmp(text, "-") == 0)
        return true;
    if (!digits || text[digits] || digits > 8 || (digits > 1 && *text == '0'))
        return false;
    *index = (size_t)strtoul(text, NULL, 10);
    return *index <= INDEX_MAX;
}

/* What is in a slot, or NULL. */
static json_t *slot_value(const struct patch *patch, const struct slot *slot)
{
    if (!slot->holder)
        return *patch->document;
    return slot->name ? json_object_get(slot->holder, slot->name)
                      : json_array_get(slot->holder, slot->index);
}

/* Leads a pointer to its slot, whose holder must be there. */
static int find_slot(const struct patch *patch, const char *pointer, struct slot *slot)
{
    unsigned depth = 0;

    *slot = (struct slot){0};
    if (*pointer && *pointer != '/')
        return refuse(patch, "a path begins with /");
    while (*pointer) {
        json_t *holder = slot_value(patch, slot);
        AUTO_FREE char *reference = take_reference(&pointer);

        slot_clear(slot);
        if (!reference || ++depth > PATCH_DEPTH_MAX)
            return refuse(patch, "its path is none: ~ is followed by 0 or 1, and there is a limit "
                                 "of 64 levels");
        *slot = (struct slot){.holder = holder};
        if (json_is_object(holder)) {
            slot->name = reference;
            reference = NULL;
        } else if (!json_is_array(holder)) {
            return refuse(patch, "its path leads nowhere");
        } else if (!read_index(reference, holder, &slot->index)) {
            return refuse(patch, "its path has something that is no index of a list");
        }
    }
    return 0;
}

static int find_value(const struct patch *patch, const char *pointer, struct slot *slot,
                      json_t **value)
{
    if (find_slot(patch, pointer, slot) < 0)
        return -1;
    *value = slot_value(patch, slot);
    return *value ? 0 : refuse(patch, "there is nothing at its path");
}

/* What is taken out lives as long as the positions do, or another could get its place. */
static void keep(const struct patch *patch, json_t *value)
{
    if (patch->positions && value)
        positions_keep(patch->positions, json_incref(value));
}

/* Takes the value out of its slot; the items behind it move up. */
static int cut(const struct patch *patch, const struct slot *slot)
{
    if (!slot->holder)
        return refuse(patch, "the whole cloud-config cannot be removed");
    keep(patch, slot_value(patch, slot));
    if (slot->name) {
        json_object_del(slot->holder, slot->name);
        return 0;
    }
    for (size_t i = slot->index; patch->positions && i + 1 < json_array_size(slot->holder); i++)
        positions_copy_item(patch->positions, slot->holder, i + 1, slot->holder, i);
    json_array_remove(slot->holder, slot->index);
    return 0;
}

/* Puts a value into its slot, an item before those that are there; the slot's place is not yet
 * known. Takes the reference. */
static int put(const struct patch *patch, const struct slot *slot, json_t *value)
{
    size_t size = json_array_size(slot->holder);

    if (!slot->holder || slot->name)
        keep(patch, slot_value(patch, slot));
    if (!slot->holder) {
        json_decref(*patch->document);
        *patch->document = value;
        return 0;
    }
    if (slot->name)
        return json_object_set_new(slot->holder, slot->name, value);
    if (slot->index > size) {
        json_decref(value);
        return refuse(patch, "its path is beyond the end of the list");
    }
    for (size_t i = size; patch->positions && i > slot->index; i--)
        positions_copy_item(patch->positions, slot->holder, i - 1, slot->holder, i);
    return json_array_insert_new(slot->holder, slot->index, value);
}

/* Counts what is put somewhere: a few copies of copies would fill any memory. */
static bool count_values(struct patch *patch, const json_t *value, unsigned depth)
{
    const char *key;
    json_t *child;
    size_t index;

    if (depth > PATCH_DEPTH_MAX || ++patch->values > PATCH_VALUES_MAX)
        return false;
    json_object_foreach((json_t *)value, key, child)
    {
        if (!count_values(patch, child, depth + 1))
            return false;
    }
    json_array_foreach(value, index, child)
    {
        if (!count_values(patch, child, depth + 1))
            return false;
    }
    return true;
}

/* A copy of the value, or NULL and an error. */
static json_t *copy_of(struct patch *patch, json_t *value)
{
    if (!count_values(patch, value, 1)) {
        refuse(patch, "it makes too much: at most 1000000 values, within each other 64 times");
        return NULL;
    }
    return patch->positions ? positions_deep_copy(patch->positions, value)
                            : memory_need(json_deep_copy(value));
}

static int put_copy(struct patch *patch, const struct slot *slot, json_t *value)
{
    json_t *copy = copy_of(patch, value);

    return copy ? put(patch, slot, copy) : -1;
}

/* The slot stands where the patch has the value. */
static void place(const struct patch *patch, const struct slot *slot)
{
    struct position key = {0}, value = {0};

    if (!patch->positions || !slot->holder)
        return;
    if (slot->name)
        positions_copy_member(patch->positions, patch->operation, "value", slot->holder,
                              slot->name);
    else if (positions_member(patch->positions, patch->operation, "value", &key, &value))
        positions_put_item(patch->positions, slot->holder, slot->index, value);
}

static int add(struct patch *patch, const char *path, json_t *value)
{
    AUTO_SLOT struct slot slot = {0};

    if (find_slot(patch, path, &slot) < 0 || put_copy(patch, &slot, value) < 0)
        return -1;
    place(patch, &slot);
    return 0;
}

static int replace(struct patch *patch, const char *path, json_t *value)
{
    AUTO_SLOT struct slot slot = {0};
    json_t *old;

    if (find_value(patch, path, &slot, &old) < 0)
        return -1;
    if (slot.holder && !slot.name && cut(patch, &slot) < 0)
        return -1;
    if (put_copy(patch, &slot, value) < 0)
        return -1;
    place(patch, &slot);
    return 0;
}

static int drop(const struct patch *patch, const char *path)
{
    AUTO_SLOT struct slot slot = {0};
    json_t *value;

    return find_value(patch, path, &slot, &value) < 0 ? -1 : cut(patch, &slot);
}

/* copy, or move. */
static int transfer(struct patch *patch, const char *from, const char *path, bool move)
{
    AUTO_SLOT struct slot source = {0}, target = {0};
    AUTO_JSON json_t *copy = NULL;
    json_t *value;
    size_t length = strlen(from);

    if (move && strncmp(path, from, length) == 0 && path[length] == '/')
        return refuse(patch, "a value cannot be moved into itself");
    if (find_value(patch, from, &source, &value) < 0)
        return -1;
    copy = copy_of(patch, value);
    if (!copy)
        return -1;
    if (move && cut(patch, &source) < 0)
        return -1;
    if (find_slot(patch, path, &target) < 0)
        return -1;
    return put(patch, &target, json_incref(copy));
}

static int test(const struct patch *patch, const char *path, const json_t *expected)
{
    AUTO_SLOT struct slot slot = {0};
    json_t *value;

    if (find_value(patch, path, &slot, &value) < 0)
        return -1;
    return json_equal(value, expected) ? 0 : refuse(patch, "the test does not hold");
}

static int apply_one(struct patch *patch)
{
    const char *name = json_text_of(patch->operation, "op", NULL);
    const char *path = json_text_of(patch->operation, "path", NULL);
    const char *from = json_text_of(patch->operation, "from", NULL);
    json_t *value = json_object_get(patch->operation, "value");

    if (!name || !path)
        return refuse(patch, "it is no mapping with op and path");
    if (strcmp(name, "remove") == 0)
        return drop(patch, path);
    if (strcmp(name, "move") == 0 || strcmp(name, "copy") == 0)
        return from ? transfer(patch, from, path, *name == 'm') : refuse(patch, "it has no from");
    if (strcmp(name, "add") != 0 && strcmp(name, "replace") != 0 && strcmp(name, "test") != 0)
        return refuse(patch, "op is none of add, remove, replace, move, copy and test");
    if (!value)
        return refuse(patch, "it has no value");
    return *name == 'a'   ? add(patch, path, value)
           : *name == 'r' ? replace(patch, path, value)
                          : test(patch, path, value);
}

int patch_apply(json_t **document, json_t *patch, struct positions *positions, struct error *error)
{
    struct patch state = {
        .document = document, .positions = positions, .operations = patch, .error = error};

    if (!json_is_array(patch) || json_array_size(patch) > PATCH_OPERATIONS_MAX)
        return error_set(error, ERROR_INPUT, "a patch is a list of at most %d operations",
                         PATCH_OPERATIONS_MAX);
    json_array_foreach(patch, state.number, state.operation)
    {
        if (apply_one(&state) < 0)
            return -1;
    }
    if (json_is_object(*document))
        return 0;
    return error_set(error, ERROR_INPUT, "the patch leaves no mapping of keys");
}
