/* Running one program with its parameters; see program.h. */
#include "program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <support/aws_sign.h>
#include <support/http.h>
#include <support/text.h>
#include <support/tree.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "parameters.h"

enum {
    PROGRAM_MODE = 0755,
    FILE_MODE = 0600,
    FETCH_ATTEMPTS = 5,
    WORDS_MAX = 4 * JOB_ARGUMENTS_MAX,
    NS_PER_S = 1000000000
};

static const char place[] = "{file}"; /* in an argument: where the parameters are */
static const char file_variable[] = "BOOTLACE_PARAMETERS";

/* What a program is started with. */
struct start {
    const char *argv[WORDS_MAX + 1];
    size_t words;
    const char *variables[WORDS_MAX + 1];
    size_t variable_count;
    struct text input;
    const char *file; /* of the parameters, or NULL */
};

static bool is_sum(const struct text *content, const char *checksum)
{
    char hex[AWS_SHA256_HEX];

    aws_sha256(text_string(content), content->size, hex);
    return strcasecmp(hex, checksum) == 0;
}

/* The program is there with its checksum, or is fetched: 0, or a negative errno and *why. */
static int fetch(const struct bootlace_host *host, const struct job *job, const char **why)
{
    const struct http_request request = {
        .url = job->uri, .body_max = PROGRAM_FETCH_MAX, .redirects = 5, .attempts = FETCH_ATTEMPTS};
    struct http_answer answer = {0};
    struct text there = {0};
    struct http *http;
    int result;

    if (tree_read(host, job->program, &there, NULL) == 0 && is_sum(&there, job->checksum))
        return 0;
    if (host->dry_run) {
        host->log(host, BOOTLACE_INFO, "would fetch %s", job->program);
        return 0;
    }
    http = http_new();
    result = http_fetch(http, &request, &answer);
    if (result < 0)
        *why = text_format("it cannot be fetched: %s", answer.why);
    else if (!is_sum(&answer.body, job->checksum)) {
        *why = "what was fetched is not what its checksum says; nothing of it was kept";
        result = -EBADMSG;
    } else {
        result = tree_put(host, job->program, &answer.body, PROGRAM_MODE);
        if (result < 0)
            *why = text_format("it cannot be written: %s", strerror(-result));
    }
    http_answer_clear(&answer);
    http_free(http);
    return result < 0 ? result : 0;
}

static int add_word(struct start *start, const char *word, const char **why)
{
    if (start->words == WORDS_MAX) {
        *why = "it gets too many arguments";
        return -E2BIG;
    }
    start->argv[start->words++] = word;
    return 0;
}

static int add_variable(struct start *start, const char *name, const json_t *value,
                        const char **why)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

    if (!*name || strspn(name, letters) != strlen(name) || strspn(name, "0123456789")) {
        *why = "a variable's name has letters, digits and '_' alone";
        return -EINVAL;
    }
    if (start->variable_count == WORDS_MAX) {
        *why = "it gets too many variables";
        return -E2BIG;
    }
    start->variables[start->variable_count++] = text_format("%s=%s", name, parameters_word(value));
    return 0;
}

static int add_variables(struct start *start, const json_t *object, const char **why)
{
    const char *name;
    json_t *value;
    int result = 0;

    json_object_foreach((json_t *)object, name, value)
    {
        result = result < 0 ? result : add_variable(start, name, value, why);
    }
    return result;
}

/* --name=value; a list's items one by one, true as --name alone, and nothing for false and null. */
static int add_argument(struct start *start, const char *name, const json_t *value,
                        const char **why)
{
    const json_t *item;
    size_t i;
    int result = 0;

    if (json_is_false(value) || json_is_null(value))
        return 0;
    if (json_is_true(value))
        return add_word(start, text_format("--%s", name), why);
    if (!json_is_array(value))
        return add_word(start, text_format("--%s=%s", name, parameters_word(value)), why);
    json_array_foreach(value, i, item)
    {
        if (result == 0)
            result = add_word(start, text_format("--%s=%s", name, parameters_word(item)), why);
    }
    return result;
}

