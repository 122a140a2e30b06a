/*
 * The record of an instance: what was given to it and what was done, below
 * /var/lib/bootlace/instances/<id>/ (0700).
 *
 *     user-data       the pristine bytes (0600), saved before anything parses them
 *     source.json     where they came from; its being there says that user-data is complete
 *     metadata.json   the items that were read
 *     journal         JSON lines, appended and flushed before and after each step
 *     status.json     what `bootlace status` shows, made of the journal
 *     result          how the last run ended
 *     parts/          the parts that steps run (0700)
 *
 * Power may go at any moment. The journal is the truth: its half-written last line is passed over,
 * and everything else can be made from it again.
 */
#ifndef BOOTLACE_RECORD_RECORD_H
#define BOOTLACE_RECORD_RECORD_H

#include "base/buffer.h"
#include "base/error.h"
#include "model/step.h"

#include <jansson.h>

#include <stdbool.h>

enum { RECORD_ID_MAX = 64, RECORD_JOURNAL_MAX = 256 << 20, RECORD_FILE_MAX = 64 << 20 };

struct record {
    char id[RECORD_ID_MAX + 1];
    int state;  /* the folder /var/lib/bootlace */
    int folder; /* the folder of this instance; -1 = not opened for a trial */
    int journal;
    int once;             /* the journal of what is done once on this file system */
    bool folders_to_sync; /* new names are not yet flushed */
};

#define RECORD_INIT                                                                                \
    {                                                                                              \
        .state = -1, .folder = -1, .journal = -1, .once = -1                                       \
    }
#define AUTO_RECORD __attribute__((cleanup(record_close)))

/* Opens the record of an instance, making what is missing. The id is checked. */
int record_open(struct record *record, const char *id, struct error *error);

/* Opens it for reading; 0 where there is none. */
int record_open_existing(struct record *record, const char *id, struct error *error);
void record_close(struct record *record);

/* The absolute path of a name in the record's folder; the caller frees. */
char *record_path(const struct record *record, const char *name);

/*
 * The user-data: 1 and the bytes, 0 it was recorded that there is none, -2 nothing recorded yet,
 * -1 an error.
 */
int record_user_data(const struct record *record, struct buffer *out, struct error *error);
int record_save_user_data(struct record *record, const struct buffer *bytes, bool present,
                          const char *source, struct error *error);

/* The recorded metadata, path -> text; an empty object where there is none. Never NULL. */
json_t *record_metadata(const struct record *record);
int record_save_metadata(struct record *record, const json_t *metadata, struct error *error);

/*
 * What the journal says: step name -> its last entry, whose "status" is a step state ("running"
 * where it was begun and never ended). Of this instance, or of the whole file system.
 */
json_t *record_history(const struct record *record, struct error *error);
json_t *record_history_once(const struct record *record, struct error *error);

/* Journal entries. Those about a step are flushed before they return. */
int record_begin_run(struct record *record, const char *boot_id, const char *source,
                     struct error *error);
int record_begin_step(struct record *record, const struct step *step, const char *boot_id,
                      struct error *error);
int record_end_step(struct record *record, const struct step *step, const char *boot_id,
                    struct error *error);

/* Writes a step's part where it can be executed; *path is the caller's. */
int record_put_part(struct record *record, const struct step *step, char **path,
                    struct error *error);

/* status.json (not flushed: it can be made again) and result (flushed). */
int record_save_status(struct record *record, const json_t *status, struct error *error);
int record_save_result(struct record *record, const json_t *result, struct error *error);

/*
 * The identity of the launched instance, /var/lib/bootlace/instance.json: which record belongs to
 * this machine, and by what evidence ("" = none).
 */
struct identity {
    char instance_id[RECORD_ID_MAX + 1];
    char source[16];
    char evidence[128];
    char boot_id[128];
};

/* 1, 0 where none is recorded, -1. */
int identity_read(struct identity *identity, struct error *error);
int identity_write(const struct identity *identity, struct error *error);

#endif
