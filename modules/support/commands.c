/*
 * Lists of commands; see commands.h.
 *
 * The shell gets a driver on its standard input, moves that away and reads it as its script; so no
 * command is in anybody's list of processes, and no command reads another one's text. The driver
 * is, for each command,
 *
 *     command eval 'TEXT
 *
 *     _bootlace_ended NUMBER'
 *     _bootlace_ended NUMBER
 *
 * `command` keeps a syntax error from ending the shell (POSIX, 2.8.1); the second call is for the
 * command that had one, and did not come to the first. That is within the text so that `set -e`
 * judges what the user wrote, not how it is wrapped; the blank line is for a text that ends with a
 * backslash. The function appends number and exit code to a file in memory of ours, opened by its
 * name below /proc each time: no descriptor is left open for what the commands start.
 */
#include <support/commands.h>

#include <support/input.h>
#include <support/outcome.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LABEL_MAX = 40, NOT_RUN = -1, EXIT_CODE_MAX = 255 };

struct command {
    struct text text; /* shell text */
    char label[LABEL_MAX * 2];
    int exit_code; /* NOT_RUN until it is known */
};

struct commands {
    const struct bootlace_host *host;
    struct command *items;
    size_t count;
    bool stop;
};

/* In single quotes, of which the shell interprets nothing. */
static void add_quoted(struct text *out, const char *word)
{
    text_add_string(out, "'");
    for (; *word; word++) {
        if (*word == '\'')
            text_add_string(out, "'\\''");
        else
            text_add(out, word, 1);
    }
    text_add_string(out, "'");
}

/*
 * The number and the name of the program, for people. Nothing else of a command is shown: it may
 * hold a secret. Where the first word, up to one of ends, is no plain name, neither is that.
 */
static void make_label(struct command *command, size_t number, const char *text, const char *ends)
{
    size_t size =
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-");

    if (size && size <= LABEL_MAX && (!text[size] || strchr(ends, text[size])))
        snprintf(command->label, sizeof command->label, "%zu (%.*s)", number, (int)size, text);
    else
        snprintf(command->label, sizeof command->label, "%zu", number);
}

static int add_word(const struct commands *commands, const json_t *word, struct command *command,
                    size_t number)
{
    char digits[64];

    if (command->text.size)
        text_add_string(&command->text, " ");
    if (json_is_string(word)) {
        add_quoted(&command->text, json_string_value(word));
        return 0;
    }
    if (json_is_integer(word))
        snprintf(digits, sizeof digits, "%lld", (long long)json_integer_value(word));
    else if (json_is_real(word))
        snprintf(digits, sizeof digits, "%.15g", json_real_value(word));
    else
        return commands->host->fail(commands->host, EINVAL,
                                    "command %zu has a word that is no text; put it in quotes",
                                    number);
    add_quoted(&command->text, digits);
    return 0;
}

static int read_vector(const struct commands *commands, const json_t *list, struct command *command,
                       size_t number)
{
    const json_t *word;
    size_t i;

    if (!json_array_size(list) || json_array_size(list) > COMMANDS_WORDS_MAX)
        return commands->host->fail(commands->host, EINVAL, "command %zu has no words, or over %d",
                                    number, COMMANDS_WORDS_MAX);
    json_array_foreach(list, i, word)
    {
        int result = add_word(commands, word, command, number);

        if (result < 0)
            return result;
    }
    word = json_array_get(list, 0);
    make_label(command, number, json_is_string(word) ? json_string_value(word) : "", "");
    return 0;
}

static int read_list(struct commands *commands, const json_t *list, const char *key)
{
    const struct bootlace_host *host = commands->host;
    const json_t *item;
    size_t i;

    if (!json_is_array(list))
        return host->fail(host, EINVAL, "%s is no list of commands", key);
    if (json_array_size(list) > COMMANDS_MAX)
        return host->fail(host, E2BIG, "%s has more than %d commands", key, COMMANDS_MAX);
    commands->items = text_need(calloc(json_array_size(list) + 1, sizeof *commands->items));
    json_array_foreach(list, i, item)
    {
        struct command *command = &commands->items[commands->count];
        int result = 0;

        if (json_is_null(item))
            continue;
        command->exit_code = NOT_RUN;
        if (json_is_string(item)) {
            text_add_string(&command->text, json_string_value(item));
            make_label(command, i + 1, json_string_value(item), " \t\n;");
        } else if (json_is_array(item))
            result = read_vector(commands, item, command, i + 1);
        else
            result = host->fail(host, EINVAL, "command %zu is neither a text nor a list", i + 1);
        if (result < 0)
            return result;
        commands->count++;
    }
    return 0;
}

/* What the shell reads; codes is the file that gets the exit codes. */
static void make_driver(const struct commands *commands, int codes, struct text *out)
{
    text_add_format(out,
                    "exec 8<&-\n"
                    "_bootlace_last=\n"
                    "_bootlace_ended() {\n"
                    "    _bootlace_code=$?\n"
                    "    if [ \"$_bootlace_last\" != $1 ]; then\n"
                    "        _bootlace_last=$1\n"
                    "        echo \"$1 $_bootlace_code\" >>/proc/%d/fd/%d\n"
                    "        %s\n"
                    "    fi\n"
                    "    case $- in *e*) return 0 ;; esac\n"
                    "    return $_bootlace_code\n"
                    "}\n",
                    (int)getpid(), codes,
                    commands->stop ? "[ $_bootlace_code -eq 0 ] || exit $_bootlace_code" : ":");
    for (size_t i = 0; i < commands->count; i++) {
        char *ended = text_format("\n\n_bootlace_ended %zu", i);
        struct text *text = &commands->items[i].text;

        text_add_string(text, ended);
        text_add_string(out, "command eval ");
        add_quoted(out, text_string(text));
        text_add_format(out, "\n%s\n", ended + 2);
        free(ended);
    }
}

