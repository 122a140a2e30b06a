/* The status of a run, as its files and `bootlace status` show it; see report.h. */
#include "verbs/report.h"

#include "base/banned.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/paths.h"
#include "os/process.h"

#include <fcntl.h>
#include <limits.h>

enum { RUN_FOLDER_MODE = 0755, PUBLIC_MODE = 0644 };

void report_init(struct report *report)
{
    *report = (struct report){.status = "running",
                              .instance_id = "",
                              .record_id = "",
                              .source = "",
                              .boot_id = "",
                              .errors = memory_need(json_array()),
                              .warnings = memory_need(json_array()),
                              .started_ms = clock_milliseconds()};
    clock_text(report->started);
}

void report_clear(struct report *report)
{
    json_decref(report->errors);
    json_decref(report->warnings);
    report->errors = report->warnings = NULL;
}

static json_t *error_object(const struct error *error)
{
    json_t *object = memory_need(json_object());

    json_put_text(object, "message", error->message);
    if (*error->hint)
        json_put_text(object, "hint", error->hint);
    if (*error->where)
        json_put_text(object, "where", error->where);
    if (error->line)
        json_put_number(object, "line", error->line);
    if (error->column)
        json_put_number(object, "column", error->column);
    return object;
}

void report_error(struct report *report, const struct error *error)
{
    log_error_object(error);
    json_add(report->errors, error_object(error));
}

void report_warning(struct report *report, const struct error *error)
{
    log_warning_object(error);
    json_add(report->warnings, error_object(error));
}

void report_left_out(struct report *report, const struct problems *modules, size_t first)
{
    for (size_t i = first; i < modules->count; i++) {
        struct error error = modules->items[i].error;
        char where[ERROR_WHERE_MAX];

        snprintf(where, sizeof where, "module left out: %.100s", error.where);
        error_at(&error, where, error.line, error.column);
        json_add(report->warnings, error_object(&error));
    }
}

void report_problems(struct report *report, const struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->items[i];

        if (problem->warning)
            report_warning(report, &problem->error);
        else
            report_error(report, &problem->error);
    }
}

static json_t *step_object(const struct step *step)
{
    json_t *object = memory_need(json_object());

    json_put_text(object, "name", step->name);
    json_put_text(object, "module", step->module->name);
    json_put_text(object, "frequency", description_frequency_name(step->frequency));
    json_put_flag(object, "this_run", step->run);
    json_put_text(object, "reason", step->reason);
    outcome_to_json(&step->outcome, object);
    return object;
}

/* Every failure of a step stands among the errors, too, so that a program need not look twice. */
static void add_step_errors(json_t *errors, const struct steps *steps)
{
    for (size_t i = 0; steps && i < steps->count; i++) {
        const struct step *step = &steps->items[i];
        json_t *object;

        if (step->outcome.state != STEP_FAILED && step->outcome.state != STEP_CUT_OFF)
            continue;
        object = memory_need(json_object());
        json_put_text(object, "step", step->name);
        json_put_text(object, "message", step->outcome.message ? step->outcome.message : "failed");
        if (step->outcome.exit_code >= 0)
            json_put_number(object, "exit_code", step->outcome.exit_code);
        json_add(errors, object);
    }
}

json_t *report_to_json(const struct report *report)
{
    json_t *object = memory_need(json_object()), *steps = memory_need(json_array());
    json_t *errors = memory_need(json_copy(report->errors));

    json_put_text(object, "status", report->status);
    json_put_text(object, "instance_id", report->instance_id);
    json_put_text(object, "record", report->record_id);
    json_put_text(object, "source", report->source);
    json_put_text(object, "boot_id", report->boot_id);
    json_put_number(object, "pid", getpid());
    json_put_number(object, "pid_started", (int64_t)process_started(getpid()));
    json_put_text(object, "message", report->message ? report->message : "");
    json_put_number(object, "exit_code", report->exit_code);
    json_put_text(object, "started", report->started);
    json_put(object, "finished", *report->finished ? json_string(report->finished) : json_null());
    json_put_number(object, "duration_ms",
                    (report->finished_ms ? report->finished_ms : clock_milliseconds()) -
                        report->started_ms);
    for (size_t i = 0; report->steps && i < report->steps->count; i++)
        json_add(steps, step_object(&report->steps->items[i]));
    add_step_errors(errors, report->steps);
    json_put(object, "steps", steps);
    json_put(object, "errors", errors);
    json_put(object, "warnings", json_incref(report->warnings));
    return object;
}

json_t *report_public(const json_t *whole)
{
    json_t *object = memory_need(json_deep_copy(whole)), *step;
    size_t i;

    json_array_foreach(json_object_get(object, "steps"), i, step)
    {
        json_object_del(step, "output");
        json_object_del(step, "items");
    }
    return object;
}

const char *report_path(bool early)
{
    static char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", paths_get(PATHS_RUN),
             early ? "early.json" : "status.json");
    return path;
}

int report_publish(const struct report *report, struct error *error)
{
    AUTO_JSON json_t *whole = report_to_json(report);
    AUTO_JSON json_t *shown = report_public(whole);
    AUTO_FREE char *text = json_indented(shown);
    AUTO_FREE char *line = memory_format("%s\n", text);

    if (file_make_folders(AT_FDCWD, paths_get(PATHS_RUN), RUN_FOLDER_MODE, error) < 0)
        return -1;
    return file_write(AT_FDCWD, report_path(report->early), line, strlen(line), PUBLIC_MODE, error);
}
