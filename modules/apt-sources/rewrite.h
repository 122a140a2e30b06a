/*
 * The distribution's own package sources, as sources.list(5) has them: other mirrors in them, and
 * suites left out. What is somebody else's stays as it is, comments and all.
 */
#ifndef BOOTLACE_APT_SOURCES_REWRITE_H
#define BOOTLACE_APT_SOURCES_REWRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <support/text.h>

struct rewrite {
    const char *release;         /* its code name */
    const char *primary;         /* the URI instead; NULL: it stays */
    const char *security;        /* the same, of the suites with security updates */
    const char *const *disabled; /* suites, NULL-ended; or NULL */
};

/* Adds the text of a sources.list, or of deb822 stanzas, as it is to be; how many of its entries
 * are the distribution's. */
size_t rewrite_list(const struct rewrite *rewrite, const char *text, struct text *out);
size_t rewrite_stanzas(const struct rewrite *rewrite, const char *text, struct text *out);

/* Whether a text has stanzas, and not lines. */
bool rewrite_is_stanzas(const char *text);

#endif
