/* Resource records; see record.h. */
#include "record.h"

#include "name.h"

#include <stddef.h>
#include <string.h>

static const char *const words[RECORD_TYPES] = {"A", "AAAA", "CNAME", "PTR"};

const char *record_type_word(enum record_type type)
{
    return words[type];
}

bool record_type_read(const char *word, enum record_type *type)
{
    for (unsigned i = 0; word && i < RECORD_TYPES; i++) {
        if (strcmp(words[i], word) == 0) {
            *type = (enum record_type)i;
            return true;
        }
    }
    return false;
}

bool record_is_same(const struct record *one, const struct record *other)
{
    return one->type == other->type && strcmp(one->name, other->name) == 0 &&
           strcmp(one->value, other->value) == 0;
}

struct record record_reverse(const struct record *record)
{
    return (struct record){.name = name_of_address(record->value),
                           .type = RECORD_PTR,
                           .value = record->name,
                           .ttl = record->ttl};
}
