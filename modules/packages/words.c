/* Argument vectors; see words.h. */
#include "words.h"

#include <stdlib.h>
#include <support/text.h>

void words_add(struct words *words, const char *word)
{
    words->items = text_need(realloc(words->items, (words->count + 2) * sizeof *words->items));
    words->items[words->count++] = word;
    words->items[words->count] = NULL;
}

void words_add_all(struct words *words, const char *const *list)
{
    for (; list && *list; list++)
        words_add(words, *list);
}
