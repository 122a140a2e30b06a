/* Why a unit's start does not begin; see jobs.h. */
#include "jobs.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

enum { GROUP_FILE_MAX = 16384, COMMAND_MAX = 4096 };

static struct job *find(const struct jobs *jobs, const char *unit, size_t size)
{
    for (size_t i = 0; i < jobs->count; i++) {
        if (strlen(jobs->items[i].unit) == size && strncmp(jobs->items[i].unit, unit, size) == 0)
            return &jobs->items[i];
    }
    return NULL;
}

/* The next word of a line, which *at is behind then. */
static size_t next_word(const char **at, const char **word)
{
    *word = *at + strspn(*at, " \t");
    *at = *word + strcspn(*word, " \t\n");
    return (size_t)(*at - *word);
}

void jobs_parse(const char *list, struct jobs *jobs)
{
    *jobs = (struct jobs){.items = text_need(calloc(JOBS_MAX, sizeof *jobs->items))};
    while (*list && jobs->count < JOBS_MAX) {
        const char *number, *unit, *type, *state, *at = list;
        size_t unit_size, state_size;

        next_word(&at, &number);
        unit_size = next_word(&at, &unit);
        next_word(&at, &type);
        state_size = next_word(&at, &state);
        if (unit_size && state_size)
            jobs->items[jobs->count++] =
                (struct job){.unit = text_format("%.*s", (int)unit_size, unit),
                             .running = state_size == strlen("running") &&
                                        !strncmp(state, "running", state_size),
                             .after = "",
                             .group = ""};
        list += strcspn(list, "\n");
        list += *list == '\n';
    }
}

void jobs_add_properties(struct jobs *jobs, const char *shown)
{
    while (shown) {
        char *id = unit_value(shown, "Id");
        struct job *job = id ? find(jobs, id, strlen(id)) : NULL;
        char *after = unit_value(shown, "After"), *group = unit_value(shown, "ControlGroup");

        if (job && after)
            job->after = after;
        if (job && group)
            job->group = group;
        free(id);
        shown = strstr(shown, "\n\n");
        shown = shown && shown[2] ? shown + 2 : NULL;
    }
}

/* Marks the jobs that one is ordered after; returns how many were new. */
static size_t reach_from(struct jobs *jobs, const struct job *job)
{
    const char *at = job->after, *word;
    size_t size, count = 0;

    while ((size = next_word(&at, &word)) > 0) {
        struct job *before = find(jobs, word, size);

        if (!before || before->reached || before == job)
            continue;
        before->reached = true;
        before->from = (size_t)(job - jobs->items);
        count++;
    }
    return count;
}

size_t jobs_reach(struct jobs *jobs, const char *unit)
{
    struct job *first = find(jobs, unit, strlen(unit));
    size_t count = 0, more;

    if (!first || first->running)
        return 0;
    first->reached = true;
    first->from = (size_t)(first - jobs->items);
    count = reach_from(jobs, first);
    do {
        more = 0;
        for (size_t i = 0; i < jobs->count; i++) {
            if (jobs->items[i].reached && !jobs->items[i].running)
                more += reach_from(jobs, &jobs->items[i]);
        }
        count += more;
    } while (more);
    return count;
}

/* The words of a process: `bootlace status … --wait`. */
static bool is_waiting(const char *command, size_t size)
{
    static const char program[] = "bootlace";
    const char *end = command + size, *slash = strrchr(command, '/');
    bool status = false, wait = false;

    if (strcmp(slash ? slash + 1 : command, program) != 0)
        return false;
    for (const char *word = command; word < end; word += strlen(word) + 1) {
        status = status || strcmp(word, "status") == 0;
        wait = wait || strcmp(word, "--wait") == 0;
    }
    return status && wait;
}

static size_t read_file(const char *path, char *bytes, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? 0 : read(fd, bytes, room - 1);

    if (fd >= 0)
        close(fd);
    bytes[size > 0 ? size : 0] = '\0';
    return size > 0 ? (size_t)size : 0;
}

bool jobs_waits_for_run(const char *group)
{
    /* Unified, and as systemd's own hierarchy beside others. */
    static const char *const places[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified",
                                         "/sys/fs/cgroup/systemd"};
    char list[GROUP_FILE_MAX], command[COMMAND_MAX];

    for (size_t i = 0; *group && i < sizeof places / sizeof *places; i++) {
        char *path = text_format("%s%s/cgroup.procs", places[i], group);
        size_t size = read_file(path, list, sizeof list);

        free(path);
        for (char *line = strtok(list, "\n"); size && line; line = strtok(NULL, "\n")) {
            path = text_format("/proc/%s/cmdline", line);
            size = read_file(path, command, sizeof command);
            free(path);
            if (size && is_waiting(command, size))
                return true;
        }
    }
    return false;
}

const struct job *jobs_explain(const struct jobs *jobs, struct text *out)
{
    const struct job *last = NULL, *path[JOBS_MAX];
    size_t length = 0;

    for (size_t i = 0; i < jobs->count; i++) {
        const struct job *job = &jobs->items[i];

        if (job->reached && job->from != i &&
            (!last || (job->waits_for_run && !last->waits_for_run) ||
             (job->running && !last->running && !last->waits_for_run)))
            last = job;
    }
    if (!last)
        return NULL;
    for (const struct job *job = last; job->from != (size_t)(job - jobs->items);
         job = &jobs->items[job->from])
        path[length++] = job;
    while (length) {
        const struct job *job = path[--length];

        text_add_string(out, job->unit);
        if (length)
            text_add_string(out, ", which waits for ");
    }
    if (last->waits_for_run)
        text_add_string(out, ", which waits for this run to end");
    else if (last->running)
        text_add_string(out, ", which is being started");
    return last;
}
