/* The steps of a run: driven, recorded and told of; see run.h. */
#include "verbs/run.h"

#include "base/banned.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/paths.h"
#include "os/process.h"
#include "os/route.h"
#include "run/schedule.h"
#include "verbs/metadata_cache.h"
#include "verbs/reboot.h"
#include "verbs/shutdown.h"
#include "verbs/step_environment.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

enum { ASK_SYSTEMD_MS = 2000 };

void run_publish(struct run *run)
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
    run_publish(run);
    return 0;
}

/* What is done now is done for all instances, unless something of it is left. */
static void keep_baked(struct run *run, const struct step *step)
{
    struct error error = ERROR_INIT;

    if (step->outcome.left)
        log_line(LOG_LEVEL_INFO, "%s (%s): left for the launch: %s", step->name, step->module->name,
                 step->outcome.left);
    if (step->outcome.state != STEP_DONE || step->outcome.left || !step->settings ||
        !step->module->bakeable || step->frequency != BOOTLACE_PER_INSTANCE)
        return;
    if (baked_add_step(step, &error) < 0) {
        report_error(&run->report, &error);
        run->degraded = true;
    }
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
    if (run->options->bake)
        keep_baked(run, step);
    if (shutdown_keep(step, run->launch.instance_id, run->launch.metadata, &error) < 0) {
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
    run_publish(run);
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
static bool machine_is_stopping(const struct run *run)
{
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

/* Whether the step that just ended is to be followed by a restart. */
static bool is_reboot_due(struct run *run)
{
    struct error error = ERROR_INIT;

    if (!run->options->boot || run->options->early || run->first || !run->last ||
        !run->last->outcome.reboot)
        return false;
    if (reboot_is_due(&run->launch, run->last, &error)) {
        run->reboots_for = run->last;
        return true;
    }
    report_error(&run->report, &error);
    run->degraded = true;
    return false;
}

static bool is_enough(void *context)
{
    return is_reboot_due(context) || machine_is_stopping(context);
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

/*
 * A seed is there before the network is, but its steps may need that as any others do: at boot
 * they wait for a way out, for as long as settings say. Without one they run all the same.
 */
void run_await_network(struct run *run)
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

static void drive(struct run *run)
{
    struct launch *launch = &run->launch;
    AUTO_CLOSE int log_fd = run->options->dry_run ? -1 : log_open_file(paths_get(PATHS_OUTPUT_LOG));
    AUTO_CLOSE int signal_fd = catch_signals();
    struct step_environment environment;
    struct schedule schedule = {.root = launch->root,
                                .machine = launch->machine,
                                .dry_run = run->options->dry_run,
                                .bake = run->options->bake,
                                .show_output = true,
                                .output_log_fd = log_fd,
                                .signal_fd = signal_fd,
                                .metadata = launch->metadata,
                                .host = {.context = run,
                                         .begin = begin_step,
                                         .end = end_step,
                                         .progress = show_progress,
                                         .metadata = answer_metadata,
                                         .enough = is_enough}};

    if (!run->options->dry_run && !launch_is_image(launch))
        output_files_open(&launch->output, &launch->plan.steps);
    step_environment_make(&environment, launch->instance_id, launch->metadata);
    schedule.environment = step_environment_list(&environment);
    run->interrupted = schedule_run(&schedule, &launch->plan.steps) != 0;
    if (!run->interrupted)
        is_reboot_due(run);
    step_environment_clear(&environment);
}

void run_steps(struct run *run)
{
    struct launch *launch = &run->launch;
    struct error error = ERROR_INIT;

    if (launch_metadata(launch, &error) < 0) {
        /* A script without one of its variables is better than no script. */
        run->degraded = true;
        report_error(&run->report, &error);
    }
    metadata_cache_publish(launch);
    drive(run);
}
