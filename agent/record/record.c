/* The record of an instance: its folder and the files in it, the journal apart; see record.h. */
#include "record/record.h"

#include "base/banned.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/paths.h"
#include "record/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { STATE_MODE = 0700, PRIVATE_MODE = 0600, PART_MODE = 0700, PART_NAME_MAX = 48 };

/* Makes the record's folder where it is missing, and opens it. */
static int open_folder(struct record *record, const char *path, struct error *error)
{
    record->folder = openat(record->state, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (record->folder >= 0)
        return 0;
    record->unflushed_names = true;
    record->unflushed_state = !file_exists(record->state, "instances");
    if (file_make_folders(record->state, path, STATE_MODE, error) < 0)
        return -1;
    record->folder = file_open_folder(record->state, path, error);
    return record->folder < 0 ? -1 : 0;
}

int record_open(struct record *record, const char *id, struct error *error)
{
    const char *state = paths_get(PATHS_STATE);
    AUTO_FREE char *path = memory_format("instances/%s", id);

    if (!file_name_is_plain(id, RECORD_ID_MAX))
        return error_set(error, ERROR_SOURCE, "the instance-id has characters that none has");
    snprintf(record->id, sizeof record->id, "%s", id);
    if (file_make_folders(AT_FDCWD, state, STATE_MODE, error) < 0)
        return -1;
    record->state = file_open_folder(AT_FDCWD, state, error);
    if (record->state < 0 || open_folder(record, path, error) < 0)
        return -1;
    record->journal = openat(record->folder, "journal",
                             O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, PRIVATE_MODE);
    if (record->journal < 0)
        return error_errno(error, ERROR_INTERNAL, errno, "cannot open the journal");
    record->writable = true;
    return journal_read(record, error);
}

int record_open_existing(struct record *record, const char *id, struct error *error)
{
    AUTO_FREE char *path = memory_format("instances/%s", id);
    int reason = ENOENT;

    snprintf(record->id, sizeof record->id, "%.*s", RECORD_ID_MAX, id);
    record->state = open(paths_get(PATHS_STATE), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (record->state < 0)
        reason = errno;
    else if (file_name_is_plain(id, RECORD_ID_MAX))
        record->folder = openat(record->state, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (record->folder >= 0)
        record->journal = openat(record->folder, "journal", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (journal_read(record, error) < 0)
        return -1;
    if (record->folder < 0 && reason == EACCES) {
        error_errno(error, ERROR_INTERNAL, EACCES, "the record of what is done cannot be read");
        return error_hint(error, "it is for root alone: try sudo");
    }
    return record->folder >= 0;
}

void record_close(struct record *record)
{
    memory_close_fd(&record->journal);
    memory_close_fd(&record->folder);
    memory_close_fd(&record->state);
    json_decref(record->history);
    json_decref(record->history_once);
    json_decref(record->last_run);
    json_decref(record->metadata);
    *record = (struct record)RECORD_INIT;
}

char *record_path(const struct record *record, const char *name)
{
    return memory_format("%s/instances/%s/%s", paths_get(PATHS_STATE), record->id, name);
}

char *record_digest(const struct buffer *bytes, char text[static DIGEST_TEXT_MAX])
{
    struct digest digest;

    digest_init(&digest);
    digest_add(&digest, buffer_text(bytes), bytes->size);
    return digest_text(&digest, text);
}

int record_user_data(const struct record *record, struct buffer *out, struct error *error)
{
    const char *digest = json_text_of(record->last_run, "user_data", "");
    char text[DIGEST_TEXT_MAX];
    int got;

    if (!record->last_run)
        return -2;
    if (!*digest)
        return 0;
    got = file_read(record->folder, "user-data", out, error);
    if (got < 0)
        return -1;
    return strcmp(record_digest(out, text), digest) == 0 ? 1 : -2;
}

/*
 * A file that needs no rename: nobody reads it before the journal says that it is there, or its
 * reader takes half of it for none.
 */
static int write_new(int folder, const char *name, const void *bytes, size_t size, mode_t mode,
                     struct error *error)
{
    AUTO_CLOSE int fd = -1;

    if (file_remove(folder, name, error) < 0)
        return -1;
    fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0 || fchmod(fd, mode) < 0 || file_write_all(fd, bytes, size) < 0)
        return error_errno(error, ERROR_INTERNAL, errno, "cannot write %s", name);
    return 0;
}

int record_save_user_data(struct record *record, const struct buffer *bytes, struct error *error)
{
    record->unflushed_names = true;
    return write_new(record->folder, "user-data", buffer_text(bytes), bytes->size, PRIVATE_MODE,
                     error);
}

static int save_json(int folder, const char *name, const json_t *value, struct error *error)
{
    AUTO_FREE char *text = json_indented(value);
    AUTO_FREE char *line = memory_format("%s\n", text);

    return write_new(folder, name, line, strlen(line), PRIVATE_MODE, error);
}

int record_save_status(struct record *record, const json_t *status, struct error *error)
{
    return save_json(record->folder, "status.json", status, error);
}

int record_save_result(struct record *record, const json_t *result, struct error *error)
{
    return save_json(record->folder, "result", result, error);
}

/* The name is the agent's own, made of the digest: a part's label never chooses a path. */
int record_put_part(struct record *record, const struct step *step, char **path,
                    struct error *error)
{
    char name[PART_NAME_MAX];

    snprintf(name, sizeof name, "part-%s", step->digest);
    if (write_new(record->folder, name, step->part->bytes, step->part->size, PART_MODE, error) < 0)
        return -1;
    *path = record_path(record, name);
    return 0;
}

/* Whose launch the last run in a record was. */
static enum record_owner owner_of(const struct record *record, const char *evidence,
                                  const char *boot_id)
{
    const char *its_evidence = json_text_of(record->last_run, "evidence", "");
    const char *its_boot = json_text_of(record->last_run, "boot_id", "");

    if (!json_flag_of(record->last_run, "launch", false))
        return RECORD_NONE;
    if (*boot_id && strcmp(its_boot, boot_id) == 0)
        return RECORD_OWN;
    if (!*its_evidence || !*evidence)
        return RECORD_UNKNOWN;
    return strcmp(its_evidence, evidence) == 0 ? RECORD_OWN : RECORD_ELSEWHERE;
}

enum record_owner record_find_own(const char *evidence, const char *boot_id,
                                  char id[static RECORD_ID_MAX + 1])
{
    AUTO_FREE char *path = memory_format("%s/instances", paths_get(PATHS_STATE));
    AUTO_FREE char *newest = memory_copy_string("");
    enum record_owner best = RECORD_NONE;
    DIR *folder = opendir(path);
    struct dirent *entry;

    *id = '\0';
    while (folder && (entry = readdir(folder))) {
        AUTO_RECORD struct record record = RECORD_INIT;
        struct error ignored = ERROR_INIT;
        enum record_owner owner;
        const char *time;

        if (record_open_existing(&record, entry->d_name, &ignored) <= 0)
            continue;
        owner = owner_of(&record, evidence, boot_id);
        time = json_text_of(record.last_run, "time", "");
        if (owner < best || owner == RECORD_NONE || (owner == best && strcmp(time, newest) <= 0))
            continue;
        best = owner;
        free(newest);
        newest = memory_copy_string(time);
        snprintf(id, RECORD_ID_MAX + 1, "%s", record.id);
    }
    if (folder)
        closedir(folder);
    return best;
}
