/*
 * The layers of a launch's configuration: what was baked into its image, layer by layer, and the
 * user-data of the instance, which together are one; see config/join.h and record/baked.h.
 */
#ifndef BOOTLACE_VERBS_LAYERS_H
#define BOOTLACE_VERBS_LAYERS_H

#include "base/error.h"
#include "verbs/launch.h"
#include "verbs/parts.h"

/* Reads what is baked, and puts its config over that of the image's settings. */
int layers_open(struct launch *launch, struct error *error);

/*
 * Reads the parts of all layers and of the user-data into launch->user. In a bake, the layer of
 * the same name is left out: it is replaced. As parts_read.
 */
int layers_read(struct launch *launch, const struct parts_setup *setup, struct error *error);

/* In a bake, warns of every key that has secrets, once the config was checked: they stay in the
 * image. */
void layers_warn_of_secrets(struct launch *launch);

/* In a bake, keeps the user-data as a layer. */
int layers_keep(struct launch *launch, struct error *error);

#endif
