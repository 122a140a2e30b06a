/* A launch: from the source to the plan, as run, plan and inspect share it; see launch.h. */
#include "verbs/launch.h"

#include "base/banned.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/paths.h"
#include "config/merge.h"
#include "config/settings.h"
#include "model/metadata.h"
#include "os/lock.h"
#include "verbs/includes.h"
#include "verbs/layers.h"
#include "verbs/metadata_cache.h"
#include "verbs/settings_check.h"

#include <fcntl.h>
#include <sys/stat.h>

/* Opens the source that settings and options name; why there is none is told when it is asked. */
static void open_source(struct launch *launch)
{
    const char *only = *launch->settings.user_data ? source_file.name : launch->options->source;

    if (source_open(&launch->source, &launch->settings, only, &launch->silence) < 0)
        return;
    snprintf(launch->source_name, sizeof launch->source_name, "%s", launch->source.type->name);
    log_line(LOG_LEVEL_DEBUG, "source: %s", launch->source_name);
}

/* The tree that the command line names; the agent's own files are in it. */
static int set_root(struct launch *launch, struct error *error)
{
    const char *given = launch->options->root;
    AUTO_FREE char *path = given ? realpath(given, NULL) : NULL;
    struct stat info;

    snprintf(launch->root, sizeof launch->root, "/");
    if (!given)
        return 0;
    if (!path || strlen(path) >= sizeof launch->root || stat(path, &info) < 0 ||
        !S_ISDIR(info.st_mode))
        return error_set(error, ERROR_USAGE, "--root: there is no folder %.200s", given);
    if (launch->options->boot || launch->options->early)
        return error_set(error, ERROR_USAGE, "--root is not for a boot");
    snprintf(launch->root, sizeof launch->root, "%s", path);
    if (strcmp(path, "/") != 0)
        paths_set_root(launch->root);
    return 0;
}

int launch_open(struct launch *launch, const struct options *options, bool keep,
                struct error *error)
{
    const char *operand = options->operand_count ? options->operands[0] : options->user_data;

    *launch = (struct launch){.options = options,
                              .keep = keep,
                              .record = RECORD_INIT,
                              .user_data = BUFFER_INIT(SOURCE_USER_DATA_MAX),
                              .metadata = memory_need(json_object())};
    if (set_root(launch, error) < 0)
        return -1;
    machine_boot_id(launch->boot_id);
    machine_identity(launch->evidence);
    if (*launch->evidence) {
        struct digest digest;

        digest_init(&digest);
        digest_add_text(&digest, launch->evidence);
        digest_text(&digest, launch->machine);
    }
    if (settings_read(&launch->settings, &launch->image, &launch->user.positions, error) < 0)
        return -1;
    if (operand && strlen(operand) >= sizeof launch->settings.user_data)
        return error_set(error, ERROR_USAGE, "the file's name is too long");
    if (operand)
        snprintf(launch->settings.user_data, sizeof launch->settings.user_data, "%s", operand);
    if (layers_open(launch, error) < 0)
        return -1;
    /* No service knows anything of instances to come. */
    if (!options->early && (!options->bake || launch_file(launch)))
        open_source(launch);
    return 0;
}

int launch_modules(struct launch *launch, struct error *error)
{
    AUTO_FREE char *cache = memory_format("%s/modules.json", paths_get(PATHS_STATE));

    if (registry_scan(&launch->registry, NULL, cache, launch->keep, error) < 0)
        return -1;
    schemas_log_left_out(&launch->registry, 0);
    return 0;
}

static void tell_known(const char *path, const char *value, void *context)
{
    struct launch *launch = context;

    json_put_text(launch->metadata, path, value);
}

static int open_record(struct launch *launch, const char *id, struct error *error)
{
    struct error unreadable = ERROR_INIT;

    if (launch->keep)
        return record_open(&launch->record, id, error);
    /* Who only looks may not be allowed to see what was done already: then it counts as not done.
     */
    if (record_open_existing(&launch->record, id, &unreadable) < 0)
        log_warning_object(&unreadable);
    return 0;
}

static void take_metadata(struct launch *launch, const struct record *record)
{
    if (record->metadata && json_object_update(launch->metadata, record->metadata) < 0)
        memory_exhausted();
}

/*
 * The source is silent. That never makes a new instance: the record of this machine stands in for
 * the source, if it is known to be this machine's.
 */
