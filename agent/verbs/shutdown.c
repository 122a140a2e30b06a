/* What must not outlive the machine, undone at its shutdown; see shutdown.h. */
#include "verbs/shutdown.h"

#include "base/banned.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/paths.h"
#include "os/lock.h"
#include "run/schedule.h"
#include "verbs/launch.h"
#include "verbs/step_environment.h"

#include <fcntl.h>

enum {
    KEPT_MAX = 64 << 20,
    PRIVATE_MODE = 0600,
    RUN_FOLDER_MODE = 0755,
    TIME_LIMIT_S = 30, /* of one step; the unit has a limit for all */
    LOCK_WAIT_MS = 15000,
    LOCK_POLL_MS = 50
};

static char *kept_path(void)
{
    return memory_format("%s/shutdown.json", paths_get(PATHS_RUN));
}

static int read_kept(json_t **kept, struct error *error)
{
    AUTO_FREE char *path = kept_path();

    return json_read_file(AT_FDCWD, path, KEPT_MAX, kept, error);
}

int shutdown_keep(const struct step *step, const char *instance_id, const json_t *metadata,
                  struct error *error)
{
    AUTO_FREE char *path = kept_path();
    AUTO_FREE char *text = NULL;
    AUTO_JSON json_t *kept = NULL;
    json_t *steps, *entry;

    if (!step->module->has_stop || !step->settings || step->outcome.state != STEP_DONE)
        return 0;
    if (read_kept(&kept, error) < 0)
        return -1;
    if (!kept)
        kept = memory_need(json_object());
    steps = json_object_get(kept, "steps");
    if (!steps) {
        steps = memory_need(json_object());
        json_put(kept, "steps", steps);
    }
    entry = memory_need(json_object());
    json_put_text(entry, "module", step->module->name);
    json_put(entry, "settings", json_incref(step->settings));
    json_object_del(steps, step->name); /* the last one done is the last one of the object */
    json_put(steps, step->name, entry);
    json_put_text(kept, "instance_id", instance_id);
    json_put(kept, "metadata", memory_need(json_deep_copy(metadata)));
    text = json_one_line(kept);
    if (file_make_folders(AT_FDCWD, paths_get(PATHS_RUN), RUN_FOLDER_MODE, error) < 0)
        return -1;
    return file_write(AT_FDCWD, path, text, strlen(text), PRIVATE_MODE, error);
}

/* The kept steps, the last one done first. */
static void make_steps(const json_t *kept, const struct registry *registry, struct steps *steps)
{
    json_t *list = json_object_get(kept, "steps"), *entry;
    const char *name;

    json_object_foreach(list, name, entry)
    {
        const char *module_name = json_text_of(entry, "module", "");
        const struct description *module = registry_find(registry, module_name);
        struct step *step;

        if (!module || !module->has_stop) {
            log_line(LOG_LEVEL_ERROR, "%s: the module %s is gone: nothing undoes it", name,
                     module_name);
            continue;
        }
        step = steps_add(steps);
        step->name = memory_copy_string(name);
        step->module = module;
        step->settings = json_incref(json_object_get(entry, "settings"));
        step->time_limit = TIME_LIMIT_S;
        step->run = true;
    }
    for (size_t i = 0; i < steps->count / 2; i++) {
        struct step other = steps->items[i];

        steps->items[i] = steps->items[steps->count - 1 - i];
        steps->items[steps->count - 1 - i] = other;
    }
}

static int begin_step(void *context, struct step *step, char **part_file, struct error *error)
{
    (void)context, (void)part_file, (void)error;
    log_line(LOG_LEVEL_INFO, "%s (%s): is undone for the shutdown", step->name, step->module->name);
    return 0;
}

/* What the schedule's host works with. */
struct undoing {
    struct launch *launch;
    bool failed;
};

static void end_step(void *context, struct step *step)
{
    struct undoing *undoing = context;
    const struct outcome *outcome = &step->outcome;

    undoing->failed = undoing->failed || outcome->state != STEP_DONE;
    log_line(outcome->state == STEP_DONE ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR,
             "%s (%s): %s after %lld ms%s%s", step->name, step->module->name,
             step_state_name(outcome->state), (long long)outcome->duration_ms,
             outcome->message ? ": " : "", outcome->message ? outcome->message : "");
}

static int answer_metadata(void *context, const char *path, struct buffer *out)
{
    const struct undoing *undoing = context;
    struct error error = ERROR_INIT;
    int got = launch_item(undoing->launch, path, out, &error);

    if (got < 0)
        log_error_object(&error);
    return got;
}

static bool undo(struct launch *launch, const json_t *kept, const struct options *options)
{
    AUTO_CLOSE int log_fd = options->dry_run ? -1 : log_open_file(paths_get(PATHS_OUTPUT_LOG));
    struct undoing undoing = {.launch = launch};
    struct step_environment environment;
    struct steps steps = {0};
    struct schedule schedule = {.phase = HOST_STOP,
                                .root = "/",
                                .dry_run = options->dry_run,
                                .show_output = true,
                                .output_log_fd = log_fd,
                                .signal_fd = -1,
                                .metadata = json_object_get(kept, "metadata"),
                                .host = {.context = &undoing,
                                         .begin = begin_step,
                                         .end = end_step,
                                         .metadata = answer_metadata}};

    make_steps(kept, &launch->registry, &steps);
    step_environment_make(&environment, json_text_of(kept, "instance_id", ""), schedule.metadata);
    schedule.environment = step_environment_list(&environment);
    source_hurry(&launch->source);
    schedule_run(&schedule, &steps);
    step_environment_clear(&environment);
    steps_clear(&steps);
    return !undoing.failed;
}

/* The run of the boot is told to end at the same time, and takes a moment for it. */
static int take_lock(struct error *error)
{
    AUTO_FREE char *path = memory_format("%s/lock", paths_get(PATHS_RUN));
    int64_t end_ms = clock_milliseconds() + LOCK_WAIT_MS;
    pid_t holder = 0;

    for (;;) {
        int held = lock_take(path, &holder, error);

        if (held >= 0 || error->kind != ERROR_BUSY || clock_milliseconds() >= end_ms)
            return held;
        error_clear(error);
        clock_sleep(LOCK_POLL_MS);
    }
}

static int run_locked(struct launch *launch, const json_t *kept, const struct options *options,
                      struct error *error)
{
    AUTO_FREE char *path = kept_path();
    AUTO_CLOSE int held = options->dry_run ? -1 : take_lock(error);

    if (!options->dry_run && held < 0)
        return -1;
    if (launch_open(launch, options, !options->dry_run, error) < 0 ||
        launch_modules(launch, error) < 0)
        return -1;
    if (!undo(launch, kept, options))
        return error_set(error, ERROR_STEP, "not everything was undone");
    /* Undone is undone: the next boot begins anew. */
    return options->dry_run ? 0 : file_remove(AT_FDCWD, path, error);
}

int shutdown_run(const struct options *options)
{
    struct launch launch = {.record = RECORD_INIT};
    struct error error = ERROR_INIT;
    AUTO_JSON json_t *kept = NULL;
    int result = read_kept(&kept, &error);

    if (result == 0)
        return 0; /* nothing was done in this boot that wants it */
    if (!options->dry_run)
        log_open(paths_get(PATHS_LOG));
    if (result > 0)
        result = run_locked(&launch, kept, options, &error);
    launch_clear(&launch);
    if (result < 0)
        log_error_object(&error);
    return result < 0 ? error_exit_code(&error) : 0;
}
