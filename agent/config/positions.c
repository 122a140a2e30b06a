/* Where values stand: a hash table from slots to lines and columns; see positions.h. */
#include "config/positions.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"

enum { FIRST_CAPACITY = 512 };

void positions_clear(struct positions *positions)
{
    if (!positions)
        return;
    for (size_t i = 0; i < positions->source_count; i++)
        free(positions->sources[i]);
    free(positions->sources);
    free(positions->entries);
    free(positions->table);
    json_decref(positions->kept);
    *positions = (struct positions){0};
}

void positions_source(struct positions *positions, const char *where)
{
    positions->source = 0;
    if (!where || positions->source_count >= POSITIONS_SOURCES_MAX)
        return;
    positions->sources =
        memory_grow(positions->sources, positions->source_count, sizeof *positions->sources);
    positions->sources[positions->source_count++] = memory_copy_string(where);
    positions->source = (uint32_t)positions->source_count;
}

/* Fibonacci hashing: addresses differ in their middle bits, indexes in their low ones. */
static size_t slot_of(const struct positions *positions, const void *owner, uint32_t index)
{
    uint64_t mixed = ((uint64_t)(uintptr_t)owner >> 4) + (uint64_t)index * 0x9e3779b1U;

    mixed *= 0x9e3779b97f4a7c15U;
    return (size_t)(mixed >> 32 ^ mixed >> 8) & (positions->capacity - 1);
}

/* The place in the table that a slot has, or the free one where it would be. */
static uint32_t *place_of(const struct positions *positions, const void *owner, uint32_t index)
{
    size_t at = slot_of(positions, owner, index);

    while (positions->table[at]) {
        const struct positions_entry *entry = &positions->entries[positions->table[at] - 1];

        if (entry->owner == owner && entry->index == index)
            break;
        at = (at + 1) & (positions->capacity - 1);
    }
    return &positions->table[at];
}

/* Makes the table large enough for all entries, and empty, where it is not. */
static void make_room(struct positions *positions)
{
    if (positions->count * 2 <= positions->capacity)
        return;
    if (!positions->capacity)
        positions->capacity = FIRST_CAPACITY;
    while (positions->capacity < positions->count * 2)
        positions->capacity *= 2;
    free(positions->table);
    positions->table = memory_zeroed(positions->capacity, sizeof *positions->table);
    positions->indexed = 0;
}

/* The entry of a slot, NULL where there is none. What was put down since comes into the table. */
static const struct positions_entry *find(struct positions *positions, const void *owner,
                                          size_t index)
{
    uint32_t found;

    if (!positions || !positions->count || !owner || index > UINT32_MAX)
        return NULL;
    make_room(positions);
    for (; positions->indexed < positions->count; positions->indexed++) {
        const struct positions_entry *entry = &positions->entries[positions->indexed];

        *place_of(positions, entry->owner, entry->index) = (uint32_t)positions->indexed + 1;
    }
    found = *place_of(positions, owner, (uint32_t)index);
    return found ? &positions->entries[found - 1] : NULL;
}

static void put(struct positions *positions, const struct positions_entry *entry)
{
    if (positions->count >= POSITIONS_MAX)
        return;
    positions->entries =
        memory_grow(positions->entries, positions->count, sizeof *positions->entries);
    positions->entries[positions->count++] = *entry;
}

static uint16_t column_of(struct position position)
{
    return position.column > POSITIONS_COLUMN_MAX ? 0 : (uint16_t)position.column;
}

static void put_position(struct positions *positions, const void *owner, size_t index,
                         struct position key, struct position value)
{
    struct positions_entry entry = {.owner = owner,
                                    .index = (uint32_t)index,
                                    .line = value.line,
                                    .column = column_of(value),
                                    .key_line = key.line,
                                    .key_column = column_of(key),
                                    .source = positions->source};

    if (owner && index <= UINT32_MAX)
        put(positions, &entry);
}

void positions_put_root(struct positions *positions, const json_t *root, struct position value)
{
    /* A list's items have its address, too: the root's own index is none that an item has. */
    put_position(positions, root, UINT32_MAX, value, value);
}

void positions_put_item(struct positions *positions, const json_t *list, size_t index,
                        struct position value)
{
    put_position(positions, list, index, value, value);
}

/* The object's own copy of the name, whose address stays while the member is there. */
static const char *own_key(json_t *object, const char *name)
{
    void *member = json_object_iter_at(object, name);

    return member ? json_object_iter_key(member) : NULL;
}

void positions_put_member(struct positions *positions, json_t *object, const char *name,
                          struct position key, struct position value)
{
    put_position(positions, own_key(object, name), 0, key, value);
}

