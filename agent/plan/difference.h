/*
 * What a step has to do beside what was baked into the image, and what of it cannot be baked.
 *
 * A key that is a list is baked where each of its items is, any other where its value is. A step is
 * baked where all its keys are. One of a module whose items stand alone (by_item) is given those
 * items alone that are not; one of any other module does all of it, and finds what is there.
 */
#ifndef BOOTLACE_PLAN_DIFFERENCE_H
#define BOOTLACE_PLAN_DIFFERENCE_H

#include "model/step.h"

#include <jansson.h>

/* Takes what is baked out of a step that is to be run. facts: struct baked's, or NULL. */
void difference_take(struct step *step, const json_t *facts);

/*
 * Takes what speaks of the instance out of a step that is to be baked; templated: a key -> true,
 * or the indexes of its items as an object's members. Such a step is left for the launch, or
 * such items where they stand alone.
 */
void difference_leave(struct step *step, const json_t *templated);

#endif
