/* A part: some bytes of the user-data, and what they were found to be. */
#include "model/part.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"

struct part *parts_add(struct parts *parts, const char *name, const char *type)
{
    struct part *part;

    parts->items = memory_grow(parts->items, parts->count, sizeof *parts->items);
    part = &parts->items[parts->count++];
    *part = (struct part){.name = memory_copy_string(name), .type = type, .line = 1};
    return part;
}

static void clear_part(struct part *part)
{
    free(part->name);
    free(part->bytes);
    free(part->arguments);
    free(part->declared);
    free(part->merge_type);
}

void parts_remove(struct parts *parts, size_t index)
{
    clear_part(&parts->items[index]);
    parts->count--;
    memmove(&parts->items[index], &parts->items[index + 1],
            (parts->count - index) * sizeof *parts->items);
}

static bool text_is_same(const char *left, const char *right)
{
    return left && right ? strcmp(left, right) == 0 : left == right;
}

bool part_is_same(const struct part *left, const struct part *right)
{
    return text_is_same(left->type, right->type) && left->size == right->size &&
           (!left->size || memcmp(left->bytes, right->bytes, left->size) == 0) &&
           text_is_same(left->arguments, right->arguments) && left->frequency == right->frequency &&
           left->detach == right->detach;
}

void parts_clear(struct parts *parts)
{
    if (!parts)
        return;
    for (size_t i = 0; i < parts->count; i++)
        clear_part(&parts->items[i]);
    free(parts->items);
    *parts = (struct parts){0};
}

void part_make_unix_lines(struct part *part)
{
    const char *end = memchr(part->bytes, '\n', part->size);
    char *out = part->bytes;

    if (!end || end == part->bytes || end[-1] != '\r')
        return;
    for (size_t i = 0; i < part->size; i++) {
        if (part->bytes[i] != '\r' || part->bytes[i + 1] != '\n')
            *out++ = part->bytes[i];
    }
    *out = '\0';
    part->size = (size_t)(out - part->bytes);
}

const char *part_frequency_name(enum part_frequency frequency)
{
    static const char *const names[] = {[PART_DEFAULT] = "default",
                                        [PART_PER_INSTANCE] = "per-instance",
                                        [PART_PER_BOOT] = "per-boot",
                                        [PART_ONCE] = "once"};

    return names[frequency];
}

json_t *part_to_json(const struct part *part)
{
    json_t *object = memory_need(json_object());

    json_put_text(object, "name", part->name);
    json_put_text(object, "type", part->type);
    json_put_number(object, "size", (int64_t)part->size);
    json_put_text(object, "frequency", part_frequency_name(part->frequency));
    json_put_number(object, "line", part->line);
    json_put_text(object, "arguments", part->arguments);
    json_put_text(object, "merge_type", part->merge_type);
    if (part->detach)
        json_put_flag(object, "detach", true);
    return object;
}
