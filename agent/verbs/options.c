/* The one table of options: parser, help text and shell completion are made of it. */
#include "verbs/options.h"

#include "base/banned.h"
#include "base/memory.h"

#include <getopt.h>

enum option_id {
    OPTION_HELP = 256,
    OPTION_VERSION,
    OPTION_FORMAT,
    OPTION_VERBOSE,
    OPTION_USER_DATA,
    OPTION_SOURCE,
    OPTION_ROOT,
    OPTION_RERUN,
    OPTION_DRY_RUN,
    OPTION_BOOT,
    OPTION_EARLY,
    OPTION_SHUTDOWN,
    OPTION_POWEROFF,
    OPTION_REBOOT,
    OPTION_YES,
    OPTION_NAME,
    OPTION_WAIT,
    OPTION_TIMEOUT,
    OPTION_ALL,
    OPTION_DESCRIBE,
    OPTION_SHOW_SECRETS,
    OPTION_STRICT,
    OPTION_COMPLETION
};

/* Where a member is, from 1. */
#define FLAG(member) (offsetof(struct options, member) + 1)

/* Which verbs take an option, by name, a space before and after each; "*" = all, "" = none. */
static const struct {
    enum option_id id;
    char letter;
    const char *name;
    const char *argument;
    const char *verbs;
    const char *help;
    size_t flag; /* the member of struct options that it sets, or 0 */
} table[] = {
    {OPTION_USER_DATA, 0, "user-data", "FILE", " run plan inspect bake ",
     "take user-data from FILE (- is standard input) instead of a source", 0},
    {OPTION_SOURCE, 0, "source", "NAME", " run plan inspect query ",
     "ask this source alone: seed or ec2", 0},
    {OPTION_ROOT, 0, "root", "FOLDER", " run plan bake seal ",
     "work on the tree below FOLDER, which is not running: an image", 0},
    {OPTION_RERUN, 0, "rerun", "WHAT", " run plan bake ",
     "run again: all, failed, changed, or a step by its name; repeatable", 0},
    {OPTION_DRY_RUN, 0, "dry-run", NULL, " run bake seal ",
     "show what would be done, change nothing", FLAG(dry_run)},
    {OPTION_BOOT, 0, "boot", NULL, " run ",
     "as the systemd unit does it: keep still where the machine says so", FLAG(boot)},
    {OPTION_EARLY, 0, "early", NULL, " run plan ",
     "the early stage: modules that need neither network nor user-data", FLAG(early)},
    {OPTION_SHUTDOWN, 0, "shutdown", NULL, " run seal ",
     "as the systemd unit does it when the machine goes down", FLAG(shutdown)},
    {OPTION_POWEROFF, 0, "poweroff", NULL, " seal ", "power the machine off behind it",
     FLAG(power_off)},
    {OPTION_REBOOT, 0, "reboot", NULL, " seal ", "restart the machine behind it", FLAG(restart)},
    {OPTION_YES, 0, "yes", NULL, " seal ", "do not ask, not even on a terminal", FLAG(yes)},
    {OPTION_NAME, 0, "name", "NAME", " bake ",
     "what it is called in the image (default: the name of FILE)", 0},
    {OPTION_WAIT, 0, "wait", NULL, " status ", "wait until the run is over", FLAG(wait)},
    {OPTION_TIMEOUT, 0, "timeout", "SECONDS", " status ",
     "how long --wait waits at the most (default 3600)", 0},
    {OPTION_ALL, 0, "all", NULL, " query ", "print all metadata as a tree", FLAG(all)},
    {OPTION_DESCRIBE, 0, "describe", NULL, " modules ",
     "the operand is a module's file: print its manifest", FLAG(describe)},
    {OPTION_SHOW_SECRETS, 0, "show-secrets", NULL, " inspect ",
     "show what schemas call secret, too (root)", FLAG(show_secrets)},
    {OPTION_STRICT, 0, "strict", NULL, " validate ", "warnings count as errors", FLAG(strict)},
    {OPTION_FORMAT, 0, "format", "text|json", "*", "how to print the result (default text)", 0},
    {OPTION_VERBOSE, 'v', "verbose", NULL, "*", "say more on standard error", FLAG(verbose)},
    {OPTION_HELP, 'h', "help", NULL, "*", "print this help", FLAG(help)},
    {OPTION_VERSION, 0, "version", NULL, "*", "print the version", FLAG(version)},
    {OPTION_COMPLETION, 0, "completion", "bash", "", "print a completion script for the shell", 0},
};

static bool takes(size_t i, const struct verb *verb)
{
    AUTO_FREE char *name = memory_format(" %s ", verb ? verb->name : "");

    if (!verb)
        return !*table[i].verbs || table[i].id == OPTION_HELP || table[i].id == OPTION_VERSION ||
               table[i].id == OPTION_VERBOSE;
    return strcmp(table[i].verbs, "*") == 0 || strstr(table[i].verbs, name);
}

static int read_timeout(struct options *options, const char *text, struct error *error)
{
    char *end;
    long long seconds = strtoll(text, &end, 10);

    if (!*text || *end || seconds < 0 || seconds > 30LL * 24 * 3600)
        return error_set(error, ERROR_USAGE, "--timeout is no number of seconds");
    options->timeout_s = seconds;
    return 0;
}

static int read_format(struct options *options, const char *text, struct error *error)
{
    options->json = strcmp(text, "json") == 0;
    if (!options->json && strcmp(text, "text") != 0)
        return error_set(error, ERROR_USAGE, "--format is text or json");
    return 0;
}

