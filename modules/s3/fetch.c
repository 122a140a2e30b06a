/* The window of objects, and the connections handed out to them; see fetch.h. */
#include <s3/fetch_parts.h>

#include <support/text.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    TURN_MS = 200,
    GIB_SHIFT = 30,
    SLOTS_LARGE = 16, /* connections for one object of this many GiB, */
    LARGE_GIB = 1,
    SLOTS_SMALLER = 8 /* or of less */
};

struct fetch *fetch_new(struct copy *copy)
{
    struct fetch *fetch = text_need(calloc(1, sizeof *fetch));

    fetch->copy = copy;
    fetch->into = copy->preparing ? copy->store : &copy->target;
    fetch->slot_count = copy->item->connections ? copy->item->connections : FETCH_SLOTS;
    for (unsigned i = 0; i < fetch->slot_count; i++)
        fetch->slots[i].fetch = fetch;
    return fetch;
}

static void free_entry(struct entry *entry)
{
    object_clear(&entry->object);
    free(entry->path);
    free(entry->why);
    free(entry->pin);
    free(entry->done);
    free(entry->crcs);
    free(entry);
}

/* What is over at the front of the window is recorded, in order, and goes. */
static void retire(struct fetch *fetch)
{
    while (fetch->first && fetch->first->state == ENTRY_OVER) {
        struct entry *entry = fetch->first;

        if (entry->record && !fetch->copy->preparing && !fetch->copy->item->extract)
            record_add(&fetch->copy->record, entry->path, entry->object.etag,
                       (int64_t)entry->object.size, entry->modified_ns);
        fetch->first = entry->next;
        if (fetch->begun == entry)
            fetch->begun = entry->next;
        fetch->count--;
        free_entry(entry);
    }
    if (!fetch->first)
        fetch->last = fetch->begun = NULL;
}

void fetch_free(struct fetch *fetch)
{
    /* What is under way still, as when the step was told to end, is the engine's. */
    if (!fetch || fetch->slots_busy)
        return;
    for (unsigned i = 0; i < fetch->slot_count; i++) {
        aws_answer_clear(&fetch->slots[i].answer);
        free(fetch->slots[i].path);
    }
    free(fetch);
}

static struct entry *add(struct fetch *fetch, struct object *object, const char *path)
{
    struct entry *entry = text_need(calloc(1, sizeof *entry));

    entry->object = *object;
    *object = (struct object){0};
    entry->path = text_format("%s", path);
    entry->fd = -1;
    if (fetch->last)
        fetch->last->next = entry;
    else
        fetch->first = entry;
    fetch->last = entry;
    if (!fetch->begun)
        fetch->begun = entry;
    fetch->count++;
    return entry;
}

void fetch_add(struct fetch *fetch, struct object *object, const char *path, bool known)
{
    struct entry *entry = add(fetch, object, path);

    entry->known = known;
    fetch_pump(fetch);
}

void fetch_add_unchanged(struct fetch *fetch, struct object *object, const char *path,
                         int64_t modified_ns)
{
    struct entry *entry = add(fetch, object, path);

    entry->state = ENTRY_OVER;
    entry->record = true;
    entry->modified_ns = modified_ns;
    retire(fetch);
}

bool fetch_has_room(const struct fetch *fetch)
{
    return fetch->count < FETCH_WINDOW_MAX;
}

void entry_fail(struct entry *entry, int number, const char *why)
{
    if (entry->result < 0)
        return;
    entry->result = number > 0 ? -number : -EIO;
    entry->why = why ? text_format("%s", why) : NULL;
}

/* How many connections an object is worth: enough to fill the network of an instance for which such
 * an object is a common thing. */
static unsigned connections_for(const struct fetch *fetch, const struct entry *entry)
{
    uint64_t gib = entry->object.size >> GIB_SHIFT;
    unsigned count = gib >= FETCH_LARGE_GIB ? FETCH_SLOTS
                     : gib >= LARGE_GIB     ? SLOTS_LARGE
                                            : SLOTS_SMALLER;

    return fetch->copy->item->connections || count > fetch->slot_count ? fetch->slot_count : count;
}

static struct slot *free_slot(struct fetch *fetch)
{
    for (unsigned i = 0; i < fetch->slot_count; i++) {
        if (!fetch->slots[i].entry)
            return &fetch->slots[i];
    }
    return NULL;
}

/* Begins what the entry has to begin, as far as there are slots. */
static void begin_entry(struct fetch *fetch, struct entry *entry)
{
    struct slot *slot;

    while (entry->under_way < connections_for(fetch, entry) && (slot = free_slot(fetch))) {
        if (!fetch_begin(fetch, slot, entry))
            break;
    }
    if (entry->under_way == 0 && entry->state == ENTRY_COMING)
        fetch_settle_entry(fetch, entry);
}

static bool has_more_to_begin(const struct entry *entry)
{
    return entry->state == ENTRY_WAITING ||
           (entry->state == ENTRY_COMING && (!entry->parts || entry->parts_done < entry->parts));
}

void fetch_pump(struct fetch *fetch)
{
    while (fetch->begun && !has_more_to_begin(fetch->begun))
        fetch->begun = fetch->begun->next;
    for (struct entry *entry = fetch->begun; entry && fetch->slots_busy < fetch->slot_count;
         entry = entry->next) {
        if (copy_is_ended())
            break;
        if (has_more_to_begin(entry))
            begin_entry(fetch, entry);
    }
}

static uint64_t bytes_under_way(const struct fetch *fetch)
{
    uint64_t bytes = 0;

    for (const struct entry *entry = fetch->first; entry; entry = entry->next)
        bytes += entry->state == ENTRY_COMING ? entry->parts_done * entry->part_bytes : 0;
    for (unsigned i = 0; i < fetch->slot_count; i++)
        bytes += fetch->slots[i].entry ? fetch->slots[i].answer.http.received : 0;
    return bytes;
}

void fetch_move(struct fetch *fetch, int limit_ms)
{
    bool is_moving;

    fetch_pump(fetch);
    is_moving = aws_run(fetch->copy->aws, limit_ms) > 0;
    if (!is_moving || !fetch_has_room(fetch))
        fetch_place(fetch);
    retire(fetch);
    copy_progress(fetch->copy, bytes_under_way(fetch));
}

/* Told to end, or out of its way: what is under way is left, and kept for the next time. */
static void abandon(struct fetch *fetch)
{
    for (struct entry *entry = fetch->first; entry; entry = entry->next) {
        if (entry->state == ENTRY_WAITING || entry->state == ENTRY_COMING) {
            entry_fail(entry, ECANCELED, "the step was told to end");
            fetch_give_up(fetch, entry);
        }
    }
}

void fetch_finish(struct fetch *fetch)
{
    while (fetch->first && !copy_is_ended())
        fetch_move(fetch, TURN_MS);
    if (fetch->first)
        abandon(fetch);
    fetch_place(fetch);
    retire(fetch);
}
