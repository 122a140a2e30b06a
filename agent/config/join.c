/* Joining configurations that are one; see join.h. */
#include "config/join.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"

static bool begins_with(const json_t *list, const json_t *first)
{
    const json_t *item;
    size_t i;

    json_array_foreach(first, i, item)
    {
        if (!json_equal(item, json_array_get(list, i)))
            return false;
    }
    return true;
}

/* The later item's place goes with it. */
static void append(json_t *list, json_t *later, struct positions *positions)
{
    json_t *item;
    size_t i;

    json_array_foreach(later, i, item)
    {
        json_add(list, json_incref(item));
        if (positions)
            positions_copy_item(positions, later, i, list, json_array_size(list) - 1);
    }
}

static void replace(json_t *base, const char *key, json_t *later, struct positions *positions)
{
    json_t *old = json_object_get(base, key);

    if (old && positions)
        positions_keep(positions, json_incref(old));
    /* Anew, so that the slot is the one whose place is put down. */
    json_object_del(base, key);
    json_put(base, key, json_incref(json_object_get(later, key)));
    if (positions)
        positions_copy_member(positions, later, key, base, key);
}

void join_config(json_t *base, json_t *later, struct positions *positions)
{
    const char *key;
    json_t *value;

    json_object_foreach(later, key, value)
    {
        json_t *old = json_object_get(base, key);

        if (json_is_object(old) && json_is_object(value))
            join_config(old, value, positions);
        else if (json_is_array(old) && json_is_array(value) && !begins_with(value, old))
            append(old, value, positions);
        else
            replace(base, key, later, positions);
    }
    if (positions)
        positions_keep(positions, json_incref(later));
}
