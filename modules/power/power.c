/*
 * power: restarts the machine, switches it off or halts it, as the last step of all, by
 * shutdown(8).
 *
 * shutdown only asks: what it asks for comes to the agent as a signal, and by then this step, which
 * is the last one, is over and recorded.
 */
#include <bootlace/module.h>
#include <errno.h>
#include <string.h>
#include <support/input.h>
#include <support/text.h>

#include <power.schema.h>

enum { CONDITION_LIMIT_S = 300, ASK_LIMIT_S = 60 };

struct power {
    const char *mode;
    const char *delay;
    const char *message;
    const json_t *condition;
};

/* The option of shutdown(8) for a mode; NULL: there is no such mode. */
static const char *option_of(const char *mode)
{
    static const struct text_word options[] = {
        {"reboot", "-r"}, {"poweroff", "-P"}, {"halt", "-H"}, {NULL, NULL}};
    const struct text_word *word = options;

    while (word->name && strcmp(word->name, mode) != 0)
        word++;
    return word->value;
}

/* Minutes, with or without a plus; what is none, the schema has refused. */
static const char *when(const json_t *delay)
{
    const char *text = json_string_value(delay);

    if (json_is_integer(delay))
        return json_integer_value(delay)
                   ? text_format("+%lld", (long long)json_integer_value(delay))
                   : "now";
    if (!text || strcmp(text, "now") == 0)
        return "now";
    text += *text == '+';
    return text[strspn(text, "0")] ? text_format("+%s", text) : "now";
}

static int read_settings(const struct bootlace_host *host, const char *text, struct power *power)
{
    struct input given;
    const json_t *settings;
    int result = input_read(host, text, &given);

    if (result < 0)
        return result;
    settings = json_object_get(given.settings, "power_state");
    power->delay = when(json_object_get(settings, "delay"));
    power->condition = json_object_get(settings, "condition");
    result = input_text(host, settings, "mode", &power->mode);
    if (result == 0)
        result = input_text(host, settings, "message", &power->message);
    if (result < 0)
        return result;
    if (!power->mode || !option_of(power->mode))
        return host->fail(host, EINVAL, "power_state.mode is neither reboot, poweroff nor halt");
    return 0;
}

/* The words of a condition that is a command. */
static const char *const *condition_words(const json_t *condition)
{
    size_t count = json_array_size(condition);
    const char **words = text_need(calloc(count + 4, sizeof *words));

    if (json_is_string(condition)) {
        words[0] = "/bin/sh";
        words[1] = "-c";
        words[2] = json_string_value(condition);
    }
    for (size_t i = 0; i < count; i++)
        words[i] = json_string_value(json_array_get(condition, i));
    return words;
}

/* Whether the condition holds: 1, 0, or negative where it cannot be told. */
static int holds(const struct bootlace_host *host, const json_t *condition)
{
    struct bootlace_program program = {
        .size = sizeof program, .effect = BOOTLACE_CHANGES, .time_limit = CONDITION_LIMIT_S};
    struct bootlace_ending ending;
    int result;

    if (!condition || json_is_null(condition) || json_is_boolean(condition))
        return !json_is_false(condition);
    program.argv = condition_words(condition);
    if (!program.argv[0])
        return host->fail(host, EINVAL, "power_state.condition is no command");
    result = host->run_program(host, &program, &ending);
    if (result < 0)
        return host->fail(host, -result, "power_state.condition cannot be run: %s",
                          strerror(-result));
    if (ending.timed_out)
        return host->fail(host, ETIMEDOUT, "power_state.condition took longer than %d s",
                          CONDITION_LIMIT_S);
    return ending.exit_code == 0;
}

static int shut_down(const struct bootlace_host *host, const struct power *power)
{
    const char *const argv[] = {"shutdown", option_of(power->mode), power->delay, power->message,
                                NULL};
    struct bootlace_program program = {.size = sizeof program,
                                       .argv = argv,
                                       .effect = BOOTLACE_CHANGES,
                                       .time_limit = ASK_LIMIT_S};
    struct bootlace_ending ending;
    int result = host->run_program(host, &program, &ending);

    if (result < 0)
        return host->fail(host, -result, "shutdown cannot be run: %s", strerror(-result));
    if (ending.exit_code != 0) {
        host->ended(host, &ending);
        return host->fail(host, EIO, "shutdown refused: it ended with exit code %d",
                          ending.exit_code);
    }
    host->note(host, "%s: %s", power->mode, power->delay);
    return 1;
}

static int run(const struct bootlace_host *host, const char *input)
{
    struct power power = {0};
    int result = read_settings(host, input, &power);

    if (result == 0)
        result = holds(host, power.condition);
    if (result < 0)
        return result;
    if (result == 0) {
        host->note(host, "the condition does not hold: the machine stays as it is");
        return 0;
    }
    return shut_down(host, &power);
}

static const char *const keys[] = {"power_state", NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "power",
    .version = BOOTLACE_VERSION,
    .summary = "restarts the machine or switches it off when all is done",
    .keys = keys,
    .schema = schema,
    .frequency = BOOTLACE_PER_INSTANCE,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 1000,
    .run = run,
};
