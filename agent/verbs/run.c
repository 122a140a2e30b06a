/*
 * bootlace run: does what the user-data says and is not done yet.
 *
 * The stages are launch.c's; here they are put in order around the one lock, what becomes of the
 * steps goes to the record, and what the whole came to goes to the status files.
 */
#include "base/banned.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/paths.h"
#include "os/lock.h"
#include "os/process.h"
#include "os/route.h"
#include "run/schedule.h"
#include "verbs/launch.h"
#include "verbs/metadata_cache.h"
#include "verbs/report.h"
#include "verbs/show.h"
#include "verbs/step_environment.h"
#include "verbs/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

enum { ASK_SYSTEMD_MS = 2000, STATUS_MAX = 64 << 20 };

struct run {
    const struct options *options;
    struct launch launch;
    struct report report;
    bool degraded;
    bool interrupted;
    const struct step *last; /* that ended */
    char *trial_file;        /* a dry run's copy of a part */
    struct buffer before;    /* what was published before this run */
    char summary[64];
};

/* Why this boot is none of ours, or NULL. */
static const char *reason_to_keep_still(void)
{
    if (machine_kernel_word("bootlace=off"))
        return "kept still: bootlace=off is on the kernel's command line";
    if (file_exists(AT_FDCWD, paths_get(PATHS_CLOUD_INIT_ACTIVE)))
        return "kept still: cloud-init is active in this boot";
    return NULL;
}

static void publish(struct run *run)
{
    struct error error = ERROR_INIT;

    if (!run->options->dry_run && report_publish(&run->report, &error) < 0)
        log_error_object(&error);
}

/* The part of a dry run: a file that is gone when the step is. */
static int put_trial_part(struct run *run, const struct step *step, char **path,
                          struct error *error)
{
    char name[] = "/tmp/bootlace-dry-run-XXXXXX";
    AUTO_CLOSE int fd = mkostemp(name, O_CLOEXEC);

    if (fd < 0 || fchmod(fd, 0700) < 0 ||
        file_write_all(fd, step->part->bytes, step->part->size) < 0)
        return error_errno(error, ERROR_INTERNAL, errno, "cannot write %s", name);
    run->trial_file = memory_copy_string(name);
    *path = memory_copy_string(name);
    return 0;
}

static int begin_step(void *context, struct step *step, char **part_file, struct error *error)
{
    struct run *run = context;

    log_line(LOG_LEVEL_INFO, "%s (%s): begins: %s", step->name, step->module->name, step->reason);
    if (run->options->dry_run)
        return step->part ? put_trial_part(run, step, part_file, error) : 0;
    if (step->part && record_put_part(&run->launch.record, step, part_file, error) < 0)
        return -1;
    if (record_begin_step(&run->launch.record, step, run->launch.boot_id, error) < 0)
        return -1;
    step->outcome.state = STEP_RUNNING;
    publish(run);
    return 0;
}

static void end_step(void *context, struct step *step)
{
    struct run *run = context;
    const struct outcome *outcome = &step->outcome;
    struct error error = ERROR_INIT;
    AUTO_FREE char *code = outcome->signal ? memory_format(", signal %d", outcome->signal)
                           : outcome->exit_code >= 0
                               ? memory_format(", exit code %d", outcome->exit_code)
                               : memory_copy_string("");

    run->last = step;
    log_line(outcome->state == STEP_DONE ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR,
             "%s (%s): %s after %lld ms%s%s%s", step->name, step->module->name,
             step_state_name(outcome->state), (long long)outcome->duration_ms, code,
             outcome->message ? ": " : "", outcome->message ? outcome->message : "");
    if (run->options->dry_run) {
        if (run->trial_file)
            unlink(run->trial_file);
        free(run->trial_file);
        run->trial_file = NULL;
        return;
    }
    if (record_end_step(&run->launch.record, step, run->launch.boot_id, &error) < 0) {
        /* The next run will take it for one that was cut off. */
        report_error(&run->report, &error);
        run->degraded = true;
    }
}

static void show_progress(void *context, struct step *step, const json_t *progress)
{
    struct run *run = context;

    outcome_set_message(&step->outcome, "%.0f %%%s%s",
                        100 * json_number_value(json_object_get(progress, "progress")),
                        json_object_get(progress, "message") ? ": " : "",
                        json_text_of(progress, "message", ""));
    publish(run);
}

static int answer_metadata(void *context, const char *path, struct buffer *out)
{
    struct run *run = context;
    struct error error = ERROR_INIT;
    int got = launch_item(&run->launch, path, out, &error);

    if (got < 0)
        log_error_object(&error);
    return got;
}

/*
 * After the user's own program, which may have asked for a reboot: a step that begins while the
 * machine goes down would be cut off, and lost for good.
 */
static bool machine_is_stopping(void *context)
{
    const struct run *run = context;
    AUTO_FREE char *systemctl = process_find("systemctl");
    const char *const argv[] = {systemctl, "is-system-running", NULL};
    AUTO_BUFFER struct buffer out = BUFFER_INIT(256);
    struct process_capture capture = {.argv = argv, .out = &out, .limit_ms = ASK_SYSTEMD_MS};
    struct error ignored = ERROR_INIT;

    if (!run->options->boot || !systemctl || !run->last || !run->last->module->no_limit)
        return false;
    process_capture(&capture, &ignored);
    return strncmp(buffer_text(&out), "stopping", strlen("stopping")) == 0;
}

