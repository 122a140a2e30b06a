/*
 * What #include and #include-once name, fetched for the decoder.
 *
 * What an #include-once holds is kept in the instance's record (0600) when it was fetched, and not
 * asked for again.
 */
#ifndef BOOTLACE_VERBS_INCLUDES_H
#define BOOTLACE_VERBS_INCLUDES_H

#include "base/buffer.h"
#include "base/error.h"
#include "record/record.h"
#include "source/web.h"

#include <stdbool.h>

struct includes {
    struct web *web;
    const struct record *record; /* where an #include-once is kept */
    bool keep;                   /* whether it may be */
};

/* A struct includes is the context; see decode_fetch. */
int includes_fetch(void *context, const char *url, struct buffer *out, struct error *error);
int includes_fetch_once(void *context, const char *url, struct buffer *out, struct error *error);

#endif
