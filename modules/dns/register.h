/* Registers what is wanted. */
#ifndef DNS_REGISTER_H
#define DNS_REGISTER_H

#include "backend.h"

#include <support/outcome.h>

/* Makes it so, for each item of the settings; every record is one item of the outcome. */
void register_all(struct dns *dns, const json_t *items, struct outcome *outcome);

#endif
