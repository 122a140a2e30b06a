/* What is asked of systemctl(1) and journalctl(1), and told to systemctl: for systemd.c. */
#ifndef BOOTLACE_SERVICES_SYSTEMCTL_H
#define BOOTLACE_SERVICES_SYSTEMCTL_H

#include <bootlace/module.h>

#include "item.h"
#include "unit.h"

/* Runs `systemctl VERB …` for a change, of the tree that is worked on; words ends with NULL. 1, or
 * what item_fail() returned. */
int systemctl_change(const struct bootlace_host *host, struct item *item, unsigned limit_s,
                     const char *const *words);

/* What it says; "" where it could not be asked. */
const char *systemctl_ask(const struct bootlace_host *host, const char *const *words);

/* The item's unit, as systemd knows it. */
void systemctl_show(const struct bootlace_host *host, const struct item *item, struct unit *unit);

/* name@.service is what instances are made of, and no unit that could be in a state. */
bool systemctl_is_template(const char *unit);

/* The word of `systemctl is-enabled`; "" where there is no such unit. */
const char *systemctl_is_enabled(const struct bootlace_host *host, const char *unit);

/* The unit's last lines in this boot's journal, into the step's log and the item's. */
void systemctl_show_log(const struct bootlace_host *host, struct item *item);

/* Says by item_fail() why the unit is not as it was to be, and shows its log. */
int systemctl_explain(const struct bootlace_host *host, struct item *item, const char *what);

#endif
