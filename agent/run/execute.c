/* One call of a module in a process of its own: started, watched, ended; see execute.h. */
#include "run/execute.h"

#include "base/banned.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { MS_PER_S = 1000, READ_CHUNK = 16384, GROUP_POLL_MS = 20, KILL_AGAIN_MS = 1000 };

static json_t *make_input(const struct step *step, const struct execute_setup *setup)
{
    json_t *input = memory_need(json_object()), *part;

    if (step->settings)
        json_put(input, "settings", json_incref(step->settings));
    if (step->part) {
        part = memory_need(json_object());
        json_put_text(part, "type", step->part->type);
        json_put_text(part, "name", step->part->name);
        json_put_text(part, "file", setup->part_file);
        json_put_text(part, "arguments", step->part->arguments);
        json_put_flag(part, "detach", step->part->detach);
        json_put(input, "part", part);
    }
    json_put_text(input, "stage", description_stage_name(step->stage));
    json_put_flag(input, "dry_run", setup->dry_run);
    json_put_text(input, "root", setup->root);
    if (setup->machine && *setup->machine)
        json_put_text(input, "machine", setup->machine);
    json_put(input, "metadata", memory_need(json_deep_copy(setup->metadata)));
    if (setup->bake)
        json_put_flag(input, "bake", true);
    if (setup->before)
        json_put(input, "before", json_incref(setup->before));
    if (json_array_size(step->baked))
        json_put(input, "baked", json_incref(step->baked));
    return input;
}

/* Both ends of every channel; the child's are closed once it has them. */
struct channels {
    int input, output[2], result[2], query[2];
};

static void close_channels(struct channels *channels)
{
    int *all[] = {&channels->input,     &channels->output[0], &channels->output[1],
                  &channels->result[0], &channels->result[1], &channels->query[0],
                  &channels->query[1]};

    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        memory_close_fd(all[i]);
}

static int open_channels(struct channels *channels, const struct step *step,
                         const struct execute_setup *setup, struct error *error)
{
    AUTO_JSON json_t *input = make_input(step, setup);
    AUTO_FREE char *text = json_one_line(input);

    channels->input = process_input(text, strlen(text), error);
    if (channels->input < 0)
        return -1;
    if (pipe2(channels->output, O_CLOEXEC) < 0 || pipe2(channels->result, O_CLOEXEC) < 0 ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channels->query) < 0)
        return error_errno(error, ERROR_INTERNAL, errno, "cannot make a pipe");
    fcntl(channels->result[0], F_SETFL, O_NONBLOCK);
    return 0;
}

static int start_process(struct execute *execute, struct channels *channels,
                         const struct execute_setup *setup, struct error *error)
{
    const struct description *module = execute->step->module;
    const char *argv[] = {module->path, host_phase_name(execute->phase), NULL};
    struct host_call call = {.path = module->path, .name = module->name, .phase = execute->phase};
    struct process_start start = {.argv = argv,
                                  .environment = setup->environment,
                                  .folder = "/",
                                  .group = PROCESS_OWN_SESSION,
                                  .fds = {channels->input, channels->output[1], channels->output[1],
                                          channels->result[1], -1}};

    if (module->native) {
        start.function = host_main;
        start.context = &call;
        start.fds[HOST_QUERY_FD] = channels->query[1];
    }
    execute->pid = process_start(&start, &execute->pid_fd, error);
    return execute->pid < 0 ? -1 : 0;
}