/* Lines "NUMBER CODE", in the order of the numbers; how many commands ended. */
static size_t read_codes(const struct commands *commands, FILE *codes)
{
    char line[LABEL_MAX], *rest;
    size_t ended = 0;

    rewind(codes);
    while (fgets(line, sizeof line, codes)) {
        unsigned long number = strtoul(line, &rest, 10);
        long code = strtol(rest, NULL, 10);

        if (number >= commands->count || code < 0 || code > EXIT_CODE_MAX)
            continue;
        commands->items[number].exit_code = (int)code;
        ended = number + 1;
    }
    return ended;
}

static int show(const struct commands *commands)
{
    for (size_t i = 0; i < commands->count; i++)
        commands->host->log(commands->host, BOOTLACE_INFO, "would run command %s",
                            commands->items[i].label);
    return commands->count != 0;
}

/* The shell went before its last line: by `exit`, `exec`, `set -e`, a signal. */
static void conclude_rest(const struct commands *commands, size_t ended,
                          const struct bootlace_ending *ending, struct outcome *outcome)
{
    const struct bootlace_host *host = commands->host;
    struct command *last = &commands->items[ended];
    size_t rest = commands->count - ended - 1;
    char *why = ending->signal ? text_format("the shell was ended by signal %d (%s)",
                                             ending->signal, strsignal(ending->signal))
                : ending->exit_code
                    ? text_format("ended the shell with exit code %d", ending->exit_code)
                    : text_format("ended the shell");

    last->exit_code = ending->exit_code;
    outcome_item(outcome, host, last->label, ending->signal || ending->exit_code ? -EIO : 1,
                 ending->exit_code, why);
    for (size_t i = ended + 1; i < commands->count; i++)
        host->item(host, commands->items[i].label, "unchanged", -1, "not run");
    if (rest)
        host->log(host, BOOTLACE_WARNING, "command %s %s; %zu after it not run", last->label, why,
                  rest);
    free(why);
}

static int conclude(const struct commands *commands, size_t ended,
                    const struct bootlace_ending *ending)
{
    const struct bootlace_host *host = commands->host;
    struct outcome outcome = {0};
    struct bootlace_ending first = {0};
    bool stopped = commands->stop && ended && commands->items[ended - 1].exit_code != 0;

    for (size_t i = 0; i < ended; i++) {
        int code = commands->items[i].exit_code;
        char why[32];

        snprintf(why, sizeof why, "exit code %d", code);
        outcome_item(&outcome, host, commands->items[i].label, code ? -EIO : 1, code,
                     code ? why : NULL);
        if (code && !first.exit_code)
            first.exit_code = code;
    }
    if (stopped) {
        for (size_t i = ended; i < commands->count; i++)
            host->item(host, commands->items[i].label, "unchanged", -1, "not run");
    } else if (ended < commands->count)
        conclude_rest(commands, ended, ending, &outcome);
    if (!first.exit_code)
        first = *ending;
    host->ended(host, &first);
    if (outcome.failed)
        return host->fail(host, EIO, "%u of %zu commands failed: %s%s", outcome.failed,
                          commands->count, text_string(&outcome.failures),
                          stopped && ended < commands->count ? "; the rest was not run" : "");
    host->note(host, "%u of %zu commands run", outcome.changed, commands->count);
    return 1;
}

static int run_shell(const struct commands *commands)
{
    static const char *const argv[] = {"/bin/sh", "-c", "exec 8<&0 </dev/null; . /dev/fd/8", NULL};
    const struct bootlace_host *host = commands->host;
    struct text driver = {0};
    int fd = memfd_create("exit-codes", MFD_CLOEXEC), result;
    FILE *codes = fd < 0 ? NULL : fdopen(fd, "r");
    struct bootlace_ending ending = {0};
    struct bootlace_program program = {
        .size = sizeof program, .argv = argv, .effect = BOOTLACE_CHANGES};

    if (!codes)
        return host->fail(host, errno, "no file in memory: %s", strerror(errno));
    make_driver(commands, fd, &driver);
    program.input = driver.bytes;
    program.input_size = driver.size;
    result = host->run_program(host, &program, &ending);
    if (result < 0)
        return host->fail(host, -result, "/bin/sh cannot be started: %s", strerror(-result));
    return conclude(commands, read_codes(commands, codes), &ending);
}

int commands_run(const struct bootlace_host *host, const char *input, const char *key)
{
    struct commands commands = {.host = host};
    char *stop_key = text_format("%s_stop_on_error", key);
    struct input given;
    const json_t *list;
    int result = input_read(host, input, &given);

    if (result == 0)
        result = input_flag(host, given.settings, stop_key, &commands.stop);
    if (result < 0)
        return result;
    list = json_object_get(given.settings, key);
    if (list && !json_is_null(list))
        result = read_list(&commands, list, key);
    if (result < 0)
        return result;
    if (!commands.count) {
        host->note(host, "no commands");
        return 0;
    }
    return host->dry_run ? show(&commands) : run_shell(&commands);
}