static int add_rerun(struct options *options, const char *what, struct error *error)
{
    size_t count = 0;

    while (options->rerun[count])
        count++;
    if (count == OPTIONS_RERUN_MAX)
        return error_set(error, ERROR_USAGE, "--rerun more than %d times", OPTIONS_RERUN_MAX);
    options->rerun[count] = what;
    return 0;
}

static int take_option(struct options *options, int id, const char *argument, struct error *error)
{
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        if ((int)table[i].id == id && table[i].flag) {
            *(bool *)((char *)options + table[i].flag - 1) = true;
            return 0;
        }
    }
    switch (id) {
    case OPTION_FORMAT:
        return read_format(options, argument, error);
    case OPTION_USER_DATA:
        options->user_data = argument;
        return 0;
    case OPTION_SOURCE:
        options->source = argument;
        return 0;
    case OPTION_NAME:
        options->name = argument;
        return 0;
    case OPTION_ROOT:
        options->root = argument;
        return 0;
    case OPTION_RERUN:
        return add_rerun(options, argument, error);
    case OPTION_TIMEOUT:
        return read_timeout(options, argument, error);
    case OPTION_COMPLETION:
        options->completion = argument;
        return 0;
    }
    return -1;
}

static int refuse(const struct verb *verb, const char *word, bool missing, struct error *error)
{
    char letter[] = {'-', (char)optopt, '\0'};

    /* One of several letters in a word is named alone. */
    if (optopt > ' ' && optopt < 0x7f)
        word = letter;
    if (missing)
        error_set(error, ERROR_USAGE, "%.100s wants an argument", word);
    else
        error_set(error, ERROR_USAGE, "unknown option %.100s", word);
    return error_hint(error, "see `bootlace%s%s --help`", verb ? " " : "", verb ? verb->name : "");
}

int options_parse(struct options *options, const struct verb *verb, int argc, char **argv,
                  struct error *error)
{
    struct option longs[ARRAY_SIZE(table) + 1] = {0};
    size_t count = 0;
    int id;

    *options = (struct options){.timeout_s = OPTIONS_TIMEOUT_DEFAULT_S};
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        if (takes(i, verb))
            longs[count++] = (struct option){.name = table[i].name,
                                             .has_arg = table[i].argument ? 1 : 0,
                                             .val = (int)table[i].id};
    }
    opterr = 0;
    optind = 0; /* anew: the options before the command were parsed by the same function */
    while ((id = getopt_long(argc, argv, verb ? ":vh" : "+:vh", longs, NULL)) != -1) {
        if (id == ':' || id == '?')
            return refuse(verb, argv[optind - 1], id == ':', error);
        id = id == 'v' ? OPTION_VERBOSE : id == 'h' ? OPTION_HELP : id;
        if (take_option(options, id, optarg, error) < 0)
            return -1;
    }
    options->operands = argv + optind;
    options->operand_count = (size_t)(argc - optind);
    if (verb && !options->help && options->operand_count > verb->operands_max) {
        error_set(error, ERROR_USAGE, "too many operands");
        return error_hint(error, "see `bootlace %s --help`", verb->name);
    }
    return 0;
}

static void print_options(const struct verb *verb)
{
    puts("\nOptions:");
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        AUTO_FREE char *letter = memory_format("-%c, ", table[i].letter ? table[i].letter : ' ');
        AUTO_FREE char *name =
            memory_format("%s--%s%s%s", table[i].letter ? letter : "    ", table[i].name,
                          table[i].argument ? " " : "", table[i].argument ? table[i].argument : "");

        if (takes(i, verb))
            printf("  %-26s %s\n", name, table[i].help);
    }
}

void options_help(const struct verb *verb)
{
    if (verb) {
        printf("Usage: bootlace %s [OPTION]...%s%s\n\n%s\n", verb->name, *verb->operands ? " " : "",
               verb->operands, verb->text);
        print_options(verb);
        return;
    }
    puts("Usage: bootlace COMMAND [OPTION]...\n\n"
         "Makes a new cloud instance what its user-data says: once, in order, with a record.\n\n"
         "Commands:");
    for (const struct verb *v = verbs; v->name; v++)
        printf("  %-9s %s\n", v->name, v->summary);
    print_options(NULL);
    puts("\nExit codes: 0 well, 1 a step failed, 2 usage, 3 bad user-data or configuration,\n"
         "4 no source answered, 5 not finished, 70 internal.\n"
         "See bootlace(1), and `bootlace COMMAND --help` for a command's options.");
}

bool options_completion(const char *shell)
{
    if (strcmp(shell, "bash") != 0)
        return false;
    puts("# bash completion for bootlace; made by `bootlace --completion bash`\n"
         "_bootlace() {\n"
         "    local current=${COMP_WORDS[COMP_CWORD]} words=\n"
         "    case ${COMP_WORDS[1]} in");
    for (const struct verb *verb = verbs; verb->name; verb++) {
        if (!verb->run)
            continue;
        printf("    %s) words='", verb->name);
        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
            if (takes(i, verb))
                printf("--%s ", table[i].name);
        }
        puts("' ;;");
    }
    puts("    esac\n"
         "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
         "        words='--help --version'");
    for (const struct verb *verb = verbs; verb->name; verb++)
        printf("        words+=' %s'\n", verb->name);
    puts("    fi\n"
         "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "    case $current in -*) ;; *)\n"
         "        [ \"$COMP_CWORD\" -gt 1 ] && COMPREPLY+=($(compgen -f -- \"$current\")) ;;\n"
         "    esac\n"
         "}\n"
         "complete -o filenames -F _bootlace bootlace");
    return true;
}
