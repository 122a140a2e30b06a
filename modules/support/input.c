/* A module's input; see input.h. */
#include <support/input.h>

#include <errno.h>
#include <string.h>
#include <strings.h>

int input_read(const struct bootlace_host *host, const char *text, struct input *input)
{
    json_error_t details;

    input->object = json_loads(text, JSON_REJECT_DUPLICATES, &details);
    if (!json_is_object(input->object))
        return host->fail(host, EINVAL, "its input is no JSON object");
    input->settings = json_object_get(input->object, "settings");
    input->part = json_object_get(input->object, "part");
    return 0;
}

const char *input_metadata(const struct input *input, const char *path)
{
    return json_string_value(json_object_get(json_object_get(input->object, "metadata"), path));
}

bool input_is_early(const struct input *input)
{
    const char *stage = json_string_value(json_object_get(input->object, "stage"));

    return stage && strcmp(stage, "early") == 0;
}

const char *input_machine(const struct input *input)
{
    return json_string_value(json_object_get(input->object, "machine"));
}

bool input_is_baked(const struct input *input, const char *key)
{
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(input->object, "baked"), i, item)
    {
        if (json_is_string(item) && strcmp(json_string_value(item), key) == 0)
            return true;
    }
    return false;
}

int input_list(const struct bootlace_host *host, const struct input *input, const char *key,
               size_t most, const json_t **list)
{
    *list = json_object_get(input->settings, key);
    if (*list && !json_is_null(*list) && !json_is_array(*list))
        return host->fail(host, EINVAL, "%s is no list", key);
    if (json_array_size(*list) > most)
        return host->fail(host, E2BIG, "%s has more than %zu items", key, most);
    return 0;
}

int input_text(const struct bootlace_host *host, const json_t *object, const char *key,
               const char **value)
{
    const json_t *given = json_object_get(object, key);

    if (!given || json_is_null(given))
        return 0;
    if (!json_is_string(given))
        return host->fail(host, EINVAL, "%s is no text; put it in quotes", key);
    *value = json_string_value(given);
    return 0;
}

/* The words that cloud-init takes for true. */
static bool word_is_true(const char *word)
{
    static const char *const words[] = {"true", "1", "on", "yes"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcasecmp(word, words[i]) == 0)
            return true;
    }
    return false;
}

static bool word_is_false(const char *word)
{
    static const char *const words[] = {"false", "0", "off", "no", ""};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcasecmp(word, words[i]) == 0)
            return true;
    }
    return false;
}

int input_flag(const struct bootlace_host *host, const json_t *object, const char *key, bool *value)
{
    const json_t *given = json_object_get(object, key);
    const char *word = json_string_value(given);

    if (!given || json_is_null(given))
        return 0;
    if (json_is_boolean(given))
        *value = json_is_true(given);
    else if (json_is_integer(given))
        *value = json_integer_value(given) != 0;
    else if (word && (word_is_true(word) || word_is_false(word)))
        *value = word_is_true(word);
    else
        return host->fail(host, EINVAL, "%s is neither true nor false", key);
    return 0;
}
