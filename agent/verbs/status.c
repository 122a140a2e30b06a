/*
 * bootlace status: how the run of this boot went.
 *
 * It reads what the run published, and loads nothing that the run needs: no libcurl, no module.
 * With --wait it is woken by the file's change (inotify(7)).
 */
#include "base/banned.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/paths.h"
#include "os/machine.h"
#include "os/process.h"
#include "record/record.h"
#include "verbs/report.h"
#include "verbs/show.h"
#include "verbs/verbs.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>

enum { MS_PER_S = 1000, STATUS_MAX = 64 << 20, RECHECK_MS = 1000 };

static const char not_started[] = "not started";

static json_t *empty_status(const char *message)
{
    json_t *object = memory_need(json_object());

    json_put_text(object, "status", not_started);
    json_put_text(object, "instance_id", "");
    json_put_text(object, "source", "");
    json_put_text(object, "message", message);
    json_put(object, "steps", memory_need(json_array()));
    json_put(object, "errors", memory_need(json_array()));
    json_put(object, "warnings", memory_need(json_array()));
    return object;
}

/* What a run of this boot published, or NULL. */
static json_t *read_published(bool early, struct error *error)
{
    AUTO_JSON json_t *object = NULL;
    char boot_id[MACHINE_ID_MAX];

    if (json_read_file(AT_FDCWD, report_path(early), STATUS_MAX, &object, error) <= 0 ||
        strcmp(json_text_of(object, "boot_id", ""), machine_boot_id(boot_id)) != 0)
        return NULL;
    return json_incref(object);
}

static bool status_is(const json_t *object, const char *status)
{
    return strcmp(json_text_of(object, "status", ""), status) == 0;
}

/* Root sees the record's own status, which has the output, once the run is over. */
static json_t *prefer_record(json_t *published)
{
    AUTO_RECORD struct record record = RECORD_INIT;
    struct error ignored = ERROR_INIT;
    json_t *whole = NULL;

    if (status_is(published, "running") || status_is(published, not_started) ||
        record_open_existing(&record, json_text_of(published, "record", ""), &ignored) <= 0)
        return published;
    json_read_file(record.folder, "status.json", STATUS_MAX, &whole, &ignored);
    if (whole &&
        strcmp(json_text_of(whole, "started", ""), json_text_of(published, "started", "?")) == 0) {
        json_decref(published);
        return whole;
    }
    json_decref(whole);
    return published;
}

static bool is_dead(const json_t *object)
{
    return status_is(object, "running") &&
           !process_is_alive((pid_t)json_number_of(object, "pid", 0),
                             (uint64_t)json_number_of(object, "pid_started", 0));
}

/* A run that died without a word leaves "running" behind. */
static void tell_death(json_t *object)
{
    json_t *error = memory_need(json_object());

    json_put_text(error, "message", "the agent ended without finishing the run");
    json_put_text(error, "hint",
                  "`bootlace plan` shows what is left; a script that was cut off is run again only "
                  "by --rerun");
    json_put_text(object, "status", "failed");
    json_put_text(object, "message", "the agent ended without finishing the run");
    json_put_number(object, "exit_code", ERROR_STEP);
    json_add(json_object_get(object, "errors"), error);
}

/* Those of the early stage's steps that no step of the same name follows, and those that failed. */
static json_t *early_steps(const json_t *early, const json_t *later)
{
    json_t *kept = memory_need(json_array()), *step;
    size_t i;

    json_array_foreach(json_object_get(early, "steps"), i, step)
    {
        const json_t *other;
        bool follows = false;
        size_t j;

        json_array_foreach(later, j, other) follows =
            follows || strcmp(json_text_of(other, "name", ""), json_text_of(step, "name", "")) == 0;
        if (!follows || !status_is(step, "done"))
            json_add(kept, json_incref(step));
    }
    return kept;
}

/* The early stage's steps stand before the others; its failure is the machine's. */
static void merge_early(json_t *object)
{
    struct error ignored = ERROR_INIT;
    AUTO_JSON json_t *early = read_published(true, &ignored);
    json_t *steps;

    if (!json_array_size(json_object_get(early, "steps")))
        return;
    early = prefer_record(early);
    steps = early_steps(early, json_object_get(object, "steps"));
    if (json_array_extend(steps, json_object_get(object, "steps")) < 0 ||
        json_array_extend(json_object_get(object, "errors"), json_object_get(early, "errors")) < 0)
        memory_exhausted();
    json_put(object, "steps", steps);
    if (status_is(early, "failed") &&
        (status_is(object, "done") || status_is(object, "degraded"))) {
        json_put_text(object, "status", "failed");
        json_put_number(object, "exit_code", ERROR_STEP);
    }
}

