/* Takes out what was registered, where it is still as it was put. */
#ifndef DNS_RETRACT_H
#define DNS_RETRACT_H

#include "job.h"

/* At shutdown: what was registered for those items that want it. */
void retract_all(struct dns *dns, const json_t *items, struct outcome *outcome);

/* After registering: what was registered before and is no more, the name of an address that this
 * machine had above all. What cannot be taken out is a warning. */
void retract_outdated(struct dns *dns, const struct jobs *jobs);

#endif
