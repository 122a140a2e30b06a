/*
 * bootlace run: does what the user-data says and is not done yet.
 *
 * The stages are launch.c's; here they are put in order around the one lock, what becomes of the
 * steps goes to the record, and what the whole came to goes to the status files.
 */
#include "verbs/run.h"
#include "base/banned.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/paths.h"
#include "os/lock.h"
#include "os/process.h"
#include "verbs/metadata_cache.h"
#include "verbs/reboot.h"
#include "verbs/show.h"
#include "verbs/shutdown.h"
#include "verbs/verbs.h"
#include "verbs/will.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

enum { STATUS_MAX = 64 << 20 };

/* Why this boot is none of ours, or NULL. */
static const char *reason_to_keep_still(void)
{
    if (machine_kernel_word("bootlace=off"))
        return "kept still: bootlace=off is on the kernel's command line";
    if (file_exists(AT_FDCWD, paths_get(PATHS_CLOUD_INIT_ACTIVE)))
        return "kept still: cloud-init is active in this boot";
    return NULL;
}

/* The modules, and which instance this is. */
static int prepare(struct run *run, struct error *error)
{
    struct launch *launch = &run->launch;

    run->report.steps = &launch->plan.steps;
    if (launch_modules(launch, error) < 0)
        return -1;
    report_left_out(&run->report, &launch->registry.problems, 0);
    if ((run->options->early ? launch_early(launch, error) : launch_identify(launch, error)) < 0)
        return -1;
    run->report.instance_id = launch->instance_id;
    run->report.record_id = launch->record.id;
    run->report.source = launch->source_name;
    if (launch->from_record) {
        run->degraded = true;
        report_error(&run->report, &launch->silence);
        run->report.message = "no source answered; went on from the record of this instance";
    }
    return 0;
}

/* What is done before the user-data is asked for; a dry run does it with the rest. */
static int run_first(struct run *run, struct error *error)
{
    struct launch *launch = &run->launch;

    if (launch_plan(launch, BOOTLACE_STAGE_INSTANCE, error) < 0)
        return -1;
    run->first_count = launch->plan.steps.count;
    run->first = true;
    if (plan_count_runs(&launch->plan) && !run->options->dry_run)
        run_steps(run);
    run->first = false;
    /* The list of steps moves when it grows. */
    run->last = NULL;
    return 0;
}

/* The stages up to the plan. */
static int make_plan(struct run *run, struct error *error)
{
    struct launch *launch = &run->launch;
    size_t left_out = launch->registry.problems.count;

    if (run->options->early)
        return launch_plan(launch, BOOTLACE_STAGE_EARLY, error);
    if (launch_read(launch, error) < 0 || launch_parts(launch, error) < 0)
        return -1;
    report_left_out(&run->report, &launch->registry.problems, left_out);
    return launch_plan(launch, BOOTLACE_STAGE_MAIN, error);
}

/* Whether the plan has steps that somebody asked for. */
static bool has_wishes(const struct launch *launch)
{
    for (size_t i = 0; i < launch->plan.steps.count; i++) {
        if (!launch->plan.steps.items[i].module->essential)
            return true;
    }
    return false;
}

static int run_plan(struct run *run, struct error *error)
{
    struct launch *launch = &run->launch;

    report_problems(&run->report, &launch->plan.problems);
    if (launch->plan.problems.errors) {
        run->report.exit_code = problems_exit_code(&launch->plan.problems);
        run->report.message = run->report.exit_code == ERROR_SOURCE
                                  ? "what the user-data includes did not answer: nothing was run"
                                  : "the user-data or configuration is wrong: nothing of it was "
                                    "run";
        return 0;
    }
    if (!launch->has_user_data && !run->options->early && !has_wishes(launch))
        run->report.message = "no user-data: nothing to do";
    if (run->options->dry_run && !run->options->json) {
        will_tell(launch);
        show_plan(&launch->plan);
    }
    if (launch_begin(launch, error) < 0)
        return -1;
    if (!plan_count_runs(&launch->plan))
        return 0;
    /* Every step's process would carry them along. */
    schemas_clear(&launch->schemas);
    run_await_network(run);
    source_hurry(&launch->source);
    run_steps(run);
    return 0;
}

/* The instance is known, and what was to be done is not, or is wrong: what the image owes its
 * people is done all the same. */
static void run_essentials(struct run *run)
{
    struct launch *launch = &run->launch;
    struct error error = ERROR_INIT;

    if (launch_plan_essentials(launch, run->first_count, &error) < 0) {
        report_error(&run->report, &error);
        return;
    }
    source_hurry(&launch->source);
    run_steps(run);
}

