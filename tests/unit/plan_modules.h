/* Modules of paper for the tests of the plan: descriptions as JSON text. */
#ifndef BOOTLACE_TESTS_PLAN_MODULES_H
#define BOOTLACE_TESTS_PLAN_MODULES_H

#include "check.h"

#include "model/description.h"

enum { MODULES_MAX = 8 };

struct modules {
    struct description items[MODULES_MAX];
    size_t count;
};

/* Adds one: `"interface":1` is added to its members, ' stands for ". */
static inline void modules_add(struct modules *modules, const char *members)
{
    char text[1024];
    struct error error = ERROR_INIT;
    json_t *object;

    assert_true(modules->count < MODULES_MAX);
    snprintf(text, sizeof text, "{'interface':1,%s}", members);
    object = json_of(text);
    if (description_parse(&modules->items[modules->count++], object, "/x", false, &error) < 0)
        fail_msg("%s: %s", members, error.message);
    json_decref(object);
}

static inline void modules_clear(struct modules *modules)
{
    for (size_t i = 0; i < modules->count; i++)
        description_clear(&modules->items[i]);
    modules->count = 0;
}

#define AUTO_MODULES __attribute__((cleanup(modules_clear)))

#endif
