/* bootlace plan: the steps in order, what each would do, and why. */
#include "base/banned.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "verbs/launch.h"
#include "verbs/show.h"
#include "verbs/verbs.h"
#include "verbs/will.h"

static int make(struct launch *launch, const struct options *options, struct error *error)
{
    if (launch_open(launch, options, false, error) < 0 || launch_modules(launch, error) < 0)
        return -1;
    launch->ask_again = true;
    if (options->early) {
        if (launch_early(launch, error) < 0)
            return -1;
    } else {
        if (launch_identify(launch, error) < 0 ||
            launch_plan(launch, BOOTLACE_STAGE_INSTANCE, error) < 0 ||
            launch_read(launch, error) < 0)
            return -1;
        if (launch_parts(launch, error) < 0)
            return -1;
    }
    if (launch_plan(launch, options->early ? BOOTLACE_STAGE_EARLY : BOOTLACE_STAGE_MAIN, error) < 0)
        return -1;
    will_tell(launch);
    return 0;
}

int verb_plan(const struct options *options)
{
    AUTO_LAUNCH struct launch launch = {.record = RECORD_INIT};
    struct error error = ERROR_INIT;

    if (make(&launch, options, &error) < 0) {
        log_error_object(&error);
        return error_exit_code(&error);
    }
    if (options->json) {
        AUTO_JSON json_t *object = plan_to_json(&launch.plan, launch_file(&launch));

        show_json(object);
    } else {
        show_plan(&launch.plan);
    }
    return problems_exit_code(&launch.plan.problems);
}
