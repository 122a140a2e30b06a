/* What was registered and where, so that it can be taken out again: just that, and nothing that
 * another machine registered. Keys and secrets are not in it. */
#ifndef DNS_STATE_H
#define DNS_STATE_H

#include "backend.h"

/* Reads it; what another instance left in this image is forgotten. */
void state_read(struct dns *dns, const char *instance);

/* Whether both are the same place. */
bool place_is_same(const struct place *one, const struct place *other);

/* Remembers a record of a wish, which is known by its ID. 0, or a negative errno. */
int state_add(struct dns *dns, const char *wish, const struct record *record,
              const struct place *place);

/* Forgets it. 0, or a negative errno. */
int state_remove(struct dns *dns, const char *wish, const struct record *record,
                 const struct place *place);

/* The n-th record, from 0, and the ID of its wish; false where there are not so many. */
bool state_get(const struct dns *dns, size_t n, const char **wish, struct record *record,
               struct place *place);

#endif