static void copy_slot(struct positions *positions, const void *from, size_t from_index,
                      const void *owner, size_t index)
{
    const struct positions_entry *found;
    struct positions_entry entry = {0};

    if (!owner || index > UINT32_MAX)
        return;
    found = find(positions, from, from_index);
    if (found)
        entry = *found;
    entry.owner = owner;
    entry.index = (uint32_t)index;
    put(positions, &entry);
}

void positions_copy_item(struct positions *positions, const json_t *from, size_t from_index,
                         const json_t *list, size_t index)
{
    copy_slot(positions, from, from_index, list, index);
}

void positions_copy_member(struct positions *positions, json_t *from, const char *from_name,
                           json_t *object, const char *name)
{
    copy_slot(positions, own_key(from, from_name), 0, own_key(object, name), 0);
}

json_t *positions_deep_copy(struct positions *positions, json_t *value)
{
    const char *key;
    size_t index;
    json_t *child, *copy;

    if (json_is_object(value)) {
        copy = memory_need(json_object());
        json_object_foreach(value, key, child)
        {
            json_put(copy, key, positions_deep_copy(positions, child));
            copy_slot(positions, key, 0, own_key(copy, key), 0);
        }
        return copy;
    }
    if (!json_is_array(value))
        return memory_need(json_copy(value));
    copy = memory_need(json_array());
    json_array_foreach(value, index, child)
    {
        json_add(copy, positions_deep_copy(positions, child));
        positions_copy_item(positions, value, index, copy, index);
    }
    return copy;
}

void positions_put_unknown(struct positions *positions, json_t *value)
{
    static const struct position unknown = {0};
    const char *key;
    size_t index;
    json_t *child;

    if (json_is_object(value)) {
        json_object_foreach(value, key, child)
        {
            put_position(positions, key, 0, unknown, unknown);
            positions_put_unknown(positions, child);
        }
        return;
    }
    json_array_foreach(value, index, child)
    {
        positions_put_item(positions, value, index, unknown);
        positions_put_unknown(positions, child);
    }
}

void positions_keep(struct positions *positions, json_t *value)
{
    if (!positions->kept)
        positions->kept = memory_need(json_array());
    json_add(positions->kept, value);
}

static bool get(struct positions *positions, const void *owner, size_t index, struct position *key,
                struct position *value)
{
    const struct positions_entry *found = find(positions, owner, index);
    const char *where = NULL;

    *value = (struct position){0};
    if (key)
        *key = *value;
    if (!found)
        return false;
    if (found->source)
        where = positions->sources[found->source - 1];
    *value = (struct position){.where = where, .line = found->line, .column = found->column};
    if (key)
        *key =
            (struct position){.where = where, .line = found->key_line, .column = found->key_column};
    return true;
}

bool positions_root(struct positions *positions, const json_t *root, struct position *value)
{
    return get(positions, root, UINT32_MAX, NULL, value);
}

bool positions_item(struct positions *positions, const json_t *list, size_t index,
                    struct position *value)
{
    return get(positions, list, index, NULL, value);
}

bool positions_key(struct positions *positions, const char *own, struct position *key,
                   struct position *value)
{
    return get(positions, own, 0, key, value);
}

bool positions_member(struct positions *positions, json_t *object, const char *name,
                      struct position *key, struct position *value)
{
    return get(positions, own_key(object, name), 0, key, value);
}

/* RFC 6901, section 4: ~1 is /, ~0 is ~. Works in place. */
static void unescape(char *token)
{
    char *out = token;

    for (; *token; token++) {
        if (*token == '~' && (token[1] == '0' || token[1] == '1'))
            *out++ = *++token == '1' ? '/' : '~';
        else
            *out++ = *token;
    }
    *out = '\0';
}

bool positions_pointer(struct positions *positions, json_t *root, const char *pointer,
                       struct position *value)
{
    AUTO_FREE char *text = NULL;
    bool known = positions_root(positions, root, value);

    if (strlen(pointer) > POSITIONS_POINTER_MAX || (*pointer && *pointer != '/'))
        known = false;
    if (!known)
        return false;
    text = memory_copy_string(pointer);
    for (char *token = text, *next; *token == '/'; token = next) {
        token++;
        next = token + strcspn(token, "/");
        if (*next)
            *next = '\0';
        else
            next = NULL;
        unescape(token);
        if (json_is_array(root)) {
            char *end;
            unsigned long index = strtoul(token, &end, 10);

            known = *token && !*end && positions_item(positions, root, index, value);
            root = known ? json_array_get(root, index) : NULL;
        } else {
            known = positions_member(positions, root, token, NULL, value);
            root = known ? json_object_get(root, token) : NULL;
        }
        if (!known || !next)
            break;
        *next = '/';
    }
    if (!known)
        *value = (struct position){0};
    return known;
}
