/*
 * The journal of an instance: one JSON object a line, appended and flushed.
 *
 *     {"event":"run","time":…,"boot_id":…,"source":…}
 *     {"event":"begin","step":…,"digest":…,"boot_id":…,"status":"running","started":…}
 *     {"event":"end","step":…,"digest":…,"boot_id":…,"status":…,"exit_code":…,…}
 *
 * A line that power loss cut in half is passed over by the reader; the writer begins on a new line
 * after it.
 */
#include "base/banned.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "record/record.h"

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

static int flush(struct record *record, int fd, struct error *error)
{
    if (fdatasync(fd) < 0)
        return error_errno(error, ERROR_INTERNAL, errno, "cannot flush the journal");
    if (record->folders_to_sync) {
        record->folders_to_sync = false;
        if (file_sync_folder(record->folder, error) < 0 ||
            file_sync_folder(record->state, error) < 0)
            return -1;
    }
    return 0;
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

int record_begin_run(struct record *record, const char *boot_id, const char *source,
                     struct error *error)
{
    AUTO_JSON json_t *entry = make_entry("run", boot_id);

    json_put_text(entry, "source", source);
    /* Not flushed: the first step's entry does that, and without a step nothing depends on it. */
    return append(record->journal, entry, error);
}

/* A step that is done once on this file system stands in its journal, too. */
static int append_step(struct record *record, const struct step *step, const json_t *entry,
                       struct error *error)
{
    if (append(record->journal, entry, error) < 0)
        return -1;
    if (step->frequency == BOOTLACE_ONCE &&
        (append(record->once, entry, error) < 0 || flush(record, record->once, error) < 0))
        return -1;
    return flush(record, record->journal, error);
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

static json_t *fold(int fd, struct error *error)
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
    for (; (end = memchr(line, '\n', (size_t)(stop - line))); line = end + 1) {
        struct error ignored = ERROR_INIT;
        AUTO_JSON json_t *entry = json_parse(line, (size_t)(end - line), NULL, &ignored);
        const char *step = json_text_of(entry, "step", NULL);

        if (step && json_object_get(entry, "status"))
            json_put(history, step, json_incref(entry));
    }
    return history;
}

json_t *record_history(const struct record *record, struct error *error)
{
    return fold(record->journal, error);
}

json_t *record_history_once(const struct record *record, struct error *error)
{
    return fold(record->once, error);
}
