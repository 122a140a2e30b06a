/* What a name is to stand for: an address of this machine, one from its metadata, or what is given
 * outright. */
#ifndef DNS_VALUE_H
#define DNS_VALUE_H

#include "settings.h"

enum { VALUE_WAIT_S = 10 }; /* for an interface to get its address */

/* Makes the record that is wanted. 0, or a negative errno and *why. */
int value_find(const struct bootlace_host *host, const struct wish *wish, struct record *record,
               const char **why);

#endif