static int identify_by_record(struct launch *launch, struct error *error)
{
    char id[RECORD_ID_MAX + 1];
    enum record_owner owner = record_find_own(launch->evidence, launch->boot_id, id);

    if (owner == RECORD_NONE)
        return -1;
    if (owner == RECORD_ELSEWHERE)
        return error_hint(error, "the record of %s stays as it is: that was another machine", id);
    if (owner == RECORD_UNKNOWN) {
        launch->perhaps_own = true;
        snprintf(launch->instance_id, sizeof launch->instance_id, "%s", id);
        return error_hint(error,
                          "the record of %s is not used: nothing shows that this is still that "
                          "machine",
                          id);
    }
    launch->silence = *error;
    launch->from_record = true;
    error_clear(error);
    snprintf(launch->instance_id, sizeof launch->instance_id, "%s", id);
    if (open_record(launch, id, error) < 0)
        return -1;
    take_metadata(launch, &launch->record);
    snprintf(launch->source_name, sizeof launch->source_name, "%s",
             json_text_of(launch->record.last_run, "source", ""));
    return 0;
}

/*
 * A file of user-data given by hand is a record of its own, by its content: the same file again
 * does what is left, a changed one is new. Its scripts see the id of the instance they run on.
 */
static void borrow_identity(struct launch *launch)
{
    AUTO_RECORD struct record record = RECORD_INIT;
    char id[RECORD_ID_MAX + 1];
    struct error ignored = ERROR_INIT;

    if (record_find_own(launch->evidence, launch->boot_id, id) == RECORD_OWN &&
        record_open_existing(&record, id, &ignored) > 0) {
        snprintf(launch->instance_id, sizeof launch->instance_id, "%s", id);
        take_metadata(launch, &record);
    }
}

/* An image without user-data has its own configuration still. */
static int identify_image(struct launch *launch, struct error *error)
{
    snprintf(launch->instance_id, sizeof launch->instance_id, "image");
    snprintf(launch->source_name, sizeof launch->source_name, "image");
    return open_record(launch, launch->instance_id, error);
}

bool launch_is_image(const struct launch *launch)
{
    return launch->options->bake || strcmp(launch->root, "/") != 0;
}

int launch_identify(struct launch *launch, struct error *error)
{
    bool by_hand = *launch->settings.user_data != '\0';
    char id[SOURCE_ID_MAX + 1];
    int result = -1;

    if (!launch->source.type && launch_is_image(launch))
        return identify_image(launch, error);
    if (launch->source.type)
        result = source_identify(&launch->source, id, error);
    else
        *error = launch->silence;
    if (result < 0)
        return error->kind == ERROR_SOURCE && !by_hand ? identify_by_record(launch, error) : -1;
    snprintf(launch->instance_id, sizeof launch->instance_id, "%s", id);
    source_known(&launch->source, tell_known, launch);
    json_put_text(launch->metadata, "instance-id", id);
    if (by_hand && !launch->options->bake)
        borrow_identity(launch);
    return open_record(launch, id, error);
}

int launch_early(struct launch *launch, struct error *error)
{
    char id[SOURCE_ID_MAX + 1], text[DIGEST_TEXT_MAX];
    struct digest digest;

    /* Before any source answered, the machine is known by the hypervisor's word alone. */
    digest_init(&digest);
    digest_add_text(&digest, launch->evidence);
    snprintf(id, sizeof id, "early-%.16s", digest_text(&digest, text));
    snprintf(launch->source_name, sizeof launch->source_name, "record");
    borrow_identity(launch);
    return open_record(launch, id, error);
}

const char *launch_file(const struct launch *launch)
{
    return *launch->settings.user_data ? launch->settings.user_data : NULL;
}

static bool asks_for_changed(const struct options *options)
{
    for (const char *const *what = options->rerun; *what; what++) {
        if (strcmp(*what, "changed") == 0)
            return true;
    }
    return false;
}

static bool is_same(const struct buffer *left, const struct buffer *right)
{
    return left->size == right->size &&
           (!left->size || memcmp(left->bytes, right->bytes, left->size) == 0);
}

/* What the source gives now, in place of what the record has; had and has: 1 some, 0 none. */
static int read_again(struct launch *launch, int had)
{
    struct buffer fresh = BUFFER_INIT(SOURCE_USER_DATA_MAX);
    struct error unanswered = ERROR_INIT;
    int has = source_user_data(&launch->source, &fresh, &unanswered);

    if (has < 0) {
        log_warning_object(&unanswered);
    } else if (has != had || (has && !is_same(&fresh, &launch->user_data))) {
        struct buffer old = launch->user_data;

        launch->changed = true;
        launch->user_data = fresh;
        fresh = old;
        had = has;
    }
    buffer_free(&fresh);
    return had;
}

