/*
 * The parts of fetch.h, for each other: fetch.c keeps the window of objects and hands out
 * connections, fetch_parts.c receives, fetch_end.c verifies and puts into place.
 */
#ifndef BOOTLACE_S3_FETCH_PARTS_H
#define BOOTLACE_S3_FETCH_PARTS_H

#include <s3/fetch.h>
#include <s3/hashing.h>

enum {
    FETCH_WINDOW_MAX = 2048,     /* objects that are looked at ahead */
    FETCH_SLOTS = 32,            /* connections, unless the settings say otherwise */
    FETCH_WHOLE_MAX = 16 << 20,  /* bytes of an object that comes in one piece */
    FETCH_PART = 8 << 20,        /* bytes of a range, */
    FETCH_PART_LARGE = 16 << 20, /* or of one of an object from here on: */
    FETCH_LARGE_GIB = 8,
    FETCH_BUFFER_MIN = 16 << 10,  /* of one connection, */
    FETCH_BUFFER_MAX = 256 << 10, /* as long as all of an object have no more than this: */
    FETCH_BUFFERS_MAX = 1 << 20,
    FETCH_RESTARTS_MAX = 3, /* of an object that is changed while it comes */
    FETCH_RANGE_MAX = 64
};

enum entry_state {
    ENTRY_WAITING,  /* to be begun */
    ENTRY_COMING,   /* its headers, or its bytes */
    ENTRY_VERIFIED, /* whole, under its temporary name */
    ENTRY_OVER
};

/* An object on its way to be a file. */
struct entry {
    struct entry *next;
    struct object object;
    char *path;
    enum entry_state state;
    bool known;    /* its headers were asked for */
    bool changed;  /* the object is not the one that was begun with */
    bool in_store; /* it has been fetched ahead */
    bool record;   /* it is worth a line of the record */
    int64_t modified_ns;
    int fd;
    int result; /* of the first failure, with */
    char *why;
    unsigned restarts, under_way; /* requests */

    /* Of one that comes in ranges: */
    uint64_t part_bytes;
    unsigned parts, next_part, parts_done, parts_leading; /* done, from the first on */
    unsigned char *done;                                  /* one a part */
    uint64_t *crcs;                                       /* where the check joins; else */
    struct hashing *hashing;
    char *pin; /* the value of If-Match */

    struct checksum_run run; /* of one that comes in one piece */
};

/* A connection's use: one request. */
struct slot {
    struct fetch *fetch;
    struct entry *entry; /* NULL: free */
    bool asking;         /* for the headers */
    unsigned part;
    uint64_t crc;
    int refused; /* what was wrong here, not with the service: a negative errno */
    char *path;
    char range[FETCH_RANGE_MAX];
    struct aws_pair headers[4];
    struct aws_request request;
    struct aws_answer answer;
};

struct fetch {
    struct copy *copy;
    struct places *into;
    struct slot slots[ITEM_CONNECTIONS_MAX];
    unsigned slot_count, slots_busy;
    struct entry *first, *last, *begun; /* begun: the first that may have something to begin */
    unsigned count;
    unsigned unflushed;       /* verified ones that wait for a flush, */
    uint64_t unflushed_bytes; /* and what they hold */
};

static inline bool entry_is_ranged(const struct entry *entry)
{
    return entry->object.size > FETCH_WHOLE_MAX;
}

uint64_t entry_part_size(const struct entry *entry, unsigned part);

/* Fails it; what is under way of it comes to its end first. why is copied, and may be NULL. */
void entry_fail(struct entry *entry, int number, const char *why);

/* ---- fetch_parts.c ---- */

/* Begins the entry's next request on a free slot; false where it has none to begin now. */
bool fetch_begin(struct fetch *fetch, struct slot *slot, struct entry *entry);

/* ---- fetch.c ---- */

/* Gives free slots something to do. */
void fetch_pump(struct fetch *fetch);

/* ---- fetch_end.c ---- */

/* Once nothing of it is under way: it is whole, or it begins anew, or it failed. */
void fetch_settle_entry(struct fetch *fetch, struct entry *entry);

/* Makes a file of the object that was fetched ahead, where there is one. */
bool fetch_from_store(struct fetch *fetch, struct entry *entry);

/* Flushes what is verified, and gives it its name. */
void fetch_place(struct fetch *fetch);

/* Ends an entry without its file: what came is kept where it is worth it. */
void fetch_give_up(struct fetch *fetch, struct entry *entry);

#endif
