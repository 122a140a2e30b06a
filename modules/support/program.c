/* Programs that a module runs; see program.h. */
#include <support/program.h>

#include <errno.h>
#include <string.h>

static int change(const struct bootlace_host *host, const char *const *argv,
                  const struct text *input, unsigned limit_s, bool outside, const char **why)
{
    const struct bootlace_program program = {.size = sizeof program,
                                             .argv = argv,
                                             .input = input ? text_string(input) : NULL,
                                             .input_size = input ? input->size : 0,
                                             .effect = BOOTLACE_CHANGES,
                                             .time_limit = limit_s,
                                             .outside = outside};
    struct bootlace_ending ending;
    int result = host->run_program(host, &program, &ending);

    if (result < 0) {
        *why = text_format("%s cannot be started: %s", *argv, strerror(-result));
        return result;
    }
    if (ending.timed_out) {
        *why = text_format("%s took longer than %u s and was ended", *argv, limit_s);
        return -ETIMEDOUT;
    }
    if (ending.exit_code == 0)
        return 0;
    *why = text_format("%s ended with %s %d", *argv, ending.signal ? "signal" : "exit code",
                       ending.signal ? ending.signal : ending.exit_code);
    return -EIO;
}

static int ask(const struct bootlace_host *host, const char *const *argv, unsigned limit_s,
               bool outside, struct text *out)
{
    struct bootlace_program program = {.size = sizeof program,
                                       .argv = argv,
                                       .effect = BOOTLACE_READS,
                                       .time_limit = limit_s,
                                       .capture_size = PROGRAM_OUTPUT_MAX,
                                       .outside = outside};
    struct bootlace_ending ending;
    int result;

    program.capture = text_room(out, PROGRAM_OUTPUT_MAX);
    *program.capture = '\0';
    result = host->run_program(host, &program, &ending);
    out->size += strlen(program.capture);
    if (result < 0)
        return result;
    if (ending.timed_out)
        return -ETIMEDOUT;
    return ending.exit_code < 0 ? -EIO : ending.exit_code;
}

int program_change(const struct bootlace_host *host, const char *const *argv,
                   const struct text *input, unsigned limit_s, const char **why)
{
    return change(host, argv, input, limit_s, false, why);
}

int program_change_outside(const struct bootlace_host *host, const char *const *argv,
                           const struct text *input, unsigned limit_s, const char **why)
{
    return change(host, argv, input, limit_s, true, why);
}

int program_ask(const struct bootlace_host *host, const char *const *argv, unsigned limit_s,
                struct text *out)
{
    return ask(host, argv, limit_s, false, out);
}

int program_ask_outside(const struct bootlace_host *host, const char *const *argv, unsigned limit_s,
                        struct text *out)
{
    return ask(host, argv, limit_s, true, out);
}
