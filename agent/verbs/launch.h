/*
 * A launch: from the source to the plan, as run, plan and inspect share it.
 *
 *     settings, source → modules → instance → user-data → parts → plan
 *
 * Each function does one stage and leaves in the struct what the next needs. What may write (the
 * record) is said by `keep`: plan, inspect and a dry run keep nothing.
 */
#ifndef BOOTLACE_VERBS_LAUNCH_H
#define BOOTLACE_VERBS_LAUNCH_H

#include "base/buffer.h"
#include "base/error.h"
#include "model/part.h"
#include "model/problem.h"
#include "model/settings.h"
#include "os/machine.h"
#include "plan/plan.h"
#include "record/baked.h"
#include "record/record.h"
#include "run/registry.h"
#include "source/source.h"
#include "verbs/options.h"
#include "verbs/output_files.h"
#include "verbs/parts.h"
#include "verbs/schemas.h"

#include <jansson.h>

#include <stdbool.h>

struct launch {
    const struct options *options;
    bool keep; /* write to the record */
    struct settings settings;
    json_t *image; /* the cloud-config keys of the image's own configuration, baked ones over it */
    struct baked baked;  /* what is in the image already */
    json_t *bake_config; /* what a bake keeps: the config without that of the image */
    json_t *templated;   /* what of the config speaks of the instance, in a bake; else NULL */
    struct registry registry;
    struct schemas schemas; /* the modules', made where there are settings to be checked */
    struct source source;
    char source_name[16];
    char boot_id[MACHINE_ID_MAX];
    char evidence[MACHINE_ID_MAX];
    char machine[DIGEST_TEXT_MAX]; /* a digest of the evidence, for modules; "" = there is none */
    char instance_id[SOURCE_ID_MAX + 1]; /* what scripts see as INSTANCE_ID */
    struct record record;
    bool perhaps_own;     /* it is silent, and whether the record is this machine's is unknown */
    bool from_record;     /* the source is silent; the record of the same machine stands in */
    struct error silence; /* why there is no source, or why the record stands in for it */
    char root[SETTINGS_PATH_MAX]; /* the tree to work on; "/" is the machine that runs */
    bool ask_again;               /* the source for user-data that the record has */
    bool has_user_data;
    bool changed; /* the user-data is not the record's */
    struct buffer user_data;
    json_t *metadata; /* path -> text, or null where there is no such item */
    size_t published; /* how many of them the cache has */
    struct parts_result
        user; /* the parts, and the cloud-config of them with the image's under it */
    struct output_files output; /* where the steps' output goes as well */
    struct plan plan;           /* its problems are filled by the earlier stages, too */
};

#define AUTO_LAUNCH __attribute__((cleanup(launch_clear)))

/*
 * Reads settings and opens the source, which gets ready while the rest does: so this comes first.
 * After an error everything but launch_clear is out of the question.
 */
int launch_open(struct launch *launch, const struct options *options, bool keep,
                struct error *error);

/* Scans the modules. */
int launch_modules(struct launch *launch, struct error *error);

/*
 * Waits for the source, and opens the record of the instance that it names. Where the source is
 * silent and the record shows that this is the same machine, it goes on from the record.
 * ERROR_SOURCE where it cannot; perhaps_own says that it might have, had the hypervisor told.
 */
int launch_identify(struct launch *launch, struct error *error);

/*
 * The user-data, from the record where it has it, else from the source, and then kept. With
 * ask_again the source is asked in any case, if it answers: what it gives now may be another
 * (`changed`), and is kept once the plan stands.
 */
int launch_read(struct launch *launch, struct error *error);

/* Whether the tree is an image: one that is not running, or that becomes one. */
bool launch_is_image(const struct launch *launch);

/* The file that user-data is taken from, or NULL. */
const char *launch_file(const struct launch *launch);

/*
 * The entry of this run into the journal, once the plan stands: from here on the user-data counts
 * as given. What was wrong with it may have been mended until the next boot.
 */
int launch_begin(struct launch *launch, struct error *error);

/* Decodes, classifies, merges and checks; what is wrong becomes problems of the plan. */
int launch_parts(struct launch *launch, struct error *error);

/* Makes the plan for a stage, behind that of an earlier one; see plan_make. */
int launch_plan(struct launch *launch, enum bootlace_stage stage, struct error *error);

/*
 * Makes another end of the plan, behind its first steps: what is essential, with the image's
 * settings alone, since the user-data cannot be used.
 */
int launch_plan_essentials(struct launch *launch, size_t kept, struct error *error);

/* Reads every metadata item that steps to be run want and that is not known yet. */
int launch_metadata(struct launch *launch, struct error *error);

/* One item: 1 and the text (in place of what out held), 0 none, -1. Remembers what it learned. */
int launch_item(struct launch *launch, const char *path, struct buffer *out, struct error *error);

/* The early stage's way: the record of this machine, without any source. */
int launch_early(struct launch *launch, struct error *error);

void launch_clear(struct launch *launch);

#endif
