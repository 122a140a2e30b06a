/* Reading an item of the list; see job.h. */
#include "job.h"

#include <errno.h>
#include <string.h>
#include <support/input.h>
#include <support/text.h>

enum { DIGITS_OF_SHA256 = 64 };

static int refuse(const char **why, const char *words)
{
    *why = words;
    return -EINVAL;
}

static int read_pass(const json_t *item, struct job *job, const char **why)
{
    static const char *const names[] = {[JOB_ARGUMENTS] = "arguments",
                                        [JOB_ENVIRONMENT] = "environment",
                                        [JOB_STDIN] = "stdin",
                                        [JOB_JSON_FILE] = "json-file",
                                        [JOB_YAML_FILE] = "yaml-file"};
    const char *text = json_string_value(json_object_get(item, "pass"));

    job->pass = JOB_JSON_FILE;
    for (size_t i = 0; text && i < sizeof names / sizeof *names; i++) {
        if (strcmp(text, names[i]) == 0) {
            job->pass = (enum job_pass)i;
            return 0;
        }
    }
    return text ? refuse(why, "pass is none of arguments, environment, stdin, json-file and "
                              "yaml-file")
                : 0;
}

/* A code, or a list of codes; 0 where nothing is said. */
static int read_codes(const json_t *item, struct job *job, const char **why)
{
    const json_t *given = json_object_get(item, "success"), *code;
    size_t i;

    job->code_count = 1;
    if (json_is_integer(given))
        job->codes[0] = (int)json_integer_value(given);
    if (!json_is_array(given))
        return 0;
    if (!json_array_size(given) || json_array_size(given) > JOB_CODES_MAX)
        return refuse(why, "success has no exit code, or more than 16");
    job->code_count = json_array_size(given);
    json_array_foreach(given, i, code) job->codes[i] = (int)json_integer_value(code);
    return 0;
}

static int read_source(const json_t *item, struct job *job, const char **why)
{
    const json_t *source = json_object_get(item, "source");
    static const char prefix[] = "sha256:";

    if (!source || json_is_null(source))
        return 0;
    job->uri = json_string_value(json_object_get(source, "uri"));
    job->checksum = json_string_value(json_object_get(source, "checksum"));
    if (!job->uri || !job->checksum)
        return refuse(why, "source wants a uri and a checksum");
    if (strncmp(job->checksum, prefix, strlen(prefix)) == 0)
        job->checksum += strlen(prefix);
    if (strlen(job->checksum) != DIGITS_OF_SHA256 ||
        strspn(job->checksum, "0123456789abcdefABCDEF") != DIGITS_OF_SHA256)
        return refuse(why, "source.checksum is no SHA-256: sha256: and 64 hexadecimal digits");
    if (*job->program != '/')
        return refuse(why, "a program that is fetched is named by the path where it will be");
    return 0;
}

int job_read(const struct bootlace_host *host, const json_t *item, struct job *job,
             const char **why)
{
    const json_t *limit = json_object_get(item, "time_limit");

    *job = (struct job){.args = json_object_get(item, "args"),
                        .parameters = json_object_get(item, "parameters"),
                        .environment = json_object_get(item, "environment")};
    *why = "its settings are none";
    if (input_text(host, item, "program", &job->program) < 0 ||
        input_text(host, item, "name", &job->name) < 0 ||
        input_text(host, item, "folder", &job->folder) < 0 ||
        input_text(host, item, "file", &job->file) < 0)
        return -EINVAL;
    if (!job->program || !*job->program)
        return refuse(why, "program is missing");
    if (!job->name)
        job->name = job->program;
    if (json_array_size(job->args) > JOB_ARGUMENTS_MAX)
        return refuse(why, "args has more than 1000 items");
    if ((job->folder && *job->folder != '/') || (job->file && *job->file != '/'))
        return refuse(why, "folder and file are absolute paths");
    if (limit && (!json_is_integer(limit) || json_integer_value(limit) < 0 ||
                  json_integer_value(limit) > JOB_LIMIT_MAX_S))
        return refuse(why, "time_limit is no number of seconds");
    job->time_limit = (unsigned)json_integer_value(limit);
    if (read_pass(item, job, why) < 0 || read_codes(item, job, why) < 0)
        return -EINVAL;
    return read_source(item, job, why);
}
