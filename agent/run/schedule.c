/* The schedule of a run: one step at a time, prepares beside them; see schedule.h. */
#include "run/schedule.h"

#include "base/banned.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"

#include <errno.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

enum { FDS_EACH = 4, SLOTS = SCHEDULE_PREPARES_MAX + 1 };

struct loop {
    const struct schedule *schedule;
    struct steps *steps;
    struct execute slots[SLOTS]; /* the last one is for the step that runs */
    size_t next_prepare;
    bool interrupted;
};

static struct execute *running(struct loop *loop)
{
    return &loop->slots[SLOTS - 1];
}

static struct execute_setup setup_of(const struct loop *loop, const char *part_file)
{
    return (struct execute_setup){.root = loop->schedule->root,
                                  .machine = loop->schedule->machine,
                                  .dry_run = loop->schedule->dry_run,
                                  .bake = loop->schedule->bake,
                                  .metadata = loop->schedule->metadata,
                                  .part_file = part_file,
                                  .environment = loop->schedule->environment,
                                  .output_log_fd = loop->schedule->output_log_fd,
                                  .show_output = loop->schedule->show_output};
}

/* Planned, and not run by an earlier call. */
static bool is_to_run(const struct step *step)
{
    return step->run && step->outcome.state == STEP_PENDING;
}

/* The names of the modules whose steps are still to be done before this one. */
static json_t *steps_before(const struct loop *loop, const struct step *last)
{
    json_t *names = memory_need(json_array());

    for (const struct step *step = loop->steps->items; step < last; step++) {
        if (is_to_run(step))
            json_add(names, json_string(step->module->name));
    }
    return names;
}

/* Begins prepares as far as there are slots. A prepare that does not start is no failure. */
static void start_prepares(struct loop *loop)
{
    for (size_t slot = 0; slot < SLOTS - 1; slot++) {
        if (loop->slots[slot].active)
            continue;
        while (loop->next_prepare < loop->steps->count) {
            struct step *step = &loop->steps->items[loop->next_prepare++];
            struct execute_setup setup = setup_of(loop, NULL);
            AUTO_JSON json_t *before = NULL;
            struct error ignored = ERROR_INIT;

            if (!is_to_run(step) || !step->module->has_prepare || step->part)
                continue;
            setup.before = before = steps_before(loop, step);
            if (execute_start(&loop->slots[slot], step, HOST_PREPARE, &setup, &ignored) == 0)
                break;
        }
    }
}

static bool is_preparing(const struct loop *loop, const struct step *step)
{
    for (size_t slot = 0; slot < SLOTS - 1; slot++) {
        if (loop->slots[slot].active && loop->slots[slot].step == step)
            return true;
    }
    return false;
}