int execute_start(struct execute *execute, struct step *step, enum host_phase phase,
                  const struct execute_setup *setup, struct error *error)
{
    __attribute__((cleanup(close_channels))) struct channels channels = {
        -1, {-1, -1}, {-1, -1}, {-1, -1}};
    char stamp[CLOCK_TEXT_MAX];

    *execute = (struct execute)EXECUTE_INIT;
    execute->step = step;
    execute->phase = phase;
    buffer_init(&execute->result_text, EXECUTE_RESULT_LINE_MAX);
    if (open_channels(&channels, step, setup, error) < 0 ||
        start_process(execute, &channels, setup, error) < 0)
        return -1;
    execute->active = true;
    execute->items = memory_need(json_array());
    execute->result_fd = memory_take_fd(&channels.result[0]);
    execute->query_fd = memory_take_fd(&channels.query[0]);
    output_init(&execute->output, step->name, memory_take_fd(&channels.output[0]),
                setup->output_log_fd, step->copy_fd, setup->show_output);
    execute->started_ms = clock_milliseconds();
    if (step->time_limit)
        execute->deadline_ms = execute->started_ms + (int64_t)step->time_limit * MS_PER_S;
    if (phase != HOST_PREPARE) {
        step->outcome.state = STEP_RUNNING;
        free(step->outcome.started);
        step->outcome.started = memory_copy_string(clock_text(stamp));
    }
    return 0;
}

/* One line of descriptor 3; true where it is a progress. Lines that make no sense are passed over.
 */
static bool take_line(struct execute *execute, const char *line, size_t size)
{
    struct error ignored = ERROR_INIT;
    json_t *object = json_parse(line, size, "result", &ignored);

    if (!json_is_object(object)) {
        json_decref(object);
        return false;
    }
    if (json_object_get(object, "progress")) {
        json_decref(execute->progress);
        execute->progress = object;
        return true;
    }
    if (json_object_get(object, "item")) {
        execute->items_size += size;
        if (json_array_size(execute->items) < EXECUTE_ITEMS_MAX &&
            execute->items_size <= EXECUTE_ITEMS_SIZE_MAX)
            json_add(execute->items, json_incref(object));
    } else if (json_object_get(object, "status")) {
        json_decref(execute->result);
        execute->result = json_incref(object);
    }
    json_decref(object);
    return false;
}

static bool take_results(struct execute *execute)
{
    struct buffer *text = &execute->result_text;
    bool progress = false;

    for (;;) {
        size_t left = text->maximum - text->size;
        char *room = buffer_room(text, left < READ_CHUNK ? left : READ_CHUNK);
        ssize_t count = read(execute->result_fd, room, left < READ_CHUNK ? left : READ_CHUNK);
        const char *end;

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return progress;
        buffer_grown(text, (size_t)count);
        while (text->size && (end = memchr(text->bytes, '\n', text->size))) {
            progress |= take_line(execute, text->bytes, (size_t)(end - text->bytes));
            buffer_drop(text, (size_t)(end - text->bytes) + 1);
        }
        if (count == 0) {
            if (text->size)
                progress |= take_line(execute, text->bytes, text->size);
            close(memory_take_fd(&execute->result_fd));
            return progress;
        }
        if (text->size == text->maximum)
            buffer_clear(text); /* no line is that long */
    }
}

bool execute_take(struct execute *execute)
{
    if (execute->output.fd >= 0)
        output_take(&execute->output);
    return execute->result_fd >= 0 && take_results(execute);
}

void execute_end(struct execute *execute)
{
    execute->told_to_end = true;
    execute->deadline_ms = clock_milliseconds() + EXECUTE_GRACE_MS;
    process_kill_group(execute->pid, SIGTERM);
}

void execute_check_time(struct execute *execute)
{
    if (!execute->deadline_ms || clock_milliseconds() < execute->deadline_ms)
        return;
    if (execute->told_to_end) {
        process_kill_group(execute->pid, SIGKILL);
        execute->deadline_ms = clock_milliseconds() + KILL_AGAIN_MS;
        return;
    }
    execute->timed_out = true;
    execute_end(execute);
}

static bool result_is(const struct execute *execute, const char *status)
{
    return strcmp(json_text_of(execute->result, "status", ""), status) == 0;
}

