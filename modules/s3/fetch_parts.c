/* Requests for headers, whole objects and ranges, and what comes of them; see fetch_parts.h. */
#include <s3/fetch_parts.h>

#include <s3/partial.h>
#include <support/text.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STATUS_PARTIAL = 206, GIB_SHIFT = 30 };

static int write_at(int fd, const char *bytes, size_t size, uint64_t offset)
{
    while (size > 0) {
        ssize_t count = pwrite(fd, bytes, size, (off_t)offset);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -errno;
        bytes += count;
        size -= (size_t)count;
        offset += (uint64_t)count;
    }
    return 0;
}

uint64_t entry_part_size(const struct entry *entry, unsigned part)
{
    uint64_t begin = part * entry->part_bytes;

    return entry->object.size - begin < entry->part_bytes ? entry->object.size - begin
                                                          : entry->part_bytes;
}

/* ---- an object in one piece ---- */

/* At the beginning of a body: what it is, as its headers say, and an empty file. */
static int begin_whole(struct fetch *fetch, struct entry *entry, const struct http_answer *answer)
{
    struct checksum wanted = fetch->copy->item->checksum;

    if (!object_from_headers(&entry->object, answer))
        return -EPROTO;
    if (wanted.kind != CHECKSUM_NONE)
        entry->object.expected = wanted;
    if (entry->fd < 0)
        entry->fd = places_create(fetch->into, entry->path);
    if (entry->fd < 0)
        return entry->fd;
    checksum_begin(&entry->run, entry->object.expected.kind);
    return ftruncate(entry->fd, 0) < 0 ? -errno : 0;
}

static int take_whole(void *context, uint64_t offset, const char *bytes, size_t size)
{
    struct slot *slot = context;
    struct entry *entry = slot->entry;

    slot->refused = offset == 0 ? begin_whole(slot->fetch, entry, &slot->answer.http) : 0;
    if (slot->refused == 0) {
        checksum_add(&entry->run, bytes, size);
        slot->refused = write_at(entry->fd, bytes, size, offset);
    }
    return slot->refused;
}

/* Fails an entry for what came of its request. */
static void fail_by(const struct slot *slot)
{
    if (slot->refused < 0)
        entry_fail(slot->entry, -slot->refused, NULL);
    else
        entry_fail(slot->entry, -slot->answer.result, slot->answer.why);
}

static void end_whole(struct slot *slot)
{
    struct entry *entry = slot->entry;

    if (slot->answer.result == 0 && slot->answer.http.received == 0)
        slot->refused = begin_whole(slot->fetch, entry, &slot->answer.http);
    if (slot->answer.result < 0 || slot->refused < 0)
        fail_by(slot);
    else
        entry->parts = entry->parts_done = 1;
}

/* ---- ranges ---- */

static int take_range(void *context, uint64_t offset, const char *bytes, size_t size)
{
    struct slot *slot = context;
    struct entry *entry = slot->entry;

    if (offset == 0)
        slot->crc = 0;
    /* A server that does not know ranges would send all of it, each time. */
    if (slot->answer.http.status != STATUS_PARTIAL ||
        size > entry_part_size(entry, slot->part) - offset)
        return slot->refused = -EPROTO;
    if (entry->crcs) {
        struct checksum_run run = {entry->object.expected.kind, slot->crc, NULL};

        checksum_add(&run, bytes, size);
        slot->crc = run.crc;
    }
    slot->refused = write_at(entry->fd, bytes, size, slot->part * entry->part_bytes + offset);
    return slot->refused;
}

/* Allows what is whole from the front on to be read for the check. */
static void advance(struct entry *entry)
{
    while (entry->parts_leading < entry->parts && entry->done[entry->parts_leading])
        entry->parts_leading++;
    if (!entry->hashing)
        return;
    hashing_allow(entry->hashing, entry->parts_leading == entry->parts
                                      ? entry->object.size
                                      : entry->parts_leading * entry->part_bytes);
}