/* Answers one metadata question of a module. */
static void answer_query(struct loop *loop, struct execute *execute)
{
    const struct schedule_host *host = &loop->schedule->host;
    AUTO_BUFFER struct buffer value = BUFFER_INIT(HOST_ANSWER_MAX);
    AUTO_BUFFER struct buffer answer = BUFFER_INIT(HOST_ANSWER_MAX + 1);
    char path[HOST_PATH_MAX + 1];
    ssize_t size = recv(execute->query_fd, path, HOST_PATH_MAX, MSG_DONTWAIT);
    bool present;
    char mark;

    if (size <= 0) {
        if (size == 0 || (errno != EAGAIN && errno != EINTR))
            close(memory_take_fd(&execute->query_fd));
        return;
    }
    path[size] = '\0';
    present = host->metadata && host->metadata(host->context, path, &value) > 0;
    mark = present ? HOST_ANSWER_PRESENT : HOST_ANSWER_ABSENT;
    buffer_append(&answer, &mark, 1);
    if (present)
        buffer_append(&answer, value.bytes, value.size);
    /* One that asks and does not read gets no more answers. */
    if (send(execute->query_fd, answer.bytes, answer.size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        close(memory_take_fd(&execute->query_fd));
}

static void interrupt(struct loop *loop)
{
    loop->interrupted = true;
    for (size_t slot = 0; slot < SLOTS; slot++) {
        if (loop->slots[slot].active && !loop->slots[slot].told_to_end)
            execute_end(&loop->slots[slot]);
    }
}

/* Whether a signal to end came; systemd signals the main process before the rest of its unit. */
static void take_signal(struct loop *loop)
{
    struct signalfd_siginfo info;

    if (loop->schedule->signal_fd >= 0 &&
        read(loop->schedule->signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
        interrupt(loop);
}

static void finish(struct loop *loop, struct execute *execute)
{
    struct step *step = execute->step;
    const struct schedule_host *host = &loop->schedule->host;

    /* A step that a shutdown ended is cut off, not failed, and the signal may still be on its way.
     */
    take_signal(loop);
    execute_finish(execute);
    if (execute->phase != HOST_PREPARE) {
        if (loop->interrupted && step->outcome.state != STEP_DONE) {
            step->outcome.state = STEP_CUT_OFF;
            outcome_set_message(&step->outcome, "cut off: the agent was told to end while it ran");
        }
        host->end(host->context, step);
    }
    execute_clear(execute);
}

static void take_events(struct loop *loop, struct pollfd *fds)
{
    const struct schedule_host *host = &loop->schedule->host;

    for (size_t slot = 0; slot < SLOTS; slot++) {
        struct execute *execute = &loop->slots[slot];
        const struct pollfd *mine = &fds[slot * FDS_EACH];

        if (!execute->active)
            continue;
        if ((mine[1].revents || mine[2].revents) && execute_take(execute) && host->progress)
            host->progress(host->context, execute->step, execute->progress);
        if (mine[3].revents)
            answer_query(loop, execute);
        execute_check_time(execute);
        if (mine[0].revents)
            finish(loop, execute);
    }
}

/* Waits until something happens, or until the next deadline, and deals with it. */
static void turn(struct loop *loop)
{
    struct pollfd fds[SLOTS * FDS_EACH + 1];
    int64_t now = clock_milliseconds(), wait = -1;

    for (size_t slot = 0; slot < SLOTS; slot++) {
        const struct execute *execute = &loop->slots[slot];
        const int mine[FDS_EACH] = {execute->pid_fd, execute->output.fd, execute->result_fd,
                                    execute->query_fd};

        for (size_t i = 0; i < FDS_EACH; i++)
            fds[slot * FDS_EACH + i] =
                (struct pollfd){.fd = execute->active ? mine[i] : -1, .events = POLLIN};
        if (execute->active && execute->deadline_ms) {
            int64_t left = execute->deadline_ms > now ? execute->deadline_ms - now : 0;

            wait = wait < 0 || left < wait ? left : wait;
        }
    }
    fds[SLOTS * FDS_EACH] = (struct pollfd){.fd = loop->schedule->signal_fd, .events = POLLIN};
    if (poll(fds, ARRAY_SIZE(fds), (int)wait) < 0)
        return;
    if (fds[SLOTS * FDS_EACH].revents)
        take_signal(loop);
    take_events(loop, fds);
}

static void run_step(struct loop *loop, struct step *step)
{
    const struct schedule_host *host = &loop->schedule->host;
    AUTO_FREE char *part_file = NULL;
    struct error error = ERROR_INIT;
    struct execute_setup setup;
    char text[ERROR_TEXT_MAX];
    bool begun = host->begin(host->context, step, &part_file, &error) == 0;

    setup = setup_of(loop, part_file);
    if (!begun || execute_start(running(loop), step, loop->schedule->phase, &setup, &error) < 0) {
        step->outcome.state = STEP_FAILED;
        outcome_set_message(&step->outcome, "%s", error_text(&error, text, sizeof text));
        host->end(host->context, step);
        return;
    }
    while (running(loop)->active) {
        if (!loop->interrupted && loop->schedule->phase == HOST_RUN)
            start_prepares(loop);
        turn(loop);
    }
}

/* One that was told to end behind its last step has missed nothing. */
static bool is_something_left(const struct steps *steps)
{
    for (size_t i = 0; i < steps->count; i++) {
        if (steps->items[i].run && steps->items[i].outcome.state == STEP_PENDING)
            return true;
    }
    return false;
}

int schedule_run(const struct schedule *schedule, struct steps *steps)
{
    AUTO_FREE struct loop *loop = memory_zeroed(1, sizeof *loop);
    bool first = true;

    loop->schedule = schedule;
    loop->steps = steps;
    for (size_t slot = 0; slot < SLOTS; slot++)
        loop->slots[slot] = (struct execute)EXECUTE_INIT;
    if (schedule->phase == HOST_RUN)
        start_prepares(loop);
    for (size_t i = 0; i < steps->count && !loop->interrupted; i++) {
        struct step *step = &steps->items[i];

        if (!is_to_run(step))
            continue;
        while (is_preparing(loop, step) && !loop->interrupted)
            turn(loop);
        take_signal(loop);
        if (loop->interrupted)
            break;
        if (!first && schedule->host.enough && schedule->host.enough(schedule->host.context)) {
            loop->interrupted = true;
            break;
        }
        first = false;
        run_step(loop, step);
    }
    for (size_t slot = 0; slot < SLOTS; slot++)
        execute_clear(&loop->slots[slot]);
    return loop->interrupted && is_something_left(steps);
}
