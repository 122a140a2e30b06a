/* The parts of a launch's user-data, and the cloud-config of them; see parts.h. */
#include "verbs/parts.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "classify/blocks.h"
#include "classify/classify.h"
#include "config/merge.h"
#include "config/patch.h"
#include "config/template.h"
#include "config/yaml.h"
#include "verbs/variables.h"

#include <strings.h>

static const char label[] = "user-data";
static const char type_template[] = "text/jinja2";
static const char type_patch[] = "text/cloud-config-jsonp";
static const char patch_word[] = "#cloud-config-jsonp";

struct reading {
    const struct parts_setup *setup;
    struct parts_result *result;
    struct problems *problems;
    struct merge_waiting waiting; /* of the config, until it is settled */
    bool asked;                   /* for the launch index */
    int64_t launch_index;
    bool rendered;          /* what is read now came out of a template, and is none itself */
    const char *merge_type; /* of that template */
};

/* Moves a part to the end of another list. */
static void move_part(struct part *part, struct parts *to)
{
    struct part *copy = parts_add(to, "", part->type);

    free(copy->name);
    *copy = *part;
    *part = (struct part){0};
}

int parts_render(const char *text, size_t size, const struct parts_setup *setup, struct buffer *out,
                 struct error *error)
{
    AUTO_JSON json_t *names = NULL;
    AUTO_JSON json_t *variables = NULL;

    if (template_names(text, size, &names, error) < 0)
        return -1;
    variables = variables_make(names, setup, error);
    if (!variables)
        return -1;
    return template_render(text, size, variables, out, error);
}

static int read_bytes(struct reading *reading, const char *bytes, size_t size, const char *name,
                      struct error *error);

/* A template is rendered whole, and what comes out is read as if it had been given. */
static int read_template(struct reading *reading, const struct part *part, struct error *error)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(TEMPLATE_OUTPUT_MAX);
    struct error problem = ERROR_INIT;
    int result;

    if (reading->setup->templated) {
        error_set(&problem, ERROR_INPUT,
                  "a template is left for the launch: it speaks of the "
                  "instance");
        error_at(&problem, part->name, part->line, 0);
        problems_add_warning(reading->problems, &problem);
        return 0;
    }
    if (reading->rendered)
        error_set(&problem, ERROR_INPUT, "a template came out of a template");
    if (reading->rendered ||
        parts_render(part->bytes, part->size, reading->setup, &text, &problem) < 0) {
        if (problem.kind == ERROR_SOURCE || problem.kind == ERROR_INTERNAL) {
            *error = problem;
            return -1;
        }
        error_at(&problem, part->name, problem.line ? problem.line + part->line - 1 : part->line,
                 problem.column);
        problems_add_error(reading->problems, &problem);
        return 0;
    }
    reading->rendered = true;
    reading->merge_type = part->merge_type;
    result = read_bytes(reading, buffer_text(&text), text.size, part->name, error);
    reading->rendered = false;
    reading->merge_type = NULL;
    return result;
}

/* Merges a part of cloud-config over those before it. */
static int merge_part(struct reading *reading, const struct part *part, struct error *error)
{
    struct positions *positions = &reading->result->positions;
    AUTO_JSON json_t *config =
        yaml_parse_placed(part->bytes, part->size, part->name, positions, error);
    struct merge_rules rules = {0};

    if (!config)
        return -1;
    if (json_is_null(config))
        return 0;
    if (!json_is_object(config)) {
        error_set(error, ERROR_INPUT, "a cloud-config is a mapping of keys");
        return error_at(error, part->name, part->line, 0);
    }
    if (merge_rules_of_part(&rules, config, part->merge_type, positions, reading->problems, error) <
        0)
        return -1;
    return merge_over(&rules, reading->result->config, config, &reading->waiting, positions, error);
}

