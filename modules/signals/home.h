/* cloud-init's phone_home: a POST of facts about the instance to an address. */
#ifndef BOOTLACE_SIGNALS_HOME_H
#define BOOTLACE_SIGNALS_HOME_H

#include <bootlace/module.h>
#include <jansson.h>

enum { HOME_TRIES = 10, HOME_TRIES_MAX = 100 };

/* Sends it: 1, or a negative errno and *why. */
int home_phone(const struct bootlace_host *host, const json_t *settings, const char **why);

#endif
