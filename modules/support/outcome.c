/* Items of a step; see outcome.h. */
#include <support/outcome.h>

#include <string.h>

void outcome_item_details(struct outcome *outcome, const struct bootlace_host *host,
                          const char *item, int result, int exit_code, const char *why,
                          const char *details)
{
    if (result < 0 && !why)
        why = strerror(-result);
    host->item(host, item,
               result < 0   ? "failed"
               : result > 0 ? "changed"
                            : "unchanged",
               exit_code, details ? text_format("%s\n%s", why ? why : "", details) : why);
    if (result > 0)
        outcome->changed++;
    else if (result == 0)
        outcome->unchanged++;
    if (result >= 0)
        return;
    if (!outcome->failed++)
        outcome->number = -result;
    if (outcome->failed <= OUTCOME_NAMED_MAX)
        text_add_format(&outcome->failures, "%s%s: %s", outcome->failures.size ? "; " : "", item,
                        why);
    else if (outcome->failed == OUTCOME_NAMED_MAX + 1)
        text_add_string(&outcome->failures, "; …");
}

void outcome_item(struct outcome *outcome, const struct bootlace_host *host, const char *item,
                  int result, int exit_code, const char *why)
{
    outcome_item_details(outcome, host, item, result, exit_code, why, NULL);
}

int outcome_end(const struct outcome *outcome, const struct bootlace_host *host, const char *things)
{
    unsigned all = outcome->changed + outcome->unchanged + outcome->failed;

    if (outcome->failed)
        return host->fail(host, outcome->number, "%u of %u %s failed: %s", outcome->failed, all,
                          things, text_string(&outcome->failures));
    host->note(host, "%u of %u %s changed", outcome->changed, all, things);
    return outcome->changed != 0;
}
