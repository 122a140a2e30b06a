/*
 * What each step of a plan will do, in words for people.
 *
 * No module is asked and none is known by name: the words are made of the settings themselves, a
 * line a key, without what schemas call secret.
 */
#ifndef BOOTLACE_VERBS_WILL_H
#define BOOTLACE_VERBS_WILL_H

#include "verbs/launch.h"

enum {
    WILL_NAMED_MAX = 5, /* items of a list that are named */
    WILL_TEXT_MAX = 64  /* bytes of one value */
};

/* Fills in `will` of every step that is to be run. */
void will_tell(struct launch *launch);

#endif
