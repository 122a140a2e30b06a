/* What many tests look at: an error's words, and JSON that is written down as text. */
#ifndef BOOTLACE_TESTS_CHECK_H
#define BOOTLACE_TESTS_CHECK_H

#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static inline void assert_says(const struct error *error, const char *words)
{
    char text[ERROR_TEXT_MAX];

    if (!strstr(error_text(error, text, sizeof text), words))
        fail_msg("\"%s\" does not say \"%s\"", text, words);
}

static inline void assert_silent(const struct error *error)
{
    static const struct error nothing = ERROR_INIT;

    assert_memory_equal(error, &nothing, sizeof nothing);
}

/* The value of a JSON text in which ' stands for ". */
static inline json_t *json_of(const char *text)
{
    char *quoted = strdup(text);
    json_error_t details;
    json_t *value;

    assert_non_null(quoted);
    for (char *c = quoted; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    value = json_loads(quoted, JSON_DECODE_ANY | JSON_ALLOW_NUL, &details);
    if (!value)
        fail_msg("%s: %s", text, details.text);
    free(quoted);
    return value;
}

/* Takes actual over. */
static inline void assert_json(json_t *actual, const char *expected)
{
    json_t *wanted = json_of(expected);
    char *text;

    if (!json_equal(actual, wanted)) {
        text = actual ? json_dumps(actual, JSON_ENCODE_ANY | JSON_SORT_KEYS) : NULL;
        fail_msg("%s is not %s", text ? text : "nothing", expected);
    }
    json_decref(actual);
    json_decref(wanted);
}

#endif
