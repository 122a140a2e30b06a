/*
 * Registers names; see register.h.
 *
 * What is so already is left alone. A record is remembered before it is put: power may go at any
 * moment, and to remember one that was never put does no harm, since only what is there just as it
 * was put is ever taken out.
 */
#include "register.h"

#include "job.h"
#include "retract.h"
#include "state.h"
#include "value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { RECORDS_PER_WISH = 2 }; /* the record, and the reverse one */

static int remember(struct dns *dns, struct job *job)
{
    int result = state_add(dns, job->wish->id, &job->record, &job->place);

    if (result < 0)
        job->why = text_format("what is registered cannot be remembered: %s", strerror(-result));
    return result;
}

static int put(struct dns *dns, struct job *job)
{
    const struct backend *backend = job_backend(job->wish);
    int result;

    if (dns->host->dry_run) {
        dns->host->log(dns->host, BOOTLACE_INFO, "would register %s %u %s %s at %s",
                       job->record.name, job->record.ttl, record_type_word(job->record.type),
                       job->record.value, backend->words(&job->place));
        return 1;
    }
    result = remember(dns, job);
    if (result < 0)
        return result;
    result = backend->put(dns, job->wish, &job->record, &job->place, &job->why);
    if (result == -EPERM)
        state_remove(dns, job->wish->id, &job->record, &job->place);
    return result < 0 ? result : 1;
}

/* Two items that change the same record would change it at every boot. */
static int check_others(const struct jobs *jobs, struct job *job)
{
    for (const struct job *other = jobs->list; other < job; other++) {
        if (other->record.type != job->record.type || !other->place.zone ||
            strcmp(other->record.name, job->record.name) != 0 ||
            !place_is_same(&other->place, &job->place))
            continue;
        job->why = text_format("an item before it, %s, has this record already, and there can be "
                               "one: leave one of both out",
                               other->wish->label);
        return -EEXIST;
    }
    return 0;
}

static int register_record(struct dns *dns, const struct jobs *jobs, struct job *job)
{
    const struct backend *backend = job_backend(job->wish);
    int result = backend->locate(dns, job->wish, &job->record, &job->place, &job->why);

    if (result == 0)
        result = check_others(jobs, job);
    if (result == 0)
        result = backend->check(dns, job->wish, &job->record, &job->place, &job->why);
    if (result > 0)
        return remember(dns, job);
    return result < 0 ? result : put(dns, job);
}

static int add_job(struct dns *dns, struct jobs *jobs, struct wish *wish,
                   const struct record *record)
{
    struct job *job = &jobs->list[jobs->count++];

    *job = (struct job){.wish = wish, .record = *record};
    job->result = register_record(dns, jobs, job);
    wish->failed = wish->failed || job->result < 0;
    return job->result;
}

/* The record, and the reverse one, which is of no use without it. */
static void register_wish(struct dns *dns, struct jobs *jobs, struct wish *wish,
                          struct outcome *outcome)
{
    struct record record, reverse;
    const char *why = NULL;
    int result = value_find(dns->host, wish, &record, &why);

    if (result < 0) {
        wish->failed = true;
        outcome_item(outcome, dns->host, wish->label, result, -1, why);
    } else if (add_job(dns, jobs, wish, &record) >= 0 && wish->reverse) {
        reverse = record_reverse(&record);
        add_job(dns, jobs, wish, &reverse);
    }
}

static void settle(struct dns *dns, struct job *job)
{
    const struct backend *backend = job_backend(job->wish);
    int result;

    if (job->result <= 0 || !job->place.change || !backend->settle)
        return;
    result = backend->settle(dns, job->wish, &job->place, &job->why);
    if (result < 0)
        job->result = result;
}

static void report(const struct dns *dns, const struct job *job, struct outcome *outcome)
{
    const char *words = job->why;

    if (job->result >= 0)
        words =
            text_format("%s, at %s", job->record.value, job_backend(job->wish)->words(&job->place));
    outcome_item(outcome, dns->host, job_name(&job->record), job->result, -1, words);
}

void register_all(struct dns *dns, const json_t *items, struct outcome *outcome)
{
    size_t count = json_array_size(items);
    struct jobs jobs = {.wishes = text_need(calloc(count + 1, sizeof(struct wish))),
                        .list =
                            text_need(calloc(count * RECORDS_PER_WISH + 1, sizeof(struct job)))};

    for (size_t i = 0; i < count; i++) {
        struct wish *wish = &jobs.wishes[jobs.wish_count];

        if (!job_read(dns, json_array_get(items, i), wish, outcome))
            continue;
        jobs.wish_count++;
        dns->host->progress(dns->host, (double)i / (double)count, wish->label);
        register_wish(dns, &jobs, wish, outcome);
    }
    retract_outdated(dns, &jobs);
    /* All changes are under way by now: together they take as long as the slowest. */
    for (size_t i = 0; i < jobs.count; i++) {
        settle(dns, &jobs.list[i]);
        report(dns, &jobs.list[i], outcome);
    }
}
