/*
 * Merging: the input is parts of cloud-config in YAML with lines "---" between them. What comes out
 * can be written as JSON, and whatever is in it stands in one of the parts or is not known.
 */
#include "fuzz.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "config/merge.h"
#include "config/yaml.h"

enum { PARTS = 8 };

static void look_up_all(struct positions *positions, json_t *value, unsigned lines)
{
    struct position position;
    const char *key;
    size_t index;
    json_t *child;

    json_object_foreach(value, key, child)
    {
        MUST(positions_key(positions, key, NULL, &position) && position.line <= lines);
        look_up_all(positions, child, lines);
    }
    json_array_foreach(value, index, child)
    {
        MUST(positions_item(positions, value, index, &position) && position.line <= lines);
        look_up_all(positions, child, lines);
    }
}

/* Returns false where nothing can follow. */
static bool merge_part(json_t *base, const char *text, size_t size, struct merge_waiting *waiting,
                       struct positions *positions)
{
    AUTO_PROBLEMS struct problems problems = {0};
    struct error error = ERROR_INIT;
    struct merge_rules rules;
    AUTO_JSON json_t *part = yaml_parse_placed(text, size, "part", positions, &error);

    if (!json_is_object(part))
        return false;
    if (merge_rules_of_part(&rules, part, NULL, positions, &problems, &error) < 0 ||
        (waiting ? merge_over(&rules, base, part, waiting, positions, &error)
                 : merge_into(&rules, base, part, positions, &error)) < 0) {
        MUST(error.kind == ERROR_INPUT && *error.message);
        return false;
    }
    MUST(!error.kind);
    return true;
}

/* Merges the parts of a text, all at once or one after the other. Whether all could be. */
static bool merge_all(json_t *base, const char *next, const char *end, bool at_once,
                      struct positions *positions)
{
    static const char line[] = "\n---\n";
    struct merge_waiting waiting = {0};
    bool merged = true;

    for (int i = 0; i < PARTS && next && merged; i++) {
        const char *split = memmem(next, (size_t)(end - next), line, sizeof line - 1);

        merged = merge_part(base, next, (size_t)((split ? split : end) - next),
                            at_once ? &waiting : NULL, positions);
        next = split ? split + sizeof line - 1 : NULL;
    }
    merge_settle(&waiting, positions);
    return merged;
}

/* What waits until all is merged comes to the same as what does not. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_JSON json_t *base = json_object(), *other = json_object();
    AUTO_POSITIONS struct positions positions = {0}, other_positions = {0};
    AUTO_FREE char *text = NULL;
    const char *begin = (const char *)data;
    bool merged = merge_all(base, begin, begin + size, true, &positions);

    MUST(merge_all(other, begin, begin + size, false, &other_positions) == merged);
    if (!merged)
        return 0;
    MUST(json_equal(base, other));
    text = json_one_line(base);
    look_up_all(&positions, base, (unsigned)size + 1);
    return 0;
}