int launch_read(struct launch *launch, struct error *error)
{
    int got = record_user_data(&launch->record, &launch->user_data, error);
    bool recorded = got != -2;

    if (got == -2 && !launch->source.type && launch_is_image(launch))
        return 0;
    if (got == -2 && launch->from_record)
        return error_set(error, ERROR_SOURCE, "%s", launch->silence.message);
    if (got == -2) {
        buffer_clear(&launch->user_data);
        got = source_user_data(&launch->source, &launch->user_data, error);
        if (got > 0 && launch->keep &&
            record_save_user_data(&launch->record, &launch->user_data, error) < 0)
            return -1;
    }
    if (got < 0)
        return -1;
    if (recorded && launch->source.type && !launch->from_record && !launch_file(launch) &&
        (launch->ask_again || asks_for_changed(launch->options)))
        got = read_again(launch, got);
    launch->has_user_data = got > 0;
    return 0;
}

int launch_begin(struct launch *launch, struct error *error)
{
    const struct record_run run = {.source = launch->source_name,
                                   .evidence = launch->evidence,
                                   .boot_id = launch->boot_id,
                                   .user_data = launch->user_data.size ? &launch->user_data : NULL,
                                   .launch = !launch->options->early && !launch_file(launch) &&
                                             !launch_is_image(launch)};

    if (!launch->keep)
        return 0;
    if (launch->changed && asks_for_changed(launch->options) &&
        record_save_user_data(&launch->record, &launch->user_data, error) < 0)
        return -1;
    if (launch->options->bake && layers_keep(launch, error) < 0)
        return -1;
    return record_begin_run(&launch->record, &run, error);
}

/* Nothing but blank space is no user-data. */
static bool is_blank(const struct buffer *bytes)
{
    for (size_t i = 0; i < bytes->size; i++) {
        if (!strchr(" \t\r\n", bytes->bytes[i]) || !bytes->bytes[i])
            return false;
    }
    return true;
}

static int item_of(void *context, const char *path, struct buffer *out, struct error *error)
{
    return launch_item(context, path, out, error);
}

/* The image's own settings lie under the user-data's. */
static int merge_image(struct launch *launch)
{
    struct merge_rules rules = {0};
    struct error problem = ERROR_INIT;
    AUTO_JSON json_t *image = positions_deep_copy(&launch->user.positions, launch->image);

    if (!launch->user.config)
        launch->user.config = memory_need(json_object());
    if (merge_rules_parse(&rules, MERGE_RULES_IMAGE, NULL, &problem) < 0 ||
        merge_into(&rules, launch->user.config, image, &launch->user.positions, &problem) < 0)
        problems_add_error(&launch->plan.problems, &problem);
    return 0;
}

int launch_parts(struct launch *launch, struct error *error)
{
    struct includes includes = {.record = &launch->record, .keep = launch->keep};
    size_t left_out = launch->registry.problems.count;
    int result;
    const struct parts_setup setup = {.item = item_of,
                                      .context = launch,
                                      .instance_id = launch->instance_id,
                                      .source = launch->source_name,
                                      .fetch = includes_fetch,
                                      .fetch_once = includes_fetch_once,
                                      .fetch_context = &includes,
                                      .templated = launch->templated};

    if (is_blank(&launch->user_data))
        launch->has_user_data = false;
    result = layers_read(launch, &setup, error);
    web_free(includes.web);
    if (result < 0)
        return -1;
    if (merge_image(launch) < 0)
        return -1;
    if (settings_check(&launch->user, &launch->schemas, &launch->registry, &setup,
                       &launch->plan.problems, error) < 0)
        return -1;
    settings_need_packages(&launch->user, &launch->registry, false, &launch->plan.problems);
    if (launch->options->bake && !launch->plan.problems.errors)
        layers_warn_of_secrets(launch);
    schemas_log_left_out(&launch->registry, left_out);
    output_files_read(&launch->output, launch->user.config, &launch->user.positions,
                      &launch->plan.problems);
    return 0;
}

/* Whether another process is at it, as far as we may see. Not for who holds the lock: closing the
 * file a second time would give it up (fcntl(2)). */
static bool another_run(void)
{
    AUTO_FREE char *path = memory_format("%s/lock", paths_get(PATHS_RUN));

    return lock_holder(path) != 0;
}

static void warn_of_change(struct launch *launch)
{
    struct error warning = ERROR_INIT;

    error_set(&warning, ERROR_INPUT,
              "the user-data was changed since it was run for this instance");
    error_hint(&warning, "`bootlace run --rerun changed` does what is changed or new");
    problems_add_warning(&launch->plan.problems, &warning);
}