/* The run goes on behind the restart: until then it is running still. */
static void conclude_reboot(struct run *run)
{
    snprintf(run->summary, sizeof run->summary, "%.100s asked for a restart of the machine",
             run->reboots_for->name);
    run->report.message = run->summary;
    run->report.status = "running";
}

/* What a bake leaves is no failure, and worth a word. */
static void tell_left(struct run *run)
{
    const struct steps *steps = run->report.steps;
    size_t left = 0, baked = 0;

    for (size_t i = 0; steps && i < steps->count; i++) {
        const struct step *step = &steps->items[i];

        if (step->outcome.state == STEP_DONE && !step->outcome.left)
            baked++;
        else
            left++;
    }
    snprintf(run->summary, sizeof run->summary, "%zu of %zu steps baked, %zu left for the launch",
             baked, baked + left, left);
    run->report.message = run->summary;
}

/* What the run came to. */
static void conclude(struct run *run)
{
    struct report *report = &run->report;
    const struct steps *steps = report->steps;
    size_t bad = 0;

    if (run->reboots_for) {
        conclude_reboot(run);
        return;
    }
    for (size_t i = 0; steps && i < steps->count; i++) {
        enum step_state state = steps->items[i].outcome.state;

        bad += state == STEP_FAILED || state == STEP_CUT_OFF;
        if (state == STEP_PENDING && !steps->items[i].run)
            steps->items[i].outcome.state = STEP_SKIPPED;
    }
    if (!report->exit_code && bad) {
        snprintf(run->summary, sizeof run->summary, "%zu of %zu step%s failed", bad, steps->count,
                 steps->count == 1 ? "" : "s");
        report->exit_code = ERROR_STEP;
        report->message = run->summary;
    }
    if (!report->exit_code && run->interrupted) {
        report->exit_code = ERROR_STEP;
        report->message = "ended from outside before every step had its turn";
    }
    if (!report->exit_code && !report->message && steps && reboot_wanted_by(steps) &&
        !run->options->boot) {
        snprintf(run->summary, sizeof run->summary,
                 "restart the machine when it suits: %.100s asked for it",
                 reboot_wanted_by(steps)->name);
        report->message = run->summary;
    }
    if (!report->exit_code && !report->message && run->options->bake)
        tell_left(run);
    report->status = report->exit_code ? "failed" : run->degraded ? "degraded" : "done";
    clock_text(report->finished);
    report->finished_ms = clock_milliseconds();
}

/* status.json and result of the record, then the published status, which people wait for. */
static void save(struct run *run)
{
    struct launch *launch = &run->launch;
    struct error error = ERROR_INIT;

    if (!run->options->dry_run && launch->record.folder >= 0) {
        AUTO_JSON json_t *status = report_to_json(&run->report);
        AUTO_JSON json_t *result = memory_need(json_object());

        json_put_text(result, "status", run->report.status);
        json_put_number(result, "exit_code", run->report.exit_code);
        json_put_text(result, "boot_id", run->report.boot_id);
        json_put_text(result, "finished", run->report.finished);
        if (record_save_status(&launch->record, status, &error) < 0 ||
            record_add_metadata(&launch->record, launch->metadata, &error) < 0 ||
            record_save_result(&launch->record, result, &error) < 0)
            log_error_object(&error);
        if (!run->options->early)
            metadata_cache_publish(launch);
    }
    run_publish(run);
}

/* The machine is restarted: that ends this process, or it is an error. */
static void restart(struct run *run)
{
    struct error error = ERROR_INIT;

    if (record_reboot(&run->launch.record, run->reboots_for, run->launch.boot_id, &error) == 0 &&
        reboot_machine(run->reboots_for, &error) == 0)
        return;
    report_error(&run->report, &error);
    run->reboots_for = NULL;
    run->interrupted = true;
    conclude(run);
    save(run);
}

static int finish(struct run *run, int exit_code)
{
    buffer_free(&run->before);
    report_clear(&run->report);
    launch_clear(&run->launch);
    return exit_code;
}

/* A command line that asks for what there is not was no run: the status stays that of the last. */
static int take_back(struct run *run)
{
    struct error error = ERROR_INIT;

    const char *path = report_path(run->report.early);
    int result = 0;

    if (!run->options->dry_run)
        result = run->before.size ? file_write(AT_FDCWD, path, buffer_text(&run->before),
                                               run->before.size, 0644, &error)
                                  : file_remove(AT_FDCWD, path, &error);
    if (result < 0)
        log_error_object(&error);
    return finish(run, ERROR_USAGE);
}

