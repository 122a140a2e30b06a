/* Items of a step counted, and one sentence about them at its end. */
#ifndef BOOTLACE_SUPPORT_OUTCOME_H
#define BOOTLACE_SUPPORT_OUTCOME_H

#include <bootlace/module.h>
#include <support/text.h>

enum { OUTCOME_NAMED_MAX = 5 }; /* failures that the sentence names */

struct outcome {
    unsigned changed, unchanged, failed;
    struct text failures; /* the first of them, with why */
    int number;           /* the first one's errno */
};

/* Reports an item by result (1 changed, 0 unchanged, negative errno failed); why may be NULL. */
void outcome_item(struct outcome *outcome, const struct bootlace_host *host, const char *item,
                  int result, int exit_code, const char *why);

/* The same, with more lines about it, such as a log's last, for the item alone: only root sees
 * them, and the sentence has none of them. details may be NULL. */
void outcome_item_details(struct outcome *outcome, const struct bootlace_host *host,
                          const char *item, int result, int exit_code, const char *why,
                          const char *details);

/*
 * What the module returns: by host->fail where an item failed, else 1 or 0 after a note. things
 * are what the items are ("files").
 */
int outcome_end(const struct outcome *outcome, const struct bootlace_host *host,
                const char *things);

#endif
