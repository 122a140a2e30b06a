/* Wishes, and the records that fulfil them. */
#ifndef DNS_JOB_H
#define DNS_JOB_H

#include "backend.h"

#include <support/outcome.h>

/* A record on its way. */
struct job {
    struct wish *wish;
    struct record record;
    struct place place;
    int result; /* as an item's: 1, 0, or a negative errno */
    const char *why;
};

struct jobs {
    struct wish *wishes;
    size_t wish_count;
    struct job *list;
    size_t count;
};

const struct backend *job_backend(const struct wish *wish);

/* A record as an item is called: "web.example.com A". */
const char *job_name(const struct record *record);

/* Reads an item of the settings; false where that failed, which is an item of the outcome then. */
bool job_read(struct dns *dns, const json_t *item, struct wish *wish, struct outcome *outcome);

#endif