/* The whole run; the settings and the source are opened already, or *error says why not. */
static int execute(struct run *run, struct error *error)
{
    char boot_id[MACHINE_ID_MAX];
    struct error ignored = ERROR_INIT;
    bool identified = false;
    int result = error->kind ? -1 : 0;

    report_init(&run->report);
    run->report.early = run->options->early;
    run->report.boot_id = machine_boot_id(boot_id);
    file_read(AT_FDCWD, report_path(run->report.early), &run->before, &ignored);
    run_publish(run);
    if (result == 0)
        result = prepare(run, error);
    if (result == 0) {
        identified = !run->options->early;
        result = identified ? run_first(run, error) : 0;
    }
    if (result == 0 && !run->interrupted) {
        result = make_plan(run, error);
        if (result == 0)
            result = run_plan(run, error);
    }
    if (result < 0 && error->kind == ERROR_USAGE) {
        log_error_object(error);
        return take_back(run);
    }
    if (identified && (result < 0 || run->launch.plan.problems.errors))
        run_essentials(run);
    source_finish(&run->launch.source);
    if (result < 0) {
        report_error(&run->report, error);
        run->report.instance_id = run->launch.instance_id;
        run->report.message = error->message;
        /* A machine that was set up before, as far as anybody can tell, and could not be asked. */
        run->degraded = run->launch.perhaps_own && error->kind == ERROR_SOURCE;
        if (!run->degraded)
            run->report.exit_code = error_exit_code(error);
    }
    conclude(run);
    save(run);
    if (run->reboots_for)
        restart(run);
    if (run->options->json) {
        AUTO_JSON json_t *whole = report_to_json(&run->report);

        show_json(whole);
    }
    log_line(plan_count_runs(&run->launch.plan) || run->report.exit_code || run->degraded
                 ? LOG_LEVEL_INFO
                 : LOG_LEVEL_DEBUG,
             "%s%s%s", run->report.status, run->report.message ? ": " : "",
             run->report.message ? run->report.message : "");
    return finish(run, run->report.exit_code);
}

/* This boot is left alone; the status says why. */
static int keep_still(struct run *run, const char *reason)
{
    char boot_id[MACHINE_ID_MAX];

    report_init(&run->report);
    run->report.early = run->options->early;
    run->report.boot_id = machine_boot_id(boot_id);
    run->report.status = "not started";
    run->report.message = reason;
    log_line(LOG_LEVEL_INFO, "%s", reason);
    run_publish(run);
    report_clear(&run->report);
    return 0;
}

/* Takes the lock, and runs; the folders are made where they are missing. */
static int run_alone(struct run *run, const char *reason, struct error *error)
{
    AUTO_FREE char *path = memory_format("%s/lock", paths_get(PATHS_RUN));
    struct error refusal = ERROR_INIT;
    pid_t holder = 0;

    log_open(paths_get(PATHS_LOG));
    bool made = file_make_folders(AT_FDCWD, paths_get(PATHS_RUN), 0755, &refusal) == 0 &&
                file_make_folders(AT_FDCWD, paths_get(PATHS_STATE), 0700, &refusal) == 0;
    AUTO_CLOSE int held = made ? lock_take(path, &holder, &refusal) : -1;
    if (held < 0) {
        log_error_object(&refusal);
        launch_clear(&run->launch);
        return error_exit_code(&refusal);
    }
    return reason ? keep_still(run, reason) : execute(run, error);
}

int verb_bake(const struct options *options)
{
    struct options own = *options;

    own.bake = true;
    return verb_run(&own);
}

int verb_run(const struct options *options)
{
    struct run run = {
        .options = options, .launch = {.record = RECORD_INIT}, .before = BUFFER_INIT(STATUS_MAX)};
    const char *reason = options->boot ? reason_to_keep_still() : NULL;
    struct error error = ERROR_INIT;

    log_show(options->verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
    process_hide_memory();
    process_adopt_orphans();
    /* Whoever looks on may go; a run by hand is as one at boot; files are for whom they are meant.
     */
    signal(SIGPIPE, SIG_IGN);
    umask(022);
    if (options->shutdown)
        return shutdown_run(options);
    if (!options->dry_run && geteuid() != 0 && !secure_getenv("BOOTLACE_PREFIX")) {
        error_set(&error, ERROR_USAGE, "a run changes the machine and wants root");
        error_hint(&error, "use sudo, or --dry-run to see what it would do");
        log_error_object(&error);
        return error_exit_code(&error);
    }
    if (!reason && launch_open(&run.launch, options, !options->dry_run, &error) < 0 &&
        error.kind == ERROR_USAGE) {
        log_error_object(&error);
        launch_clear(&run.launch);
        return error_exit_code(&error);
    }
    return options->dry_run ? execute(&run, &error) : run_alone(&run, reason, &error);
}
