/* The record of an instance: its folder and the files in it, the journal apart; see record.h. */
#include "record/record.h"

#include "base/banned.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { STATE_MODE = 0700, PRIVATE_MODE = 0600, PART_MODE = 0700, PART_NAME_MAX = 40 };

static int open_state(struct error *error)
{
    const char *path = paths_get(PATHS_STATE);

    if (file_make_folders(AT_FDCWD, path, STATE_MODE, error) < 0)
        return -1;
    return file_open_folder(AT_FDCWD, path, error);
}

static int open_journals(struct record *record, struct error *error)
{
    const int flags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW;

    record->journal = openat(record->folder, "journal", flags, PRIVATE_MODE);
    record->once = record->journal < 0 ? -1 : openat(record->state, "once", flags, PRIVATE_MODE);
    if (record->once < 0)
        return error_errno(error, ERROR_INTERNAL, errno, "cannot open the journal");
    return 0;
}

int record_open(struct record *record, const char *id, struct error *error)
{
    AUTO_FREE char *path = memory_format("instances/%s", id);

    if (!file_name_is_plain(id, RECORD_ID_MAX))
        return error_set(error, ERROR_SOURCE, "the instance-id has characters that none has");
    snprintf(record->id, sizeof record->id, "%s", id);
    record->state = open_state(error);
    if (record->state < 0)
        return -1;
    if (faccessat(record->state, path, F_OK, 0) < 0) {
        record->folders_to_sync = true;
        if (file_make_folders(record->state, "instances", STATE_MODE, error) < 0 ||
            file_make_folders(record->state, path, STATE_MODE, error) < 0)
            return -1;
    }
    record->folder = file_open_folder(record->state, path, error);
    return record->folder < 0 ? -1 : open_journals(record, error);
}

int record_open_existing(struct record *record, const char *id, struct error *error)
{
    AUTO_FREE char *path = memory_format("%s/instances/%s", paths_get(PATHS_STATE), id);

    if (!file_name_is_plain(id, RECORD_ID_MAX))
        return 0;
    record->state = open(paths_get(PATHS_STATE), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    record->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (record->folder < 0 && errno == ENOENT)
        return 0;
    if (record->folder < 0) {
        error_errno(error, ERROR_INTERNAL, errno, "cannot open the record %s", path);
        return errno == EACCES ? error_hint(error, "it is for root alone: try sudo") : -1;
    }
    snprintf(record->id, sizeof record->id, "%s", id);
    record->journal = openat(record->folder, "journal", O_RDONLY | O_CLOEXEC);
    record->once = openat(record->state, "once", O_RDONLY | O_CLOEXEC);
    return 1;
}

void record_close(struct record *record)
{
    memory_close_fd(&record->once);
    memory_close_fd(&record->journal);
    memory_close_fd(&record->folder);
    memory_close_fd(&record->state);
    *record = (struct record)RECORD_INIT;
}

char *record_path(const struct record *record, const char *name)
{
    return memory_format("%s/instances/%s/%s", paths_get(PATHS_STATE), record->id, name);
}

int record_user_data(const struct record *record, struct buffer *out, struct error *error)
{
    AUTO_JSON json_t *source = NULL;
    int got = json_read_file(record->folder, "source.json", RECORD_FILE_MAX, &source, error);

    if (got <= 0)
        return got < 0 ? -1 : -2;
    if (!json_flag_of(source, "user_data", false))
        return 0;
    got = file_read(record->folder, "user-data", out, error);
    return got == 0 ? -2 : got;
}

int record_save_user_data(struct record *record, const struct buffer *bytes, bool present,
                          const char *source, struct error *error)
{
    AUTO_JSON json_t *object = memory_need(json_object());
    AUTO_FREE char *text = NULL;

    json_put_text(object, "source", source);
    json_put_flag(object, "user_data", present);
    json_put_number(object, "size", (int64_t)bytes->size);
    text = json_one_line(object);
    /* The bytes are on the disk before source.json says that they are. */
    if (present && file_write(record->folder, "user-data", buffer_text(bytes), bytes->size,
                              PRIVATE_MODE, FILE_SYNC, error) < 0)
        return -1;
    record->folders_to_sync = true;
    return file_write(record->folder, "source.json", text, strlen(text), PRIVATE_MODE, 0, error);
}

json_t *record_metadata(const struct record *record)
{
    struct error ignored = ERROR_INIT;
    json_t *metadata = NULL;

    if (json_read_file(record->folder, "metadata.json", RECORD_FILE_MAX, &metadata, &ignored) > 0 &&
        json_is_object(metadata))
        return metadata;
    json_decref(metadata);
    return memory_need(json_object());
}

static int save_json(int folder, const char *name, const json_t *value, unsigned flags,
                     struct error *error)
{
    AUTO_FREE char *text = json_indented(value);
    AUTO_FREE char *line = memory_format("%s\n", text);

    return file_write(folder, name, line, strlen(line), PRIVATE_MODE, flags, error);
}

int record_save_metadata(struct record *record, const json_t *metadata, struct error *error)
{
    return save_json(record->folder, "metadata.json", metadata, 0, error);
}

int record_save_status(struct record *record, const json_t *status, struct error *error)
{
    return save_json(record->folder, "status.json", status, 0, error);
}

int record_save_result(struct record *record, const json_t *result, struct error *error)
{
    return save_json(record->folder, "result", result, FILE_SYNC, error);
}

/* The name is the agent's own, made of the digest: a part's label never chooses a path. */
int record_put_part(struct record *record, const struct step *step, char **path,
                    struct error *error)
{
    char name[PART_NAME_MAX];

    snprintf(name, sizeof name, "parts/%s", step->digest);
    if (file_make_folders(record->folder, "parts", PART_MODE, error) < 0 ||
        file_write(record->folder, name, step->part->bytes, step->part->size, PART_MODE, 0, error) <
            0)
        return -1;
    *path = record_path(record, name);
    return 0;
}

int identity_read(struct identity *identity, struct error *error)
{
    AUTO_FREE char *path = memory_format("%s/instance.json", paths_get(PATHS_STATE));
    AUTO_JSON json_t *object = NULL;
    int got = json_read_file(AT_FDCWD, path, RECORD_FILE_MAX, &object, error);

    if (got <= 0)
        return got;
    snprintf(identity->instance_id, sizeof identity->instance_id, "%s",
             json_text_of(object, "instance_id", ""));
    snprintf(identity->source, sizeof identity->source, "%s", json_text_of(object, "source", ""));
    snprintf(identity->evidence, sizeof identity->evidence, "%s",
             json_text_of(object, "evidence", ""));
    snprintf(identity->boot_id, sizeof identity->boot_id, "%s",
             json_text_of(object, "boot_id", ""));
    return file_name_is_plain(identity->instance_id, RECORD_ID_MAX);
}

int identity_write(const struct identity *identity, struct error *error)
{
    AUTO_CLOSE int state = open_state(error);
    AUTO_JSON json_t *object = memory_need(json_object());

    if (state < 0)
        return -1;
    json_put_text(object, "instance_id", identity->instance_id);
    json_put_text(object, "source", identity->source);
    json_put_text(object, "evidence", identity->evidence);
    json_put_text(object, "boot_id", identity->boot_id);
    return save_json(state, "instance.json", object, FILE_SYNC, error);
}