/* A JSON Patch of the cloud-config of the parts before it. */
static int patch_part(struct reading *reading, const struct part *part, struct error *error)
{
    struct positions *positions = &reading->result->positions;
    AUTO_FREE char *text = memory_copy_bytes(part->bytes, part->size);
    AUTO_JSON json_t *patch = NULL;
    size_t word = strspn(text, " \t\r\n");

    merge_settle(&reading->waiting, positions);
    /* The word may stand before the patch on its line. */
    if (strncasecmp(text + word, patch_word, strlen(patch_word)) == 0)
        memset(text + word, ' ', strlen(patch_word));
    patch = yaml_parse_placed(text, part->size, part->name, positions, error);
    if (!patch || patch_apply(&reading->result->config, patch, positions, error) < 0)
        return -1;
    positions_keep(positions, json_incref(patch));
    return 0;
}

static void take_part(struct reading *reading, struct part *part)
{
    struct error problem = ERROR_INIT;
    bool is_patch = strcmp(part->type, type_patch) == 0;

    if (is_patch || strcmp(part->type, TYPE_CLOUD_CONFIG) == 0) {
        part->merged = true;
        if ((is_patch ? patch_part : merge_part)(reading, part, &problem) < 0) {
            if (!*problem.where)
                error_at(&problem, part->name, problem.line, problem.column);
            problems_add_error(reading->problems, &problem);
        }
    }
    move_part(part, &reading->result->parts);
}

/* The instance's place in its launch is asked for once, and only where a part speaks of it. */
static int launch_index_of(void *context, int64_t *index, struct error *error)
{
    AUTO_BUFFER struct buffer value = BUFFER_INIT(64);
    struct reading *reading = context;
    const struct parts_setup *setup = reading->setup;
    long long number;
    int got = 0;
    char *end;

    if (!reading->asked)
        got = setup->item(setup->context, "ami-launch-index", &value, error);
    if (got < 0)
        return -1;
    number = strtoll(buffer_text(&value), &end, 10);
    if (got > 0 && !*end && number >= 0)
        reading->launch_index = number;
    reading->asked = true;
    *index = reading->launch_index;
    return 0;
}

static int read_bytes(struct reading *reading, const char *bytes, size_t size, const char *name,
                      struct error *error)
{
    const struct decode_setup decode = {.sniff = classify_prefix,
                                        .known = blocks_present,
                                        .yaml = yaml_parse,
                                        .fetch = reading->setup->fetch,
                                        .fetch_once = reading->setup->fetch_once,
                                        .context = reading->setup->fetch_context,
                                        .index = launch_index_of,
                                        .index_context = reading};
    AUTO_PARTS struct parts decoded = {0};

    if (decode_user_data(bytes, size, name, &decode, &decoded, reading->problems, error) < 0)
        return -1;
    for (size_t i = 0; i < decoded.count; i++) {
        struct part *part = &decoded.items[i];
        struct error problem = ERROR_INIT;

        if (reading->merge_type && !part->merge_type)
            part->merge_type = memory_copy_string(reading->merge_type);
        if (part->type && strcmp(part->type, type_template) == 0) {
            if (read_template(reading, part, error) < 0)
                return -1;
        } else if (part->type) {
            take_part(reading, part);
        } else if (classify_text(part->bytes, part->size, part->name, part->line,
                                 &reading->result->parts, reading->problems, &problem) < 0) {
            problems_add_error(reading->problems, &problem);
        }
    }
    return 0;
}

int parts_read(const char *bytes, size_t size, const struct parts_setup *setup,
               struct parts_result *result, struct problems *problems, struct error *error)
{
    struct reading reading = {
        .setup = setup, .result = result, .problems = problems, .launch_index = -1};
    int got;

    if (!result->config)
        result->config = memory_need(json_object());
    got = read_bytes(&reading, bytes, size, setup->label ? setup->label : label, error);
    merge_settle(&reading.waiting, &result->positions);
    return got;
}

void parts_result_clear(struct parts_result *result)
{
    parts_clear(&result->parts);
    json_decref(result->config);
    positions_clear(&result->positions);
    *result = (struct parts_result){0};
}
