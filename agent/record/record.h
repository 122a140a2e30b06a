/*
 * The record of an instance: what was given to it and what was done, below
 * /var/lib/bootlace/instances/<id>/ (0700).
 *
 *     user-data       the pristine bytes (0600), saved before anything parses them
 *     journal         JSON lines, appended and flushed before and after each step
 *     status.json     what `bootlace status` shows, made of the journal
 *     result          how the last run ended
 *     part-<digest>   a part that a step runs (0700)
 *
 * /var/lib/bootlace/once is the journal of what is done once on this file system, whatever
 * instance it becomes.
 *
 * /var/lib/bootlace/baked is what was baked into this file system; see baked.h.
 *
 * Power may go at any moment. The journal is the truth: its half-written last line is passed over,
 * what it does not mention is not there (a user-data file without its entry is read again), and
 * everything else can be made from it or read again: a user-data file that is not the one that the
 * journal means is asked of the source once more. So only the journals are ever flushed.
 */
#ifndef BOOTLACE_RECORD_RECORD_H
#define BOOTLACE_RECORD_RECORD_H

#include "base/buffer.h"
#include "base/digest.h"
#include "base/error.h"
#include "model/step.h"

#include <jansson.h>

#include <stdbool.h>

#define AUTO_RECORD __attribute__((cleanup(record_close)))

enum { RECORD_ID_MAX = 64, RECORD_JOURNAL_MAX = 256 << 20, RECORD_FILE_MAX = 64 << 20 };

struct record {
    char id[RECORD_ID_MAX + 1];
    int state;   /* the folder /var/lib/bootlace */
    int folder;  /* the folder of this instance; -1 = there is none */
    int journal; /* -1 = there is none yet */
    bool writable;
    bool unflushed_names;    /* names that were made and not yet flushed */
    bool unflushed_state;    /* the folder of all instances itself is one of them */
    json_t *history;         /* step name -> its last entry; its "status" is a step state */
    json_t *history_once;    /* the same of the whole file system */
    json_t *last_run;        /* the last entry of a run, or NULL */
    unsigned reboots;        /* runs in a row, up to the last one, that ended with a restart */
    unsigned reboots_before; /* the same, up to the last but one */
    json_t *metadata;        /* the items that were read last: path -> text or null; or NULL */
};

#define RECORD_INIT                                                                                \
    {                                                                                              \
        .state = -1, .folder = -1, .journal = -1                                                   \
    }

/* What an entry of a run says: which machine this was, and what was given to it. */
struct record_run {
    const char *source;
    const char *evidence; /* the hypervisor's word for this machine, "" = none */
    const char *boot_id;
    const struct buffer *user_data; /* NULL = none was given */
    bool launch; /* the source named the instance: neither the early stage, nor a file by hand */
};

/* Opens the record of an instance and reads its journal, making what is missing. The id is
 * checked. A step that was begun and never ended has the status "running" in the history. */
int record_open(struct record *record, const char *id, struct error *error);

/* The same for reading only: 1, 0 where there is none, -1. The histories are empty then. */
int record_open_existing(struct record *record, const char *id, struct error *error);
void record_close(struct record *record);

/* The absolute path of a name in the record's folder; the caller frees. */
char *record_path(const struct record *record, const char *name);

/* The digest by which the journal knows user-data; returns text. */
char *record_digest(const struct buffer *bytes, char text[static DIGEST_TEXT_MAX]);

/* The user-data: 1 and the bytes, 0 it was recorded that there is none, -2 nothing recorded yet,
 * -1 an error. */
int record_user_data(const struct record *record, struct buffer *out, struct error *error);

/* Writes the bytes; that they are complete is said by the entry of the run. */
int record_save_user_data(struct record *record, const struct buffer *bytes, struct error *error);

/* Journal entries. Those about a step are flushed before they return. */
int record_begin_run(struct record *record, const struct record_run *run, struct error *error);
int record_add_metadata(struct record *record, const json_t *metadata, struct error *error);
int record_reboot(struct record *record, const struct step *step, const char *boot_id,
                  struct error *error); /* the run ends with a restart, for this step */
int record_begin_step(struct record *record, const struct step *step, const char *boot_id,
                      struct error *error);
int record_end_step(struct record *record, const struct step *step, const char *boot_id,
                    struct error *error);

/* Writes a step's part where it can be executed; *path is the caller's. */
int record_put_part(struct record *record, const struct step *step, char **path,
                    struct error *error);

int record_save_status(struct record *record, const json_t *status, struct error *error);
int record_save_result(struct record *record, const json_t *result, struct error *error);

/*
 * What the journal of the whole file system says may stay in an image, but nothing of how it went:
 * each step's last entry, without its output. 1 where that is a change, 0, or -1.
 */
int record_reduce_once(bool dry_run, struct error *error);

/* Whose record was found. */
enum record_owner {
    RECORD_NONE,      /* there is none of a launch */
    RECORD_ELSEWHERE, /* the hypervisor's word says that the launch was another machine's */
    RECORD_UNKNOWN,   /* there is no such word, then or now: it may have been this one's */
    RECORD_OWN        /* the word is the same, or this is the boot in which it was written */
};

/*
 * Finds the record of the instance that this machine is: of those that come closest to being its
 * own, the newest. The id is "" where there is none.
 */
enum record_owner record_find_own(const char *evidence, const char *boot_id,
                                  char id[static RECORD_ID_MAX + 1]);

#endif
