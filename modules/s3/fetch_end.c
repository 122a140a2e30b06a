/* Objects that came are verified and put into place, or given up; see fetch_parts.h. */
#include <s3/fetch_parts.h>

#include <s3/partial.h>
#include <s3/store.h>
#include <support/text.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { UNFLUSHED_MAX = 512, UNFLUSHED_BYTES_MAX = 64 << 20, NS_PER_S = 1000000000 };

static void forget_parts(struct entry *entry)
{
    hashing_cancel(entry->hashing);
    entry->hashing = NULL;
    checksum_end(&entry->run, NULL);
    free(entry->done);
    free(entry->crcs);
    free(entry->pin);
    entry->done = NULL;
    entry->crcs = NULL;
    entry->pin = NULL;
    entry->parts = entry->parts_done = 0;
    entry->part_bytes = 0;
}

static void close_file(struct entry *entry)
{
    if (entry->fd >= 0)
        close(entry->fd);
    entry->fd = -1;
}

/* Whether it is worth keeping what came of it: the disk has room, and what came is not wrong. */
static bool is_worth_keeping(const struct entry *entry)
{
    if (entry->fd < 0 || !entry->done || !entry->parts_done || entry->changed)
        return false;
    switch (-entry->result) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EIO:
    case EBADMSG:
    case ENOENT:
        return false;
    default:
        return true;
    }
}

static const char *words_for(int number)
{
    switch (number) {
    case ENOSPC:
        return "the disk is full";
    case EDQUOT:
        return "the quota of the disk is used up";
    case EISDIR:
    case EEXIST:
        return "there is a directory of this name";
    case ENOTDIR:
        return "a part of its path is no directory";
    case EXDEV:
    case ELOOP:
        return "a link in its path leads out of the folder";
    case EROFS:
        return "the file system is read-only";
    default:
        return NULL;
    }
}

void fetch_give_up(struct fetch *fetch, struct entry *entry)
{
    struct copy *copy = fetch->copy;
    const char *why = entry->why ? entry->why : words_for(-entry->result);
    bool kept = is_worth_keeping(entry) && partial_save(copy, entry);

    if (entry->fd >= 0 && !kept)
        places_discard(fetch->into, entry->path);
    if (kept)
        copy->host->log(copy->host, BOOTLACE_INFO, "%s: %u of %u ranges are kept for the next time",
                        entry->object.key, entry->parts_done, entry->parts);
    forget_parts(entry);
    close_file(entry);
    copy_fail(copy, copy->item->tree ? entry->object.key : "", -entry->result, why);
    entry->state = ENTRY_OVER;
}

/* The object is another one than that which was begun with. */
static void begin_again(struct fetch *fetch, struct entry *entry)
{
    if (++entry->restarts > FETCH_RESTARTS_MAX) {
        entry_fail(entry, ESTALE, "it was changed again and again while it was copied");
        fetch_give_up(fetch, entry);
        return;
    }
    fetch->copy->host->log(fetch->copy->host, BOOTLACE_WARNING,
                           "%s: was changed while it was copied; begins anew", entry->object.key);
    forget_parts(entry);
    places_discard(fetch->into, entry->path);
    close_file(entry);
    entry->changed = entry->known = false;
}

/* What its bytes make. */
static int reckon(struct entry *entry, struct checksum *sum)
{
    struct checksum_run run = {.kind = entry->object.expected.kind};

    if (entry->hashing) {
        struct hashing *hashing = entry->hashing;

        entry->hashing = NULL;
        return hashing_end(hashing, sum);
    }
    if (!entry->done) {
        checksum_end(&entry->run, sum);
        return 0;
    }
    /* No thread was to be had. */
    if (!entry->crcs)
        return hashing_file(entry->fd, entry->object.size, run.kind, sum);
    for (unsigned part = 0; part < entry->parts; part++)
        checksum_join(&run, entry->crcs[part], entry_part_size(entry, part));
    checksum_end(&run, sum);
    return 0;
}

