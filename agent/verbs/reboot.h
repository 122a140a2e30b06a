/*
 * The restart of the machine that a step asked for: what is left of the run is done behind it.
 *
 * Only the run of a boot restarts the machine, and only so many times in a row (the setting
 * reboot_limit): one that a step asks for at every boot would never end.
 */
#ifndef BOOTLACE_VERBS_REBOOT_H
#define BOOTLACE_VERBS_REBOOT_H

#include "base/error.h"
#include "model/step.h"
#include "verbs/launch.h"

/* The first step of this run that asked for a restart, or NULL. */
const struct step *reboot_wanted_by(const struct steps *steps);

/* Whether the machine is to be restarted for the step; ERROR_STEP says why not: the limit. */
bool reboot_is_due(const struct launch *launch, const struct step *step, struct error *error);

/*
 * Restarts the machine, and waits to be ended by that. Returns only where it does not happen,
 * with an error that says so.
 */
int reboot_machine(const struct step *step, struct error *error);

/* Asks the init system, systemd or any other, to restart the machine, or to power it off. */
int reboot_ask(bool power_off, struct error *error);

#endif