/* What the process did, judged by how it ended and what it said. */
static void judge(struct execute *execute, int status)
{
    struct outcome *outcome = &execute->step->outcome;
    const char *message = json_text_of(execute->result, "message", NULL);
    bool said_well = result_is(execute, "changed") || result_is(execute, "unchanged");
    bool ended_well = WIFEXITED(status) && WEXITSTATUS(status) == 0;

    outcome->state = STEP_FAILED;
    free(outcome->message); /* how far it was */
    outcome->message = NULL;
    /* A native module's own process is ours: the code that counts is that of what it ran. */
    outcome->exit_code = (int)json_number_of(
        execute->result, "exit_code",
        WIFEXITED(status) && !execute->step->module->native ? WEXITSTATUS(status) : -1);
    outcome->signal =
        (int)json_number_of(execute->result, "signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    if (outcome->signal)
        outcome->exit_code = -1;
    if (execute->timed_out) {
        outcome_set_message(outcome, "took longer than its limit of %u s and was ended",
                            execute->step->time_limit);
    } else if (WIFSIGNALED(status)) {
        outcome_set_message(outcome, "its process was ended by signal %d (%s)", WTERMSIG(status),
                            strsignal(WTERMSIG(status)));
    } else if (!execute->result) {
        outcome_set_message(outcome, "ended with exit code %d and without a result line",
                            WEXITSTATUS(status));
    } else if (said_well && !ended_well) {
        outcome_set_message(outcome, "said \"%s\" but ended with exit code %d",
                            json_text_of(execute->result, "status", ""), WEXITSTATUS(status));
    } else if (!said_well) {
        outcome_set_message(outcome, "%s",
                            message && *message ? message : "failed and did not say why");
    } else {
        outcome->state = STEP_DONE;
        outcome->changed = result_is(execute, "changed");
        outcome->reboot = json_flag_of(execute->result, "reboot", false);
        free(outcome->left);
        outcome->left = json_object_get(execute->result, "left")
                            ? memory_copy_string(json_text_of(execute->result, "left", ""))
                            : NULL;
        if (message && *message)
            outcome_set_message(outcome, "%s", message);
    }
}

/* After the grace of a step that was told to end, nothing of its group goes on. */
static void end_group(struct execute *execute)
{
    while (execute->told_to_end && killpg(execute->pid, 0) == 0 &&
           clock_milliseconds() < execute->deadline_ms) {
        output_take(&execute->output); /* or who still prints would wait for us */
        while (waitpid(-execute->pid, NULL, WNOHANG) > 0)
            continue; /* orphans of the group are ours: see process_adopt_orphans */
        clock_sleep(GROUP_POLL_MS);
    }
    if (execute->told_to_end)
        process_kill_group(execute->pid, SIGKILL);
}

void execute_finish(struct execute *execute)
{
    struct outcome *outcome = &execute->step->outcome;
    int status = 0;

    while (waitpid(execute->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    end_group(execute);
    if (execute->result_fd >= 0)
        take_results(execute);
    output_finish(&execute->output);
    execute->active = false;
    if (execute->phase == HOST_PREPARE)
        return;
    judge(execute, status);
    outcome->duration_ms = clock_milliseconds() - execute->started_ms;
    free(outcome->output);
    outcome->output = memory_copy_string(output_tail(&execute->output));
    json_decref(outcome->items);
    outcome->items = json_incref(execute->items);
}

void execute_clear(struct execute *execute)
{
    if (execute->active) {
        process_kill_group(execute->pid, SIGKILL);
        waitpid(execute->pid, NULL, 0);
    }
    memory_close_fd(&execute->pid_fd);
    memory_close_fd(&execute->result_fd);
    memory_close_fd(&execute->query_fd);
    output_free(&execute->output);
    buffer_free(&execute->result_text);
    json_decref(execute->result);
    json_decref(execute->items);
    json_decref(execute->progress);
    *execute = (struct execute)EXECUTE_INIT;
}
