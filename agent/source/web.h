/*
 * What an address of the user's holds: http and https by the fetch plug-in, in a process of its own
 * as the metadata service is asked (see http.h), and file:///.
 *
 * Unlike the metadata service, such an address may be behind the environment's proxy and may
 * redirect, and its certificate is checked against the system's. What may get better is tried
 * again: silence, refused and broken connections, names that are not known yet, 408, 429 and 5xx.
 */
#ifndef BOOTLACE_SOURCE_WEB_H
#define BOOTLACE_SOURCE_WEB_H

#include "base/buffer.h"
#include "base/error.h"

enum {
    WEB_ATTEMPTS = 6,        /* of one address */
    WEB_ATTEMPT_MS = 30000,  /* one of them, redirects and body and all */
    WEB_WAIT_MS = 120000,    /* all of one address together */
    WEB_PAUSE_MS = 250,      /* before the second; each pause is twice the one before it … */
    WEB_PAUSE_MAX_MS = 10000 /* … up to this */
};

struct web;

/* Nothing is loaded before the first address that needs it. Free takes NULL. */
struct web *web_new(void);
void web_free(struct web *web);

/*
 * Appends what the URL (without its fragment) holds, at most out's maximum. ERROR_SOURCE where
 * nobody answered, ERROR_INPUT where there is no such thing or it is too large. The message does
 * not have the URL, of which parts may be secret.
 */
int web_get(struct web *web, const char *url, struct buffer *out, struct error *error);

#endif
