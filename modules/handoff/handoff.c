/*
 * handoff: Puppet, Chef, Ansible or any program, given parameters from the settings, and with them
 * from metadata and tags, in the form that it takes.
 *
 * The programs are run one after another, in the list's order, each once; what one of them came to
 * does not keep the next from its turn.
 */
#include <bootlace/module.h>
#include <errno.h>
#include <support/input.h>
#include <support/outcome.h>
#include <support/text.h>

#include "job.h"
#include "program.h"

#include <handoff.schema.h>

enum { JOBS_MAX = 1000 };

static void hand_over(const struct bootlace_host *host, const json_t *item, size_t number,
                      struct outcome *outcome)
{
    struct job job;
    const char *why = NULL;
    int code = -1, result = job_read(host, item, &job, &why);

    if (result == 0)
        result = program_hand_over(host, &job, &code, &why);
    outcome_item(outcome, host, job.name ? job.name : text_format("item %zu", number + 1), result,
                 code, why);
}

static int run(const struct bootlace_host *host, const char *input)
{
    struct outcome outcome = {0};
    const json_t *list, *item;
    struct input given;
    size_t i;
    int result = input_read(host, input, &given);

    if (result == 0)
        result = input_list(host, &given, "handoff", JOBS_MAX, &list);
    if (result < 0)
        return result;
    json_array_foreach(list, i, item) hand_over(host, item, i, &outcome);
    return outcome_end(&outcome, host, "programs");
}

static const char *const keys[] = {"handoff", NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "handoff",
    .version = BOOTLACE_VERSION,
    .summary = "runs Puppet, Chef, Ansible or any program with parameters",
    .keys = keys,
    .schema = schema,
    .frequency = BOOTLACE_PER_INSTANCE,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 870,
    .flags = BOOTLACE_NO_LIMIT,
    .run = run,
};