static void end_range(struct slot *slot)
{
    struct entry *entry = slot->entry;
    uint64_t size = entry_part_size(entry, slot->part);

    if (slot->answer.result == -ESTALE) {
        entry->changed = true;
        return;
    }
    if (slot->answer.result == 0 && slot->answer.http.received != size) {
        entry_fail(entry, EPROTO, "the service sent less than the range that it was asked for");
        return;
    }
    if (slot->refused == -EPROTO) {
        entry_fail(entry, EPROTO, "the service does not send ranges of objects");
        return;
    }
    if (slot->answer.result < 0) {
        fail_by(slot);
        return;
    }
    entry->done[slot->part] = 1;
    entry->parts_done++;
    if (entry->crcs)
        entry->crcs[slot->part] = slot->crc;
    /* The disk begins with it now, so that it has little left to do at the end. */
    sync_file_range(entry->fd, (off_t)(slot->part * entry->part_bytes), (off_t)size,
                    SYNC_FILE_RANGE_WRITE);
    advance(entry);
}

/* Marks what an earlier run left as done, with its check. */
static int take_over(struct entry *entry)
{
    for (unsigned part = 0; part < entry->parts; part++) {
        struct checksum_run run = {entry->object.expected.kind, 0, NULL};
        int result;

        if (!entry->done[part])
            continue;
        entry->parts_done++;
        if (!entry->crcs)
            continue;
        result =
            hashing_range(entry->fd, part * entry->part_bytes, entry_part_size(entry, part), &run);
        if (result < 0)
            return result;
        entry->crcs[part] = run.crc;
    }
    return 0;
}

/* A new file with all the room that the object needs, so that a full disk shows at once. */
static int make_file(struct fetch *fetch, struct entry *entry)
{
    entry->fd = places_create(fetch->into, entry->path);
    if (entry->fd < 0)
        return entry->fd;
    if (fallocate(entry->fd, 0, 0, (off_t)entry->object.size) == 0)
        return 0;
    if (errno != EOPNOTSUPP)
        return -errno;
    return ftruncate(entry->fd, (off_t)entry->object.size) < 0 ? -errno : 0;
}

/* Before the first range: the file, and what is to be known of its parts. */
static int begin_ranges(struct fetch *fetch, struct entry *entry)
{
    struct object *object = &entry->object;
    int result = 0;

    if (fetch->copy->item->checksum.kind != CHECKSUM_NONE)
        object->expected = fetch->copy->item->checksum;
    entry->part_bytes =
        object->size >> GIB_SHIFT >= FETCH_LARGE_GIB ? FETCH_PART_LARGE : FETCH_PART;
    entry->parts = (unsigned)((object->size + entry->part_bytes - 1) / entry->part_bytes);
    entry->next_part = entry->parts_done = entry->parts_leading = 0;
    entry->done = text_need(calloc(entry->parts, sizeof *entry->done));
    entry->pin = text_format("\"%s\"", object->etag);
    if (checksum_joins(object->expected.kind))
        entry->crcs = text_need(calloc(entry->parts, sizeof *entry->crcs));
    if (partial_load(fetch->copy, entry)) {
        entry->fd = places_reopen(fetch->into, entry->path);
        result = entry->fd < 0 ? entry->fd : take_over(entry);
    }
    if (result == 0 && entry->parts_done)
        fetch->copy->host->log(fetch->copy->host, BOOTLACE_INFO,
                               "%s: goes on where it ended: %u of %u ranges are there", object->key,
                               entry->parts_done, entry->parts);
    if (entry->fd < 0 || result < 0) {
        if (entry->fd >= 0)
            close(entry->fd);
        memset(entry->done, 0, entry->parts);
        entry->parts_done = 0;
        result = make_file(fetch, entry);
    }
    if (result == 0 && object->expected.kind != CHECKSUM_NONE && !entry->crcs)
        entry->hashing = hashing_begin(entry->fd, object->size, object->expected.kind);
    if (result == 0)
        advance(entry);
    return result;
}

/* ---- headers ---- */

static void end_asking(struct slot *slot)
{
    struct entry *entry = slot->entry;

    if (slot->answer.result < 0)
        fail_by(slot);
    else if (!object_from_headers(&entry->object, &slot->answer.http))
        entry_fail(entry, EPROTO, "the service's answer has no ETag or no size");
    entry->known = true;
}

