/* Takes out what was registered; see retract.h. */
#include "retract.h"

#include "state.h"

#include <string.h>
#include <support/text.h>

enum standing { CURRENT, REPLACED, OUTDATED };

/* Takes one record out; *why has words for what came of it. */
static int retract(struct dns *dns, const struct wish *wish, const struct record *record,
                   const struct place *place, const char **why)
{
    const struct backend *backend = job_backend(wish);
    int result;

    if (dns->host->dry_run) {
        *why = text_format("would be taken out of %s", backend->words(place));
        dns->host->log(dns->host, BOOTLACE_INFO, "would take %s %s out of %s", job_name(record),
                       record->value, backend->words(place));
        return 1;
    }
    result = backend->withdraw(dns, wish, record, place, why);
    if (result >= 0)
        *why = text_format(result ? "%s is taken out of %s"
                                  : "it is not %s any more at %s, and stays as it is",
                           record->value, backend->words(place));
    return result;
}

/* Whether the wish's backend is that of the place. */
static bool is_of_kind(const struct wish *wish, const struct place *place)
{
    return wish->is_route53 == !place->address;
}

static void retract_wish(struct dns *dns, const struct wish *wish, struct outcome *outcome)
{
    struct record record;
    struct place place;
    const char *id;

    for (size_t n = 0; state_get(dns, n, &id, &record, &place);) {
        const char *why = NULL;
        int result;

        if (strcmp(id, wish->id) != 0 || !is_of_kind(wish, &place)) {
            n++;
            continue;
        }
        result = retract(dns, wish, &record, &place, &why);
        outcome_item(outcome, dns->host, job_name(&record), result, -1, why);
        if (result < 0 || dns->host->dry_run)
            n++;
        else
            state_remove(dns, id, &record, &place);
    }
}

void retract_all(struct dns *dns, const json_t *items, struct outcome *outcome)
{
    for (size_t i = 0; i < json_array_size(items); i++) {
        struct wish wish;

        if (job_read(dns, json_array_get(items, i), &wish, outcome) && wish.deregister)
            retract_wish(dns, &wish, outcome);
    }
}

/* What is remembered, beside what is registered now. */
static enum standing standing_of(const struct jobs *jobs, const struct record *record,
                                 const struct place *place)
{
    for (size_t i = 0; i < jobs->count; i++) {
        const struct job *job = &jobs->list[i];

        if (job->place.zone && job->record.type == record->type &&
            strcmp(job->record.name, record->name) == 0 && place_is_same(&job->place, place))
            return record_is_same(&job->record, record) ? CURRENT : REPLACED;
    }
    return OUTDATED;
}

/* The wish of a remembered record: its own, or one of the same name, which has been moved. */
static const struct wish *wish_of(const struct jobs *jobs, const char *id,
                                  const struct place *place)
{
    const struct wish *moved = NULL;

    for (size_t i = 0; i < jobs->wish_count; i++) {
        const struct wish *wish = &jobs->wishes[i];
        size_t length = strlen(wish->name);

        if (strcmp(wish->id, id) == 0)
            return wish;
        if (strncmp(id, wish->name, length) == 0 && id[length] == ' ' && is_of_kind(wish, place))
            moved = wish;
    }
    return moved;
}

/* Whether the record can be forgotten now. */
static bool settle_record(struct dns *dns, const struct jobs *jobs, const char *id,
                          const struct record *record, const struct place *place)
{
    const struct wish *wish = wish_of(jobs, id, place);
    enum standing standing = standing_of(jobs, record, place);
    const char *why = NULL;
    int result;

    /* Of what went wrong it is not known what was meant. */
    if (standing == CURRENT || (wish && wish->failed))
        return false;
    if (standing == REPLACED)
        return true;
    if (!wish) {
        dns->host->log(
            dns->host, BOOTLACE_INFO,
            "%s was registered by this instance and is in the settings no more; it stays",
            job_name(record));
        return true;
    }
    result = retract(dns, wish, record, place, &why);
    dns->host->log(dns->host, result < 0 ? BOOTLACE_WARNING : BOOTLACE_INFO, "%s of before: %s%s",
                   job_name(record), result < 0 ? "it could not be taken out: " : "", why);
    return true;
}

void retract_outdated(struct dns *dns, const struct jobs *jobs)
{
    struct record record;
    struct place place;
    const char *id;

    for (size_t n = 0; state_get(dns, n, &id, &record, &place);) {
        if (settle_record(dns, jobs, id, &record, &place))
            state_remove(dns, id, &record, &place);
        else
            n++;
    }
}
