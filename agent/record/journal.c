/*
 * The journal of an instance: one JSON object a line, appended and flushed.
 *
 *     {"event":"run","time":…,"boot_id":…,"source":…,"evidence":…,"user_data":…,…}
 *     {"event":"metadata","items":{…}}
 *     {"event":"begin","step":…,"digest":…,"boot_id":…,"status":"running","started":…}
 *     {"event":"reboot","for":…,"boot_id":…}
 *     {"event":"end","step":…,"digest":…,"boot_id":…,"status":…,"exit_code":…,…}
 *
 * A line that power loss cut in half is passed over by the reader; the writer begins on a new line
 * after it.
 */
#include "record/journal.h"

#include "base/banned.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { READ_CHUNK = 65536 };

/* Whether the file's last line is whole. */
static bool ends_whole(int fd)
{
    struct stat info;
    char last;

    return fstat(fd, &info) < 0 || info.st_size == 0 ||
           pread(fd, &last, 1, info.st_size - 1) != 1 || last == '\n';
}

static int append(int fd, const json_t *entry, struct error *error)
{
    AUTO_FREE char *text = json_one_line(entry);
    AUTO_FREE char *line = memory_format("%s%s\n", ends_whole(fd) ? "" : "\n", text);

    if (file_write_all(fd, line, strlen(line)) < 0)
        return error_errno(error, ERROR_INTERNAL, errno, "cannot append to the journal");
    return 0;
}

