/* What the parts of one item's copy share, whichever way it goes. */
#ifndef BOOTLACE_S3_COPY_H
#define BOOTLACE_S3_COPY_H

#include <s3/item.h>
#include <s3/places.h>
#include <s3/record.h>
#include <support/aws.h>

enum { COPY_NAMED_MAX = 5 /* failures that the item's message names */ };

struct copy {
    const struct bootlace_host *host;
    struct aws *aws;
    const struct item *item;
    bool preparing;       /* into the store, and touch nothing else */
    struct places *state; /* /var/lib/bootlace/modules/s3; its top is -1 where it is not there */
    struct places *store; /* what was fetched ahead: its folder "ahead" */
    struct places target; /* where files go or come from; not in use for extraction */
    struct record record;

    unsigned long seen, copied, dressed, unchanged, failed; /* dressed: with a new owner or mode */
    uint64_t bytes;                                         /* that were copied */
    uint64_t size;        /* of all, where it is known: for the progress */
    int number;           /* the first failure's errno */
    struct text failures; /* the first of them, with why */
    int64_t told_ms;      /* when progress was told last */
};

/* Whether the step was told to end; it then leaves everything in order, soon. */
bool copy_is_ended(void);

/* From now on, SIGTERM is only noticed. */
void copy_notice_end(void);

/* Counts a failure of one object or file. why may be NULL. */
void copy_fail(struct copy *copy, const char *name, int number, const char *why);

/* Tells how far it is, now and then. under_way: bytes of what is not whole yet. */
void copy_progress(struct copy *copy, uint64_t under_way);

/* "12.3 MiB". The caller's. */
char *copy_size_text(uint64_t bytes);

#endif