static int put_file(const struct bootlace_host *host, const struct job *job, struct start *start,
                    const char **why)
{
    struct text content = {0};
    int result;

    start->file = job->file ? job->file
                            : text_format("/tmp/bootlace-parameters-%d.%s", (int)getpid(),
                                          job->pass == JOB_YAML_FILE ? "yaml" : "json");
    if (job->pass == JOB_YAML_FILE)
        parameters_add_yaml(&content, job->parameters);
    else
        parameters_add_json(&content, job->parameters);
    result = tree_put(host, start->file, &content, FILE_MODE);
    free(content.bytes);
    if (result < 0)
        *why = text_format("the file of its parameters cannot be written: %s", strerror(-result));
    start->variables[start->variable_count++] = text_format("%s=%s", file_variable, start->file);
    return result < 0 ? result : 0;
}

/* Gives the parameters as the settings say. */
static int pass_parameters(const struct bootlace_host *host, const struct job *job,
                           struct start *start, const char **why)
{
    const char *name;
    json_t *value;
    int result = 0;

    if (!job->parameters)
        return 0;
    switch (job->pass) {
    case JOB_ARGUMENTS:
        json_object_foreach((json_t *)job->parameters, name, value)
        {
            result = result < 0 ? result : add_argument(start, name, value, why);
        }
        return result;
    case JOB_ENVIRONMENT:
        return add_variables(start, job->parameters, why);
    case JOB_STDIN:
        parameters_add_json(&start->input, job->parameters);
        return 0;
    case JOB_JSON_FILE:
    case JOB_YAML_FILE:
        break;
    }
    return put_file(host, job, start, why);
}

/* The argument with the file's path in the place of {file}. */
static const char *with_file(const char *argument, const char *file)
{
    const char *at = file ? strstr(argument, place) : NULL;

    return at ? text_format("%.*s%s%s", (int)(at - argument), argument, file, at + strlen(place))
              : argument;
}

static int make_start(const struct bootlace_host *host, const struct job *job, struct start *start,
                      const char **why)
{
    const json_t *argument;
    size_t i;
    int result = add_word(start, job->program, why);

    if (result == 0)
        result = add_variables(start, job->environment, why);
    if (result == 0 && (job->pass == JOB_JSON_FILE || job->pass == JOB_YAML_FILE))
        result = pass_parameters(host, job, start, why);
    json_array_foreach(job->args, i, argument)
    {
        if (result == 0)
            result = add_word(start, with_file(parameters_word(argument), start->file), why);
    }
    if (result == 0 && job->pass != JOB_JSON_FILE && job->pass != JOB_YAML_FILE)
        result = pass_parameters(host, job, start, why);
    return result;
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / NS_PER_S;
}

static int judge(const struct job *job, const struct bootlace_ending *ending, double seconds,
                 const char **why)
{
    if (ending->timed_out) {
        *why = text_format("it took longer than %u s and was ended", job->time_limit);
        return -ETIMEDOUT;
    }
    if (ending->signal)
        *why = text_format("signal %d ended it after %.1f s", ending->signal, seconds);
    else
        *why = text_format("exit code %d after %.1f s", ending->exit_code, seconds);
    return !ending->signal && job_is_well(job, ending->exit_code) ? 1 : -EIO;
}

static int run(const struct bootlace_host *host, const struct job *job, const struct start *start,
               int *code, const char **why)
{
    const struct bootlace_program program = {.size = sizeof program,
                                             .argv = start->argv,
                                             .environ_add = start->variables,
                                             .folder = job->folder,
                                             .input = text_string(&start->input),
                                             .input_size = start->input.size,
                                             .effect = BOOTLACE_CHANGES,
                                             .time_limit = job->time_limit};
    struct bootlace_ending ending;
    double began = now();
    int result = host->run_program(host, &program, &ending);

    if (result == -ENOENT)
        *why = text_format("%s is not installed: packages can bring it, or source", job->program);
    else if (result < 0)
        *why = text_format("%s cannot be started: %s", job->program, strerror(-result));
    if (result < 0 || host->dry_run)
        return result < 0 ? result : 1;
    *code = ending.exit_code;
    result = judge(job, &ending, now() - began, why);
    if (result < 0)
        host->ended(host, &ending);
    return result;
}

int program_hand_over(const struct bootlace_host *host, const struct job *job, int *code,
                      const char **why)
{
    static struct start start;
    int result = 0;

    start = (struct start){.words = 0};
    *code = -1;
    if (job->uri)
        result = fetch(host, job, why);
    if (result == 0)
        result = make_start(host, job, &start, why);
    if (result == 0)
        result = run(host, job, &start, code, why);
    if (start.file && !job->file)
        tree_remove(host, start.file);
    free(start.input.bytes);
    return result;
}
