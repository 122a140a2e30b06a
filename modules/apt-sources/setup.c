/* What the parts of the module share; see setup.h. */
#include "setup.h"

#include <errno.h>
#include <string.h>
#include <support/tree.h>

int setup_put(struct setup *setup, const char *path, const struct text *text, mode_t mode)
{
    int result = tree_put(setup->host, path, text, mode);

    outcome_item(&setup->outcome, setup->host, path, result, -1,
                 result < 0 ? text_format("cannot be written: %s", strerror(-result)) : NULL);
    return result;
}

int setup_remove(struct setup *setup, const char *path)
{
    int result = tree_remove(setup->host, path);

    if (result)
        outcome_item(&setup->outcome, setup->host, path, result, -1,
                     result < 0 ? text_format("cannot be removed: %s", strerror(-result))
                                : "removed");
    return result;
}

int setup_fail(struct setup *setup, const char *item, const char *why)
{
    outcome_item(&setup->outcome, setup->host, item, -EINVAL, -1, why);
    return -EINVAL;
}

const char *setup_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

void setup_expand(const struct setup *setup, const char *text, const char *key_file,
                  struct text *out)
{
    const struct text_word words[] = {{"RELEASE", setup->release},
                                      {"MIRROR", setup->primary},
                                      {"PRIMARY", setup->primary},
                                      {"SECURITY", setup->security},
                                      {key_file ? "KEY_FILE" : NULL, key_file},
                                      {NULL, NULL}};

    text_add_expanded(out, text, words);
}

char *setup_file_name(const char *name)
{
    char *made = text_format("%s", name);

    for (char *at = made; *at; at++) {
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-", *at) ||
            (at == made && *at == '.'))
            *at = '_';
    }
    return made;
}