/* SIGTERM and its kin as a descriptor: from here on a shutdown finds the journal in order. */
static int catch_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void run_steps(struct run *run)
{
    struct launch *launch = &run->launch;
    AUTO_CLOSE int log_fd = run->options->dry_run ? -1 : log_open_file(paths_get(PATHS_OUTPUT_LOG));
    AUTO_CLOSE int signal_fd = catch_signals();
    struct step_environment environment;
    struct schedule schedule = {.root = "/",
                                .dry_run = run->options->dry_run,
                                .show_output = true,
                                .output_log_fd = log_fd,
                                .signal_fd = signal_fd,
                                .metadata = launch->metadata,
                                .host = {.context = run,
                                         .begin = begin_step,
                                         .end = end_step,
                                         .progress = show_progress,
                                         .metadata = answer_metadata,
                                         .stopping = machine_is_stopping}};

    step_environment_make(&environment, launch->instance_id, launch->metadata);
    schedule.environment = step_environment_list(&environment);
    run->interrupted = schedule_run(&schedule, &launch->plan.steps) != 0;
    step_environment_clear(&environment);
    source_finish(&launch->source);
}

/*
 * A seed is there before the network is, but its steps may need that as any others do: at boot
 * they wait for a way out, for as long as settings say. Without one they run all the same.
 */
static void await_network(struct run *run)
{
    static const char somewhere[] = "192.0.2.1", somewhere_6[] = "2001:db8::1";
    int64_t end = clock_milliseconds() + run->launch.settings.network_wait_ms;
    struct route_address ipv4, ipv6;
    struct route_watch *watch;
    bool present = false;

    if (!run->options->boot || run->options->early || !run->launch.source.type ||
        run->launch.source.type->needs_network)
        return;
    route_address_parse(somewhere, &ipv4);
    route_address_parse(somewhere_6, &ipv6);
    watch = route_watch_open();
    while (watch && !present && clock_milliseconds() < end) {
        present = route_state(watch, &ipv4) == ROUTE_PRESENT ||
                  route_state(watch, &ipv6) == ROUTE_PRESENT;
        if (!present)
            route_wait(watch, end);
    }
    route_watch_close(watch);
    if (watch && !present)
        log_line(LOG_LEVEL_WARNING, "there is no network yet; the steps run without");
}

/* The stages up to the plan. */
static int prepare(struct run *run, struct error *error)
{
    struct launch *launch = &run->launch;
    bool early = run->options->early;

    if (launch_modules(launch, error) < 0)
        return -1;
    if ((early ? launch_early(launch, error) : launch_identify(launch, error)) < 0)
        return -1;
    run->report.instance_id = launch->instance_id;
    run->report.record_id = launch->record.id;
    run->report.source = launch->source_name;
    if (launch->from_record) {
        run->degraded = true;
        report_error(&run->report, &launch->silence);
        run->report.message = "no source answered; went on from the record of this instance";
    }
    if (!early) {
        if (launch_read(launch, error) < 0 || launch_parts(launch, error) < 0)
            return -1;
    }
    return launch_plan(launch, early ? BOOTLACE_STAGE_EARLY : BOOTLACE_STAGE_MAIN, error);
}

static int run_plan(struct run *run, struct error *error)
{
    struct launch *launch = &run->launch;

    run->report.steps = &launch->plan.steps;
    report_left_out(&run->report, &launch->registry.problems);
    report_problems(&run->report, &launch->plan.problems);
    if (launch->plan.problems.errors) {
        run->report.message = "the user-data or configuration is wrong: nothing of it was run";
        run->report.exit_code = ERROR_INPUT;
        return 0;
    }
    if (!launch->has_user_data && !run->options->early && !launch->plan.steps.count)
        run->report.message = "no user-data: nothing to do";
    if (run->options->dry_run && !run->options->json)
        show_plan(&launch->plan);
    if (launch_begin(launch, error) < 0)
        return -1;
    if (!plan_count_runs(&launch->plan))
        return 0;
    if (launch_metadata(launch, error) < 0) {
        /* A script without one of its variables is better than no script. */
        run->degraded = true;
        report_error(&run->report, error);
        error_clear(error);
    }
    metadata_cache_publish(launch);
    await_network(run);
    source_hurry(&launch->source);
    run_steps(run);
    return 0;
}

/* What the run came to. */
static void conclude(struct run *run)
{
    struct report *report = &run->report;
    const struct steps *steps = report->steps;
    size_t bad = 0;

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
    publish(run);
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
    int result = error->kind ? -1 : 0;

    report_init(&run->report);
    run->report.early = run->options->early;
    run->report.boot_id = machine_boot_id(boot_id);
    file_read(AT_FDCWD, report_path(run->report.early), &run->before, &ignored);
    publish(run);
    if (result == 0)
        result = prepare(run, error);
    if (result == 0)
        result = run_plan(run, error);
    if (result < 0 && error->kind == ERROR_USAGE) {
        log_error_object(error);
        return take_back(run);
    }
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
    publish(run);
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
    if (!options->dry_run && geteuid() != 0 && !secure_getenv("BOOTLACE_PREFIX")) {
        error_set(&error, ERROR_USAGE, "a run changes the machine and wants root");
        error_hint(&error, "use sudo, or --dry-run to see what it would do");
        log_error_object(&error);
        return error_exit_code(&error);
    }
    if (!reason)
        launch_open(&run.launch, options, !options->dry_run, &error);
    return options->dry_run ? execute(&run, &error) : run_alone(&run, reason, &error);
}
