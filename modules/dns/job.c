/* Wishes and records; see job.h. */
#include "job.h"

#include <support/text.h>

const struct backend *job_backend(const struct wish *wish)
{
    return wish->is_route53 ? &backend_route53 : &backend_server;
}

const char *job_name(const struct record *record)
{
    return text_format("%s %s", record->name, record_type_word(record->type));
}

bool job_read(struct dns *dns, const json_t *item, struct wish *wish, struct outcome *outcome)
{
    const char *why = NULL;
    int result = settings_read(item, wish, &why);

    if (result < 0)
        outcome_item(outcome, dns->host, wish->label, result, -1, why);
    return result == 0;
}
