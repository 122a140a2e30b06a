/* A package manager run for what it does; see tool.h. */
#include "tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <support/program.h>
#include <support/retry.h>
#include <support/tree.h>
#include <time.h>

#include "locks.h"

enum { MS_PER_S = 1000, NS_PER_MS = 1000000, FIRST_PAUSE_MS = 500, DOUBLINGS_MAX = 6 };

static const char *const plain[] = {"LC_ALL=C", "LANGUAGE=", NULL};
static const char *const offline[] = {"SYSTEMD_OFFLINE=1", NULL};

/* Half of the pause grows, the other half is drawn: machines that were started together do not
 * come back together. */
static void pause_before(unsigned retry)
{
    unsigned doublings = retry - 1 < DOUBLINGS_MAX ? retry - 1 : DOUBLINGS_MAX;
    unsigned ms = ((unsigned)FIRST_PAUSE_MS << doublings) + (unsigned)retry_wait_ms(retry);
    const struct timespec pause = {.tv_sec = ms / MS_PER_S,
                                   .tv_nsec = (long)(ms % MS_PER_S) * NS_PER_MS};

    nanosleep(&pause, NULL);
}

void tool_add_base(const struct work *work, struct words *argv)
{
    words_add_all(argv, work->manager->base);
    if (work->outside)
        work->manager->add_tree(work, argv);
}

static bool went_well(const struct manager *manager, const struct bootlace_ending *ending)
{
    return ending->exit_code == 0 ||
           (ending->exit_code > 0 && manager->went_well && manager->went_well(ending->exit_code));
}

static int run_once(const struct work *work, const char *const *argv, unsigned limit_s,
                    struct said *said, const char **why)
{
    const struct bootlace_host *host = work->host;
    struct words environment = {0};
    struct bootlace_program program = {.size = sizeof program,
                                       .argv = argv,
                                       .effect = BOOTLACE_CHANGES,
                                       .time_limit = limit_s,
                                       .outside = work->outside,
                                       .line = symptom_take,
                                       .line_context = said};
    struct bootlace_ending ending;
    int result;

    words_add_all(&environment, plain);
    words_add_all(&environment, work->manager->environment);
    if (!tree_is_running(host))
        words_add_all(&environment, offline);
    program.environ_add = environment.items;
    symptom_clear(said);
    result = host->run_program(host, &program, &ending);
    free(environment.items);
    if (result < 0)
        *why = text_format("%s cannot be started: %s", *argv, strerror(-result));
    else if (ending.timed_out) {
        *why = text_format("%s took longer than %u s and was ended", *argv, limit_s);
        result = -ETIMEDOUT;
    } else if (!went_well(work->manager, &ending)) {
        *why = said->error ? text_format("%s", said->error)
                           : text_format("%s ended with %s %d", *argv,
                                         ending.signal ? "signal" : "exit code",
                                         ending.signal ? ending.signal : ending.exit_code);
        result = -EIO;
    }
    return result;
}

/* Whether another attempt may help; does what it needs before. */
static bool recover(const struct work *work, const struct said *said, unsigned retry)
{
    const struct manager *manager = work->manager;
    struct said aside = {.symptoms = manager->symptoms};
    const char *ignored;

    if (retry > work->wish.retries)
        return false;
    if (said->interrupted && manager->repair)
        return retry == 1 &&
               run_once(work, manager->repair, TOOL_PACKAGES_LIMIT_S, &aside, &ignored) == 0;
    if (said->locked)
        return true;
    if (said->stale && manager->update) {
        struct words argv = {0};

        if (retry > 1)
            pause_before(retry);
        tool_add_base(work, &argv);
        words_add_all(&argv, manager->update);
        run_once(work, argv.items, TOOL_LISTS_LIMIT_S, &aside, &ignored);
        return true;
    }
    if (said->transient)
        pause_before(retry);
    return said->transient;
}

int tool_run(const struct work *work, const char *const *words, const struct words *names,
             unsigned limit_s, struct said *said, const char **why)
{
    const struct bootlace_host *host = work->host;
    struct words argv = {0};
    int result;

    tool_add_base(work, &argv);
    words_add_all(&argv, words);
    if (names)
        words_add_all(&argv, names->items);
    for (unsigned retry = 1;; retry++) {
        result = host->dry_run ? 0 : locks_await(work, why);
        if (result == 0)
            result = run_once(work, argv.items, limit_s, said, why);
        if (result != -EIO || !recover(work, said, retry))
            break;
        host->log(host, BOOTLACE_WARNING, "%s: attempt %u of %u", *why, retry + 1,
                  work->wish.retries + 1);
    }
    free(argv.items);
    return result;
}
