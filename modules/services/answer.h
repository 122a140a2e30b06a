/* Waiting until a service answers: a port takes connections, a URL says what it is to. */
#ifndef BOOTLACE_SERVICES_ANSWER_H
#define BOOTLACE_SERVICES_ANSWER_H

#include <bootlace/module.h>
#include <stdint.h>

#include "item.h"
#include "manager.h"

/*
 * Waits until the item's port and URL answer, by `end` (of manager_now()) at the latest, or until
 * the manager says that the service has failed. 0, or what item_fail() returned.
 */
int answer_await(const struct bootlace_host *host, struct item *item, const struct manager *manager,
                 int64_t end);

#endif
