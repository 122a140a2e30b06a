/*
 * git: repositories at a branch, tag or commit, by git(1).
 *
 * What comes of a repository is code of somebody else's: no hook of it runs, no protocol that would
 * run a program is spoken, and nothing of it is executed here.
 */
#include <bootlace/module.h>
#include <errno.h>
#include <support/input.h>
#include <support/outcome.h>
#include <support/text.h>

#include "repository.h"

#include <git.schema.h>

enum { REPOSITORIES_MAX = 1000, SHORT_HASH = 12 };

/* From where to where. */
static const char *told(const struct repository *repository, int result)
{
    const char *name = repository->version ? text_format(" (%s)", repository->version) : "";

    if (!*repository->before)
        return text_format("now at %.*s%s", SHORT_HASH, repository->after, name);
    if (result == 0)
        return text_format("at %.*s%s", SHORT_HASH, repository->before, name);
    return text_format("from %.*s to %.*s%s", SHORT_HASH, repository->before, SHORT_HASH,
                       repository->after, name);
}

static void bring_item(const struct bootlace_host *host, const json_t *item,
                       struct outcome *outcome)
{
    struct repository repository;
    const char *why = NULL;
    int result = repository_read(host, item, &repository, &why);
    const char *dest = repository.dest ? repository.dest : "an item without dest";

    if (result == 0)
        result = repository_bring(&repository, &why);
    if (result >= 0) {
        why = told(&repository, result);
        host->log(host, BOOTLACE_INFO, "%s: %s", dest, why);
    }
    outcome_item(outcome, host, dest, result, -1, why);
}

static int run(const struct bootlace_host *host, const char *input)
{
    struct outcome outcome = {0};
    const json_t *list, *item;
    struct input given;
    size_t i;
    int result = input_read(host, input, &given);

    if (result == 0)
        result = input_list(host, &given, "git", REPOSITORIES_MAX, &list);
    if (result < 0)
        return result;
    json_array_foreach(list, i, item)
    {
        host->progress(host, (double)i / (double)json_array_size(list), NULL);
        bring_item(host, item, &outcome);
    }
    return outcome_end(&outcome, host, "repositories");
}

static const char *const keys[] = {"git", NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "git",
    .version = BOOTLACE_VERSION,
    .summary = "brings repositories to a branch, tag or commit",
    .keys = keys,
    .schema = schema,
    .frequency = BOOTLACE_PER_INSTANCE,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 820,
    .flags = BOOTLACE_REPEATABLE | BOOTLACE_BAKEABLE | BOOTLACE_BY_ITEM,
    .run = run,
};
