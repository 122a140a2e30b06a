/* The commands, one file each; every function returns the exit code. */
#ifndef BOOTLACE_VERBS_VERBS_H
#define BOOTLACE_VERBS_VERBS_H

#include "verbs/options.h"

int verb_run(const struct options *options);
int verb_plan(const struct options *options);
int verb_inspect(const struct options *options);
int verb_validate(const struct options *options);
int verb_schema(const struct options *options);
int verb_status(const struct options *options);
int verb_query(const struct options *options);
int verb_bake(const struct options *options);
int verb_seal(const struct options *options);
int verb_modules(const struct options *options);

#endif
