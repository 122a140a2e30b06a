/* bootlace: names the commands. */
#include "base/banned.h"
#include "base/error.h"
#include "base/log.h"
#include "verbs/options.h"
#include "verbs/verbs.h"

#include <fcntl.h>

const struct verb verbs[] = {
    {"run", "", 0, "do what the user-data says and is not done yet",
     "Asks the sources what this instance is for, and does what is left of it, in order.\n"
     "A step that is done is not done again; --rerun says otherwise.",
     verb_run},
    {"plan", "[FILE]", 1, "show what run would do, and why",
     "Prints the steps in order: what each would do, or why it would not. Changes nothing.",
     verb_plan},
    {"inspect", "[FILE]", 1, "show the parts of the user-data",
     "Prints what the user-data was found to be: every part, its type, size and frequency; as "
     "JSON\n"
     "also the merged configuration.",
     verb_inspect},
    {"validate", "FILE...", 256, "find every problem in user-data",
     "Reads user-data of any kind and tells every problem with line, column and a hint. Changes\n"
     "nothing and asks nobody; exits 3 where there is an error.",
     verb_validate},
    {"schema", "", 0, "print the schema of all keys",
     "Prints one JSON Schema document of all the keys that the installed modules take, for "
     "editors.",
     verb_schema},
    {"status", "", 0, "show how the last run went",
     "Prints how the run of this boot went, step by step. Exits as the run did; 5 while it is\n"
     "not finished. Needs no root; with root, the last lines of failed steps are shown.",
     verb_status},
    {"query", "PATH...", 64, "print metadata items",
     "Prints an item of the instance's metadata: hostname, placement/availability-zone. A\n"
     "trailing / lists. What the run has read already is answered without asking again; an item\n"
     "that does not exist prints nothing, and the exit code is 1.",
     verb_query},
    {"bake", "", 0, "do in an image what can be done in it",
     "Does of FILE what can be done before a launch: packages, files, accounts, units. FILE "
     "becomes\n"
     "part of the configuration of all instances of the image; what is left of it they do. Works\n"
     "on this machine, a builder, or on the tree below --root.",
     verb_bake},
    {"seal", "", 0, "make this machine ready to become an image",
     "Removes what is this machine's alone: the record, host keys, ids, seeds, leases, logs,\n"
     "histories, caches. An image of it makes a new instance wherever it boots. What was baked\n"
     "stays. --dry-run lists what it would remove.",
     verb_seal},
    {"modules", "[NAME]", 1, "list the modules, or describe one",
     "Lists the installed modules: what each takes, and how often it runs.", verb_modules},
    {0},
};

static const struct verb *find_verb(const char *name)
{
    for (const struct verb *verb = verbs; verb->name; verb++) {
        if (strcmp(verb->name, name) == 0)
            return verb;
    }
    return NULL;
}

static int refuse(const struct error *error)
{
    log_error_object(error);
    return error_exit_code(error);
}

/* The options before the command. */
static int program(const struct options *options)
{
    struct error error = ERROR_INIT;

    if (options->version) {
        puts("bootlace " BOOTLACE_VERSION);
        return 0;
    }
    if (options->completion && options_completion(options->completion))
        return 0;
    if (options->help) {
        options_help(NULL);
        return 0;
    }
    error_set(&error, ERROR_USAGE,
              options->completion ? "there is completion for bash alone" : "a command is missing");
    error_hint(&error, "see `bootlace --help`");
    return refuse(&error);
}

static int run_command(int argc, char **argv)
{
    struct error error = ERROR_INIT;
    struct options before, options;
    const struct verb *verb;

    /* What stands before the command's name, and what behind it. */
    if (options_parse(&before, NULL, argc, argv, &error) < 0)
        return refuse(&error);
    if (before.version || before.help || !before.operand_count)
        return program(&before);
    verb = find_verb(before.operands[0]);
    if (!verb) {
        error_set(&error, ERROR_USAGE, "there is no command %.100s", before.operands[0]);
        error_hint(&error, "see `bootlace --help`");
        return refuse(&error);
    }
    if (options_parse(&options, verb, (int)before.operand_count, before.operands, &error) < 0)
        return refuse(&error);
    options.verbose |= before.verbose;
    log_show(options.verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING);
    if (options.version)
        return program(&options);
    if (options.help) {
        options_help(verb);
        return 0;
    }
    return verb->run(&options);
}

/* Who starts us without one of the standard descriptors would find our own files in its place. */
static void open_standard_descriptors(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
}

int main(int argc, char **argv)
{
    int code;

    open_standard_descriptors();
    code = run_command(argc, argv);

    /*
     * Everything is given back by now. What would still run at exit are the clean-up functions of
     * libcurl's thirty libraries, which take longer than the run itself.
     */
    if (fflush(stdout) != 0 && code == 0)
        code = ERROR_INTERNAL;
#if defined(__SANITIZE_ADDRESS__)
    return code; /* it looks for leaks at exit */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
    return code;
#endif
#endif
    _exit(code);
}
