/* What the run has come to so far, which is what those who wait for the machine are told. */
#ifndef BOOTLACE_SIGNALS_OUTCOME_OF_RUN_H
#define BOOTLACE_SIGNALS_OUTCOME_OF_RUN_H

#include <bootlace/module.h>
#include <stdbool.h>

/* Whether every step before this one went well, by the agent's summary of this run, which everybody
 * may read; *failed is the first that did not, or NULL. No summary is no failure. */
bool run_went_well(const struct bootlace_host *host, const char **failed);

#endif
