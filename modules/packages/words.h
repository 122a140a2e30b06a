/* An argument vector that grows. */
#ifndef BOOTLACE_PACKAGES_WORDS_H
#define BOOTLACE_PACKAGES_WORDS_H

#include <stddef.h>

struct words {
    const char **items; /* NULL-ended, once something was added */
    size_t count;
};

/* Adds a word, which stays the caller's; all words of a NULL-ended list, which may be NULL. */
void words_add(struct words *words, const char *word);
void words_add_all(struct words *words, const char *const *list);

#endif
