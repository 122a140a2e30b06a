/* Programs that are run to their end; see errand.h. */
#include <support/errand.h>

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <support/dump.h>
#include <time.h>

enum { NS_PER_S = 1000000000 };

int errand_word(struct errand *errand, const char *word, const char **why)
{
    if (errand->words == ERRAND_WORDS_MAX) {
        *why = "it gets too many arguments";
        return -E2BIG;
    }
    errand->argv[errand->words++] = word;
    return 0;
}

int errand_words(struct errand *errand, const json_t *given, const char *const *usual,
                 const char **why)
{
    char *rest = json_is_string(given) ? text_format("%s", json_string_value(given)) : NULL, *word;
    const json_t *item;
    int result = 0;
    size_t i;

    while (!given && result == 0 && *usual)
        result = errand_word(errand, *usual++, why);
    while (result == 0 && (word = strsep(&rest, " \t\n")))
        result = *word ? errand_word(errand, word, why) : 0;
    json_array_foreach(given, i, item)
    {
        if (result == 0)
            result = errand_word(errand, dump_word(item), why);
    }
    return result;
}

int errand_variable(struct errand *errand, const char *name, const char *value, const char **why)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

    if (!*name || strspn(name, letters) != strlen(name) || strspn(name, "0123456789")) {
        *why = "a variable's name has letters, digits and '_' alone";
        return -EINVAL;
    }
    if (errand->variable_count == ERRAND_WORDS_MAX) {
        *why = "it gets too many variables";
        return -E2BIG;
    }
    errand->variables[errand->variable_count++] = text_format("%s=%s", name, value);
    return 0;
}

int errand_as(struct errand *errand, const char *user, const char **why)
{
    const struct passwd *account = getpwnam(user);
    int result;

    if (!account) {
        *why = text_format("there is no user %s", user);
        return -ENOENT;
    }
    result = errand_word(errand, "setpriv", why);
    if (result == 0)
        result = errand_word(errand, text_format("--reuid=%u", (unsigned)account->pw_uid), why);
    if (result == 0)
        result = errand_word(errand, text_format("--regid=%u", (unsigned)account->pw_gid), why);
    if (result == 0)
        result = errand_word(errand, "--init-groups", why);
    if (result == 0)
        result = errand_word(errand, "--", why);
    if (result == 0)
        result = errand_variable(errand, "HOME", account->pw_dir, why);
    if (result == 0)
        result = errand_variable(errand, "USER", account->pw_name, why);
    return result == 0 ? errand_variable(errand, "LOGNAME", account->pw_name, why) : result;
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / NS_PER_S;
}

static bool is_well(const struct errand *errand, int code)
{
    if (!errand->code_count)
        return code == 0;
    for (size_t i = 0; i < errand->code_count; i++) {
        if (errand->codes[i] == code)
            return true;
    }
    return false;
}

static int judge(const struct errand *errand, const struct bootlace_ending *ending, double seconds,
                 const char **why)
{
    if (ending->timed_out) {
        *why = text_format("it took longer than %u s and was ended", errand->time_limit);
        return -ETIMEDOUT;
    }
    if (ending->signal)
        *why = text_format("signal %d ended it after %.1f s", ending->signal, seconds);
    else
        *why = text_format("exit code %d after %.1f s", ending->exit_code, seconds);
    return !ending->signal && is_well(errand, ending->exit_code) ? 1 : -EIO;
}

int errand_run(const struct bootlace_host *host, const struct errand *errand, int *code,
               const char **why)
{
    const struct bootlace_program program = {.size = sizeof program,
                                             .argv = errand->argv,
                                             .environ_add = errand->variables,
                                             .folder = errand->folder,
                                             .input = text_string(&errand->input),
                                             .input_size = errand->input.size,
                                             .effect = BOOTLACE_CHANGES,
                                             .time_limit = errand->time_limit};
    struct bootlace_ending ending;
    double began = now();
    int result = host->run_program(host, &program, &ending);

    *code = -1;
    if (result == -ENOENT)
        *why = text_format("%s is not installed", errand->argv[0]);
    else if (result < 0)
        *why = text_format("%s cannot be started: %s", errand->argv[0], strerror(-result));
    if (result < 0 || host->dry_run)
        return result < 0 ? result : 1;
    *code = ending.exit_code;
    result = judge(errand, &ending, now() - began, why);
    if (result < 0)
        host->ended(host, &ending);
    return result;
}
