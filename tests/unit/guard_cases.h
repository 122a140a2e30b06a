/* The cases of a stage laid against an unreadable page, each as it is and cut off everywhere. */
#ifndef BOOTLACE_TESTS_GUARD_CASES_H
#define BOOTLACE_TESTS_GUARD_CASES_H

#include "cases.h"
#include "guard.h"

#include "base/buffer.h"
#include "decode/text.h"

typedef void guard_parser(const char *bytes, size_t size);

/* The bytes, and the first so many beginnings of them. */
static inline void guard_cut(const char *bytes, size_t size, size_t cuts, guard_parser *parse)
{
    struct guard guard = guard_make(bytes, size);

    parse(guard.bytes, size);
    for (size_t cut = 0; cut < size && cut < cuts; cut++) {
        guard_lay(&guard, bytes, cut);
        parse(guard.bytes, cut);
    }
    guard_free(&guard);
}

/* A file of every case of a stage, as it is and as a text. */
static inline void guard_cases(const char *stage, const char *file, size_t cuts,
                               guard_parser *parse)
{
    const char *names[CASES_MAX];
    size_t count = cases_list(stage, names), found = 0;

    for (size_t i = 0; i < count; i++) {
        AUTO_BUFFER struct buffer input = BUFFER_INIT(CASES_FILE_MAX);
        AUTO_BUFFER struct buffer text = BUFFER_INIT(CASES_FILE_MAX);
        struct error error = ERROR_INIT;
        unsigned line;

        if (!cases_read(stage, names[i], file, &input))
            continue;
        found++;
        guard_cut(buffer_text(&input), input.size, cuts, parse);
        if (text_decode(input.bytes, input.size, &text, &line, &error) == 0 &&
            (text.size != input.size || memcmp(text.bytes, input.bytes, text.size) != 0))
            guard_cut(buffer_text(&text), text.size, cuts, parse);
    }
    cases_free(names, count);
    assert_true(found > 0);
}

#endif