static json_t *read_status(void)
{
    struct error error = ERROR_INIT;
    json_t *object = read_published(false, &error);

    if (object && is_dead(object)) {
        /* It may have finished between the two looks: then there is a newer status. */
        json_decref(object);
        object = read_published(false, &error);
        if (object && is_dead(object))
            tell_death(object);
    }
    if (object)
        object = prefer_record(object);
    else
        object = empty_status(error.kind ? error.message : "no run has begun in this boot");
    merge_early(object);
    return object;
}

static int exit_code_of(const json_t *object)
{
    if (status_is(object, "running") || status_is(object, not_started))
        return ERROR_BUSY;
    if (status_is(object, "failed"))
        return (int)json_number_of(object, "exit_code", ERROR_STEP);
    return 0;
}

/* Over, or kept still on purpose by a run of this boot, so that waiting would be in vain. */
static bool is_final(const json_t *object)
{
    bool kept_still = status_is(object, not_started) && *json_text_of(object, "boot_id", "");

    return exit_code_of(object) != ERROR_BUSY || kept_still;
}

static json_t *wait_for_status(int64_t timeout_s)
{
    int64_t end = clock_milliseconds() + timeout_s * MS_PER_S;
    AUTO_CLOSE int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    struct error ignored = ERROR_INIT;
    json_t *object;

    if (file_make_folders(AT_FDCWD, paths_get(PATHS_RUN), 0755, &ignored) == 0 ||
        file_exists(AT_FDCWD, paths_get(PATHS_RUN)))
        inotify_add_watch(watch, paths_get(PATHS_RUN), IN_MOVED_TO | IN_CLOSE_WRITE);
    while (object = read_status(), !is_final(object)) {
        struct pollfd fd = {.fd = watch, .events = POLLIN};
        int64_t left = end - clock_milliseconds();
        char events[4096];

        if (left <= 0)
            return object;
        json_decref(object);
        /* The recheck notices a run that died, which changes no file. */
        poll(&fd, 1, (int)(left < RECHECK_MS ? left : RECHECK_MS));
        while (read(watch, events, sizeof events) > 0)
            continue;
    }
    return object;
}

static void print_output(const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\n");

        printf("      | %.*s\n", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

static void print_step(const json_t *step)
{
    const char *message = json_text_of(step, "message", "");
    bool bad = status_is(step, "failed") || status_is(step, "cut off");

    printf("  %-8s  %-20s %-14s", json_text_of(step, "status", ""), json_text_of(step, "name", ""),
           json_text_of(step, "module", ""));
    if (json_text_of(step, "started", NULL) && !status_is(step, "running"))
        printf(" %7.3f s", (double)json_number_of(step, "duration_ms", 0) / MS_PER_S);
    if (json_number_of(step, "exit_code", 0) > 0)
        printf("  exit code %d", (int)json_number_of(step, "exit_code", 0));
    if (json_number_of(step, "signal", 0))
        printf("  signal %d", (int)json_number_of(step, "signal", 0));
    puts("");
    if (*message)
        printf("            %s\n", message);
    if (bad)
        print_output(json_text_of(step, "output", ""));
}

static void print_errors(const char *severity, const json_t *errors)
{
    const json_t *error;
    size_t i;

    json_array_foreach(errors, i, error)
    {
        const char *where = json_text_of(error, "where", json_text_of(error, "step", ""));
        const char *hint = json_text_of(error, "hint", "");
        int64_t line = json_number_of(error, "line", 0);

        printf("%s: %s%s", severity, where, *where ? ": " : "");
        if (line)
            printf("line %lld: ", (long long)line);
        printf("%s%s%s\n", json_text_of(error, "message", ""), *hint ? "; " : "", hint);
    }
}

static void print_text(const json_t *object)
{
    const json_t *steps = json_object_get(object, "steps"), *step;
    const char *message = json_text_of(object, "message", "");
    const char *instance = json_text_of(object, "instance_id", "");
    const char *source = json_text_of(object, "source", "");
    size_t i;

    printf("status: %s%s%s\n", json_text_of(object, "status", ""), *message ? ": " : "", message);
    if (*instance)
        printf("instance: %s%s%s%s\n", instance, *source ? " (from " : "", source,
               *source ? ")" : "");
    if (json_text_of(object, "started", NULL) && !status_is(object, not_started))
        printf("started: %s, %.3f s\n", json_text_of(object, "started", ""),
               (double)json_number_of(object, "duration_ms", 0) / MS_PER_S);
    if (json_array_size(steps))
        puts("steps:");
    json_array_foreach(steps, i, step) print_step(step);
    print_errors("error", json_object_get(object, "errors"));
    print_errors("warning", json_object_get(object, "warnings"));
    if (status_is(object, "failed"))
        printf("the whole output: %s\n", paths_get(PATHS_OUTPUT_LOG));
}

int verb_status(const struct options *options)
{
    AUTO_JSON json_t *object = options->wait ? wait_for_status(options->timeout_s) : read_status();

    if (options->json)
        show_json(object);
    else
        print_text(object);
    return exit_code_of(object);
}