/* ---- requests ---- */

static void end_request(void *context, struct aws_answer *answer)
{
    struct slot *slot = context;
    struct fetch *fetch = slot->fetch;
    struct entry *entry = slot->entry;

    if (slot->asking)
        end_asking(slot);
    else if (entry_is_ranged(entry) && entry->done)
        end_range(slot);
    else
        end_whole(slot);
    aws_answer_clear(answer);
    free(slot->path);
    slot->path = NULL;
    slot->entry = NULL;
    fetch->slots_busy--;
    entry->under_way--;
    /* One that has more to begin, or to conclude, is first. */
    if (entry->under_way == 0)
        fetch_settle_entry(fetch, entry);
    fetch_pump(fetch);
}

static size_t buffer_for(const struct fetch *fetch, const struct entry *entry, bool is_range)
{
    size_t least = FETCH_BUFFER_MIN, most = FETCH_BUFFERS_MAX / fetch->slot_count;
    uint64_t wanted = is_range ? FETCH_BUFFER_MAX : entry->object.size;

    if (is_range && entry->object.size >> GIB_SHIFT < FETCH_LARGE_GIB)
        most *= 2; /* it has no more than half of the connections */
    if (most > FETCH_BUFFER_MAX)
        most = FETCH_BUFFER_MAX;
    return wanted < least ? least : wanted > most ? most : (size_t)wanted;
}

static void start(struct fetch *fetch, struct slot *slot, struct entry *entry, bool is_range)
{
    const struct item *item = fetch->copy->item;
    struct aws_pair *header = slot->headers;

    slot->path = object_path(entry->object.key);
    if (is_range) {
        uint64_t begin = slot->part * entry->part_bytes;

        snprintf(slot->range, sizeof slot->range, "bytes=%" PRIu64 "-%" PRIu64, begin,
                 begin + entry_part_size(entry, slot->part) - 1);
        *header++ = (struct aws_pair){"Range", slot->range};
        *header++ = (struct aws_pair){"If-Match", entry->pin};
    } else
        *header++ = (struct aws_pair){"x-amz-checksum-mode", "ENABLED"};
    *header = (struct aws_pair){0};
    slot->request = (struct aws_request){
        .service = &aws_s3,
        .operation = slot->asking ? "HeadObject" : "GetObject",
        .method = slot->asking ? "HEAD" : NULL,
        .path = slot->path,
        .headers = slot->headers,
        .bucket = item->bucket,
        .region = item->region,
        .endpoint = item->endpoint,
        .sink = slot->asking ? NULL
                : is_range   ? take_range
                             : take_whole,
        .context = slot,
        .buffer_bytes = slot->asking ? FETCH_BUFFER_MIN : buffer_for(fetch, entry, is_range)};
    slot->entry = entry;
    slot->refused = 0;
    fetch->slots_busy++;
    entry->under_way++;
    aws_start(fetch->copy->aws, &slot->request, &slot->answer, end_request, slot);
}

static bool begin_range(struct fetch *fetch, struct slot *slot, struct entry *entry)
{
    int result = entry->done ? 0 : begin_ranges(fetch, entry);

    if (result < 0) {
        entry_fail(entry, -result, NULL);
        return false;
    }
    while (entry->next_part < entry->parts && entry->done[entry->next_part])
        entry->next_part++;
    if (entry->next_part == entry->parts)
        return false;
    slot->part = entry->next_part++;
    start(fetch, slot, entry, true);
    return true;
}

bool fetch_begin(struct fetch *fetch, struct slot *slot, struct entry *entry)
{
    bool is_whole = !entry_is_ranged(entry);

    if (entry->state == ENTRY_WAITING) {
        entry->state = ENTRY_COMING;
        if (!fetch->copy->preparing && fetch_from_store(fetch, entry))
            return false;
    }
    if (entry->state != ENTRY_COMING || entry->result < 0 || entry->changed)
        return false;
    slot->asking = !is_whole && !entry->known;
    if (slot->asking || is_whole) {
        if (entry->under_way || entry->parts)
            return false;
        start(fetch, slot, entry, false);
        return true;
    }
    return begin_range(fetch, slot, entry);
}
