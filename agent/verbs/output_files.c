/* The key `output`: files that the steps' output goes to as well; see output_files.h. */
#include "verbs/output_files.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"

#include <errno.h>

static const char *const stage_names[OUTPUT_STAGES] = {"init", "config", "final"};

static void warn(json_t *config, const char *stage, struct positions *positions,
                 struct problems *problems, const char *what)
{
    AUTO_FREE char *key = memory_format("output.%s", stage);
    struct error warning = ERROR_INIT;
    struct position place = {0};

    positions_member(positions, json_object_get(config, "output"), stage, NULL, &place);
    error_set(&warning, ERROR_INPUT, "%s: %s", key, what);
    error_hint(&warning, "known are \"> FILE\", \">> FILE\" and \"| tee -a FILE\"; all output is "
                         "in the agent's own log in any case");
    error_at(&warning, place.where, place.line, place.column);
    problems_add_about(problems, true, key, &warning);
}

/* The word behind this one, where the text begins with it; or NULL. */
static const char *behind_word(const char *text, const char *word)
{
    size_t length = strlen(word);

    if (strncmp(text, word, length) != 0 || !strchr(" \t", text[length]))
        return NULL;
    text += length;
    return text + strspn(text, " \t");
}

/* The file of a `tee`, or NULL where the program is another. */
static const char *file_of_tee(const char *program, bool *anew)
{
    const char *rest = behind_word(program, "tee"), *option;

    *anew = true;
    if (!rest)
        return NULL;
    option = behind_word(rest, "-a");
    option = option ? option : behind_word(rest, "--append");
    *anew = !option;
    return option ? option : rest;
}

/* What a text says; false where it is not understood. */
static bool read_text(const char *text, struct output_file *file)
{
    bool anew = false;
    size_t length;

    text += strspn(text, " \t");
    if (*text == '|') {
        text++;
        text = file_of_tee(text + strspn(text, " \t"), &anew);
    } else if (*text == '>') {
        anew = text[1] != '>';
        text += anew ? 1 : 2;
    }
    if (!text)
        return false;
    text += strspn(text, " \t");
    length = strcspn(text, " \t\r\n;|&<>$`\"'\\");
    if (*text != '/' || text[length + strspn(text + length, " \t\r\n")])
        return false;
    free(file->path);
    file->path = memory_copy_bytes(text, length);
    file->anew = anew;
    return true;
}

/* The output's and the error output's form of a stage's value. */
static void take_forms(const json_t *value, const char **output, const char **error)
{
    *output = json_string_value(value);
    *error = NULL;
    if (json_is_array(value)) {
        *output = json_string_value(json_array_get(value, 0));
        *error = json_string_value(json_array_get(value, 1));
    } else if (json_is_object(value)) {
        *output = json_text_of(value, "output", NULL);
        *error = json_text_of(value, "error", NULL);
    }
}

static void read_stage(struct output_file *file, json_t *config, const char *name,
                       struct positions *positions, struct problems *problems)
{
    const json_t *value = json_object_get(json_object_get(config, "output"), name);
    const char *output, *error;

    if (!value || json_is_null(value))
        return;
    take_forms(value, &output, &error);
    if (output && !read_text(output, file))
        warn(config, name, positions, problems, "this way of output is not known here");
    if (error && strcmp(error, "&1") != 0 && (!output || strcmp(error, output) != 0))
        warn(config, name, positions, problems,
             "what a step prints as errors goes where its other output goes");
}

void output_files_read(struct output_files *files, json_t *config, struct positions *positions,
                       struct problems *problems)
{
    struct output_file all = {0};

    read_stage(&all, config, "all", positions, problems);
    for (size_t i = 0; i < OUTPUT_STAGES; i++) {
        struct output_file *file = &files->stages[i];

        *file = (struct output_file){.fd = -1, .anew = all.anew};
        if (all.path)
            file->path = memory_copy_string(all.path);
        read_stage(file, config, stage_names[i], positions, problems);
    }
    free(all.path);
}

static size_t stage_of(const struct step *step)
{
    int order = step->module->order;

    return order < OUTPUT_CONFIG_ORDER ? 0 : order < OUTPUT_FINAL_ORDER ? 1 : 2;
}

/* Several stages may have the same file: then it is one, and begun anew once. */
static int open_stage(struct output_files *files, size_t stage)
{
    struct output_file *file = &files->stages[stage];

    for (size_t i = 0; i < stage; i++) {
        if (files->stages[i].path && strcmp(files->stages[i].path, file->path) == 0)
            return files->stages[i].fd;
    }
    file->fd = log_open_file(file->path);
    if (file->fd < 0)
        log_line(LOG_LEVEL_WARNING, "output: %s cannot be written: %s", file->path,
                 strerror(errno));
    else if (file->anew && ftruncate(file->fd, 0) < 0)
        log_line(LOG_LEVEL_DEBUG, "output: %s cannot be begun anew", file->path);
    return file->fd;
}

void output_files_open(struct output_files *files, struct steps *steps)
{
    int fds[OUTPUT_STAGES];

    for (size_t i = 0; i < OUTPUT_STAGES; i++)
        fds[i] = files->stages[i].path ? open_stage(files, i) : -1;
    for (size_t i = 0; i < steps->count; i++)
        steps->items[i].copy_fd = fds[stage_of(&steps->items[i])];
}

void output_files_clear(struct output_files *files)
{
    for (size_t i = 0; i < OUTPUT_STAGES; i++) {
        struct output_file *file = &files->stages[i];

        if (file->path && file->fd >= 0)
            close(file->fd);
        free(file->path);
        *file = (struct output_file){.fd = -1};
    }
}
