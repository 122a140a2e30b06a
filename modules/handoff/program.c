/* Running one program with its parameters; see program.h. */
#include "program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <support/aws_sign.h>
#include <support/dump.h>
#include <support/errand.h>
#include <support/http.h>
#include <support/text.h>
#include <support/tree.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROGRAM_MODE = 0755, FILE_MODE = 0600, FETCH_ATTEMPTS = 5 };

static const char place[] = "{file}"; /* in an argument: where the parameters are */
static const char file_variable[] = "BOOTLACE_PARAMETERS";

/* What a program is started with. */
struct start {
    struct errand errand;
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

static int add_variables(struct start *start, const json_t *object, const char **why)
{
    const char *name;
    json_t *value;
    int result = 0;

    json_object_foreach((json_t *)object, name, value)
    {
        if (result == 0)
            result = errand_variable(&start->errand, name, dump_word(value), why);
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
        return errand_word(&start->errand, text_format("--%s", name), why);
    if (!json_is_array(value))
        return errand_word(&start->errand, text_format("--%s=%s", name, dump_word(value)), why);
    json_array_foreach(value, i, item)
    {
        if (result == 0)
            result =
                errand_word(&start->errand, text_format("--%s=%s", name, dump_word(item)), why);
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
        dump_yaml(&content, job->parameters);
    else
        dump_json(&content, job->parameters);
    result = tree_put(host, start->file, &content, FILE_MODE);
    free(content.bytes);
    if (result < 0)
        *why = text_format("the file of its parameters cannot be written: %s", strerror(-result));
    return result < 0 ? result : errand_variable(&start->errand, file_variable, start->file, why);
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
        dump_json(&start->errand.input, job->parameters);
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
    int result = errand_word(&start->errand, job->program, why);

    if (result == 0)
        result = add_variables(start, job->environment, why);
    if (result == 0 && (job->pass == JOB_JSON_FILE || job->pass == JOB_YAML_FILE))
        result = pass_parameters(host, job, start, why);
    json_array_foreach(job->args, i, argument)
    {
        if (result == 0)
            result = errand_word(&start->errand, with_file(dump_word(argument), start->file), why);
    }
    if (result == 0 && job->pass != JOB_JSON_FILE && job->pass != JOB_YAML_FILE)
        result = pass_parameters(host, job, start, why);
    return result;
}

int program_hand_over(const struct bootlace_host *host, const struct job *job, int *code,
                      const char **why)
{
    static struct start start;
    int result = 0;

    start = (struct start){.errand = {.folder = job->folder,
                                      .time_limit = job->time_limit,
                                      .codes = job->codes,
                                      .code_count = job->code_count}};
    *code = -1;
    if (job->uri)
        result = fetch(host, job, why);
    if (result == 0)
        result = make_start(host, job, &start, why);
    if (result == 0) {
        result = errand_run(host, &start.errand, code, why);
        if (result == -ENOENT)
            *why = text_format("%s: packages can bring it, or source", *why);
    }
    if (start.file && !job->file)
        tree_remove(host, start.file);
    free(start.errand.input.bytes);
    return result;
}