/* Compares what came with what it should be. */
static int verify(struct fetch *fetch, struct entry *entry)
{
    const struct checksum *expected = &entry->object.expected;
    char should[CHECKSUM_HEX_MAX], is[CHECKSUM_HEX_MAX], why[ITEM_WHY_MAX];
    struct checksum sum = {0};
    int result = 0;

    if (expected->kind == CHECKSUM_NONE)
        return 0;
    result = reckon(entry, &sum);
    if (result < 0 || checksum_equal(&sum, expected))
        return result;
    checksum_hex(expected, should);
    checksum_hex(&sum, is);
    snprintf(why, sizeof why, "its %s is %s, but should be %s%s; nothing was written",
             checksum_name(sum.kind), is, should,
             fetch->copy->item->checksum.kind ? ", which is the checksum in the settings"
                                              : " by the service's word");
    entry_fail(entry, EBADMSG, why);
    return -EBADMSG;
}

/* Gives the file all that it is to have but its name. */
static int dress(struct fetch *fetch, struct entry *entry)
{
    const struct rights *rights = &fetch->copy->item->rights;
    struct places_rights how = {.mode = rights->mode,
                                .owner = rights->owner,
                                .group = rights->group_id,
                                .modified = entry->object.modified};
    int result = 0;

    entry->modified_ns = entry->object.modified * NS_PER_S;
    if (!fetch->copy->preparing)
        result = places_dress(entry->fd, &how);
    /* A large one by itself; small ones together. */
    if (result == 0 && entry_is_ranged(entry) && fdatasync(entry->fd) < 0)
        result = -errno;
    return result;
}

/* Gives a verified one its name. */
static void place(struct fetch *fetch, struct entry *entry, int result)
{
    struct copy *copy = fetch->copy;

    if (result == 0)
        result = places_settle(fetch->into, entry->path);
    if (result < 0) {
        places_discard(fetch->into, entry->path);
        copy_fail(copy, copy->item->tree ? entry->object.key : "", -result, words_for(-result));
    } else {
        copy->copied++;
        copy->bytes += entry->object.size;
        entry->record = true;
    }
    entry->state = ENTRY_OVER;
}

static void conclude(struct fetch *fetch, struct entry *entry)
{
    int result = entry->in_store ? 0 : verify(fetch, entry);

    if (result == 0)
        result = dress(fetch, entry);
    if (result < 0) {
        entry_fail(entry, -result, NULL);
        fetch_give_up(fetch, entry);
        return;
    }
    forget_parts(entry);
    close_file(entry);
    entry->state = ENTRY_VERIFIED;
    if (entry_is_ranged(entry)) {
        place(fetch, entry, 0);
        return;
    }
    fetch->unflushed++;
    fetch->unflushed_bytes += entry->object.size;
    if (fetch->unflushed >= UNFLUSHED_MAX || fetch->unflushed_bytes >= UNFLUSHED_BYTES_MAX)
        fetch_place(fetch);
}

void fetch_settle_entry(struct fetch *fetch, struct entry *entry)
{
    if (entry->state != ENTRY_COMING)
        return;
    if (entry->result < 0)
        fetch_give_up(fetch, entry);
    else if (entry->changed)
        begin_again(fetch, entry);
    else if (entry->parts && entry->parts_done == entry->parts)
        conclude(fetch, entry);
}

bool fetch_from_store(struct fetch *fetch, struct entry *entry)
{
    int fd = store_take(fetch->copy, &entry->object, fetch->into, entry->path);

    if (fd < 0)
        return false;
    entry->fd = fd;
    entry->in_store = true;
    conclude(fetch, entry);
    return true;
}

void fetch_place(struct fetch *fetch)
{
    int flushed;

    if (!fetch->unflushed)
        return;
    flushed = places_flush(fetch->into);
    for (struct entry *entry = fetch->first; entry; entry = entry->next) {
        if (entry->state == ENTRY_VERIFIED)
            place(fetch, entry, flushed);
    }
    fetch->unflushed = 0;
    fetch->unflushed_bytes = 0;
}