/* What the record knows of a step that is not run again is its outcome still. */
static void recall_outcome(const struct record *record, struct step *step, bool under_way)
{
    const json_t *entry = json_object_get(
        step->frequency == BOOTLACE_ONCE ? record->history_once : record->history, step->name);

    if (step->is_baked) {
        step->outcome.state = STEP_DONE;
        outcome_set_message(&step->outcome, "baked into the image");
    }
    if (step->run || step->is_baked || !entry)
        return;
    outcome_from_json(&step->outcome, entry);
    if (step->outcome.state == STEP_RUNNING && !under_way) {
        step->outcome.state = STEP_CUT_OFF;
        outcome_set_message(&step->outcome,
                            "cut off: begun and never ended, by a restart, power loss or kill");
    }
}

static int make_plan(struct launch *launch, struct plan_request *request, struct error *error)
{
    const struct record *record = &launch->record;
    size_t first = launch->plan.steps.count;

    request->modules = launch->registry.modules;
    request->module_count = launch->registry.count;
    request->essentials =
        launch->settings.essentials && !launch_file(launch) && !launch_is_image(launch);
    /* What a bake has done is known by what was baked, whichever file said so. */
    request->history = launch->options->bake ? NULL : record->history;
    request->history_once = record->history_once;
    request->boot_id = launch->boot_id;
    request->module_settings = launch->settings.modules;
    request->in_image = launch_is_image(launch);
    request->baked = launch->baked.facts;
    request->templated = launch->templated;
    request->user_data_changed = launch->changed;
    request->under_way = !launch->keep && another_run();
    request->rerun = launch->options->rerun;
    if (plan_make(&launch->plan, request, error) < 0)
        return -1;
    for (size_t i = first; i < launch->plan.steps.count; i++)
        recall_outcome(record, &launch->plan.steps.items[i], request->under_way);
    return 0;
}

int launch_plan(struct launch *launch, enum bootlace_stage stage, struct error *error)
{
    struct plan_request request = {.parts = &launch->user.parts,
                                   .config =
                                       launch->user.config ? launch->user.config : launch->image,
                                   .stage = stage};

    if (make_plan(launch, &request, error) < 0)
        return -1;
    if (launch->changed && !asks_for_changed(launch->options))
        warn_of_change(launch);
    return 0;
}

int launch_plan_essentials(struct launch *launch, size_t kept, struct error *error)
{
    struct plan_request request = {
        .config = launch->image, .stage = BOOTLACE_STAGE_MAIN, .essentials_alone = true};

    steps_cut(&launch->plan.steps, kept);
    return make_plan(launch, &request, error);
}

int launch_item(struct launch *launch, const char *path, struct buffer *out, struct error *error)
{
    const json_t *known;
    int got;

    path += strspn(path, "/");
    known = json_object_get(launch->metadata, path);
    if (known)
        return json_is_string(known) &&
                       buffer_append(out, json_string_value(known), json_string_length(known))
                   ? 1
                   : 0;
    if (!launch->source.type || launch->from_record)
        return 0;
    got = source_item(&launch->source, path, out, error);
    /* Credentials are neither kept nor shown: they are asked for anew each time. */
    if (!metadata_is_public(path))
        return got;
    if (got > 0)
        json_put(launch->metadata, path, json_lossy_string(buffer_text(out), out->size));
    else if (got == 0)
        json_put(launch->metadata, path, json_null());
    return got;
}

int launch_metadata(struct launch *launch, struct error *error)
{
    AUTO_JSON json_t *wanted = plan_wanted_metadata(&launch->plan);
    const json_t *item;
    size_t i;

    json_array_foreach(wanted, i, item)
    {
        AUTO_BUFFER struct buffer value = BUFFER_INIT(SOURCE_ITEM_MAX);

        if (launch_item(launch, json_string_value(item), &value, error) < 0)
            return -1;
    }
    return 0;
}

void launch_clear(struct launch *launch)
{
    if (!launch)
        return;
    plan_clear(&launch->plan);
    output_files_clear(&launch->output);
    parts_result_clear(&launch->user);
    json_decref(launch->metadata);
    json_decref(launch->bake_config);
    json_decref(launch->templated);
    baked_clear(&launch->baked);
    buffer_free(&launch->user_data);
    record_close(&launch->record);
    source_close(&launch->source);
    schemas_clear(&launch->schemas);
    registry_clear(&launch->registry);
    json_decref(launch->image);
    settings_clear(&launch->settings);
    *launch = (struct launch){.record = RECORD_INIT};
}