/* The names that were made since the last flush: those of the folder and of those above it. */
static int flush_names(struct record *record, struct error *error)
{
    AUTO_CLOSE int instances = -1;

    if (!record->unflushed_names)
        return 0;
    instances = openat(record->state, "instances", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (instances < 0 || fsync(record->folder) < 0 || fsync(instances) < 0 ||
        (record->unflushed_state && fsync(record->state) < 0))
        return error_errno(error, ERROR_INTERNAL, errno, "cannot flush the record's folder");
    record->unflushed_names = record->unflushed_state = false;
    return 0;
}

static int flush(struct record *record, struct error *error)
{
    if (fdatasync(record->journal) < 0)
        return error_errno(error, ERROR_INTERNAL, errno, "cannot flush the journal");
    return flush_names(record, error);
}

/* What is done once on this file system stands in its journal, too. */
static int append_once(struct record *record, const json_t *entry, struct error *error)
{
    AUTO_CLOSE int fd =
        openat(record->state, "once", O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return error_errno(error, ERROR_INTERNAL, errno, "cannot open the journal");
    record->unflushed_names = record->unflushed_state = true;
    if (append(fd, entry, error) < 0)
        return -1;
    return fdatasync(fd) < 0 ? error_errno(error, ERROR_INTERNAL, errno, "cannot flush the journal")
                             : 0;
}

static json_t *make_entry(const char *event, const char *boot_id)
{
    json_t *entry = memory_need(json_object());
    char stamp[CLOCK_TEXT_MAX];

    json_put_text(entry, "event", event);
    json_put_text(entry, "time", clock_text(stamp));
    json_put_text(entry, "boot_id", boot_id);
    return entry;
}

int record_begin_run(struct record *record, const struct record_run *run, struct error *error)
{
    AUTO_JSON json_t *entry = make_entry("run", run->boot_id);
    char digest[DIGEST_TEXT_MAX];

    json_put_text(entry, "source", run->source);
    json_put_text(entry, "evidence", run->evidence);
    if (run->user_data)
        json_put_text(entry, "user_data", record_digest(run->user_data, digest));
    json_put_flag(entry, "launch", run->launch);
    /* Flushed with the first step's entry; without a step nothing depends on it. */
    return append(record->journal, entry, error);
}

int record_add_metadata(struct record *record, const json_t *metadata, struct error *error)
{
    AUTO_JSON json_t *entry = NULL;

    if (json_equal(record->metadata, metadata))
        return 0;
    entry = memory_need(json_object());
    json_put_text(entry, "event", "metadata");
    json_put(entry, "items", json_incref((json_t *)metadata));
    return append(record->journal, entry, error);
}

static int append_step(struct record *record, const struct step *step, const json_t *entry,
                       struct error *error)
{
    if (append(record->journal, entry, error) < 0)
        return -1;
    if (step->frequency == BOOTLACE_ONCE && append_once(record, entry, error) < 0)
        return -1;
    return flush(record, error);
}

static json_t *step_entry(const char *event, const struct step *step, const char *boot_id)
{
    json_t *entry = make_entry(event, boot_id);

    json_put_text(entry, "step", step->name);
    json_put_text(entry, "module", step->module->name);
    json_put_text(entry, "digest", step->digest);
    return entry;
}

int record_begin_step(struct record *record, const struct step *step, const char *boot_id,
                      struct error *error)
{
    AUTO_JSON json_t *entry = step_entry("begin", step, boot_id);
    char stamp[CLOCK_TEXT_MAX];

    json_put_text(entry, "status", step_state_name(STEP_RUNNING));
    json_put_text(entry, "started", clock_text(stamp));
    return append_step(record, step, entry, error);
}

int record_end_step(struct record *record, const struct step *step, const char *boot_id,
                    struct error *error)
{
    AUTO_JSON json_t *entry = step_entry("end", step, boot_id);

    outcome_to_json(&step->outcome, entry);
    return append_step(record, step, entry, error);
}

int record_reboot(struct record *record, const struct step *step, const char *boot_id,
                  struct error *error)
{
    AUTO_JSON json_t *entry = make_entry("reboot", boot_id);

    json_put_text(entry, "for", step->name);
    return append(record->journal, entry, error) < 0 ? -1 : flush(record, error);
}

static int read_journal(int fd, struct buffer *text, struct error *error)
{
    if (fd < 0)
        return 0;
    for (off_t offset = 0;;) {
        char *room = buffer_room(text, READ_CHUNK);
        ssize_t count = room ? pread(fd, room, READ_CHUNK, offset) : 0;

        if (!room)
            return error_set(error, ERROR_INTERNAL, "the journal is larger than %zu bytes",
                             text->maximum);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return error_errno(error, ERROR_INTERNAL, errno, "cannot read the journal");
        if (count == 0)
            return 0;
        buffer_grown(text, (size_t)count);
        offset += count;
    }
}

/* Keeps a reference to the value in place of the older one. */
static void keep(json_t **place, json_t *value)
{
    json_incref(value);
    json_decref(*place);
    *place = value;
}

/* One line of a journal; what is not whole is passed over. */
static void take_line(struct record *record, json_t *history, const char *line, size_t size)
{
    struct error ignored = ERROR_INIT;
    AUTO_JSON json_t *entry = json_parse(line, size, NULL, &ignored);
    const char *event = json_text_of(entry, "event", "");
    const char *step = json_text_of(entry, "step", NULL);

    if (step && json_object_get(entry, "status")) {
        json_put(history, step, json_incref(entry));
    } else if (strcmp(event, "run") == 0) {
        record->reboots_before = record->reboots;
        record->reboots = 0;
        keep(&record->last_run, entry);
    } else if (strcmp(event, "reboot") == 0) {
        record->reboots = record->reboots_before + 1;
    } else if (strcmp(event, "metadata") == 0 && json_is_object(json_object_get(entry, "items"))) {
        keep(&record->metadata, json_object_get(entry, "items"));
    }
}

/* Reads a journal: the steps' last entries as an object, and the rest into the record. */
static json_t *fold(struct record *record, int fd, struct error *error)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(RECORD_JOURNAL_MAX);
    json_t *history = memory_need(json_object());
    const char *line, *end, *stop;

    if (read_journal(fd, &text, error) < 0) {
        json_decref(history);
        return NULL;
    }
    /* Not as a string: after a power cut, some file systems leave zero bytes behind. */
    line = buffer_text(&text);
    stop = line + text.size;
    for (; (end = memchr(line, '\n', (size_t)(stop - line))); line = end + 1)
        take_line(record, history, line, (size_t)(end - line));
    return history;
}

int journal_read(struct record *record, struct error *error)
{
    AUTO_CLOSE int once =
        record->state < 0 ? -1 : openat(record->state, "once", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    record->history = fold(record, record->journal, error);
    record->history_once = record->history ? fold(record, once, error) : NULL;
    return record->history_once ? 0 : -1;
}
