/*
 * What must not outlive the machine: a name in DNS, a target of a load balancer.
 *
 * A step of a module with a function `stop` that was done in this boot is kept in
 * /run/bootlace/shutdown.json (0600: settings may be secret), which a restart clears by itself and
 * which no image ever holds. At shutdown, while the network is still there, the unit
 * bootlace-shutdown.service runs `bootlace run --shutdown`, which gives each of them, the last one
 * first, to its module's `stop`.
 */
#ifndef BOOTLACE_VERBS_SHUTDOWN_H
#define BOOTLACE_VERBS_SHUTDOWN_H

#include "base/error.h"
#include "model/step.h"
#include "verbs/options.h"

#include <jansson.h>

/* Keeps a step that was done for the shutdown, where its module has something to do then. */
int shutdown_keep(const struct step *step, const char *instance_id, const json_t *metadata,
                  struct error *error);

/* The command's exit code. */
int shutdown_run(const struct options *options);

#endif
