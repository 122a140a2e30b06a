/* Sources: the table, and the choice from it. */
#include "source/source.h"

#include "base/banned.h"
#include "base/memory.h"

enum { WHY_MAX = 256, REASONS_MAX = 640 };

const struct source_type *const source_types[] = {&source_seed, &source_ec2, NULL};

/* By name; also those that only a command line names. */
static const struct source_type *find_type(const char *name)
{
    for (size_t i = 0; source_types[i]; i++) {
        if (strcmp(source_types[i]->name, name) == 0)
            return source_types[i];
    }
    return strcmp(source_file.name, name) == 0 ? &source_file : NULL;
}

static int refuse_name(const char *name, enum error_kind kind, struct error *error)
{
    AUTO_BUFFER struct buffer names = BUFFER_INIT(WHY_MAX);

    for (size_t i = 0; source_types[i]; i++)
        buffer_format(&names, "%s%s", i ? ", " : "", source_types[i]->name);
    error_set(error, kind, "there is no source \"%.32s\"", name);
    return error_hint(error, "the sources are: %s", buffer_text(&names));
}

/* Opens it if it is here: 1, or 0 and its reason added, or -1. */
static int try_type(const struct source_type *type, const struct settings *settings,
                    bool explicitly, struct source *source, struct buffer *reasons,
                    struct error *error)
{
    char why[WHY_MAX] = "";

    if (!type->detect(settings, explicitly, why, sizeof why)) {
        buffer_format(reasons, "%s%s: %s", reasons->size ? "; " : "", type->name, why);
        return 0;
    }
    if (type->open(settings, &source->state, error) < 0)
        return -1;
    source->type = type;
    return 1;
}

int source_open(struct source *source, const struct settings *settings, const char *only,
                struct error *error)
{
    AUTO_BUFFER struct buffer reasons = BUFFER_INIT(REASONS_MAX);
    size_t count = only ? 1 : settings->source_count;
    int opened = 0;

    *source = (struct source){.type = NULL};
    for (size_t i = 0; i < count && !opened; i++) {
        const char *name = only ? only : settings->sources[i];
        const struct source_type *type = find_type(name);

        if (!type)
            return refuse_name(name, only ? ERROR_USAGE : ERROR_INPUT, error);
        opened = try_type(type, settings, only || settings->sources_given, source, &reasons, error);
    }
    if (opened)
        return opened < 0 ? -1 : 0;
    error_set(error, ERROR_SOURCE, "no source of user-data here: %s",
              reasons.size ? reasons.bytes : "none is configured");
    return error_hint(error, "name one by --source or in bootlace.sources, or give a file by "
                             "--user-data");
}

int source_identify(struct source *source, char id[SOURCE_ID_MAX + 1], struct error *error)
{
    return source->type->identify(source->state, id, error);
}

int source_user_data(struct source *source, struct buffer *out, struct error *error)
{
    return source->type->user_data(source->state, out, error);
}

int source_item(struct source *source, const char *path, struct buffer *out, struct error *error)
{
    return source->type->item(source->state, path, out, error);
}

void source_known(struct source *source,
                  void (*tell)(const char *path, const char *value, void *context), void *context)
{
    if (source->type->known)
        source->type->known(source->state, tell, context);
}

void source_hurry(struct source *source)
{
    if (source->type && source->type->hurry)
        source->type->hurry(source->state);
}

void source_finish(struct source *source)
{
    if (source->type && source->type->finish)
        source->type->finish(source->state);
}

void source_close(struct source *source)
{
    if (source->type)
        source->type->close(source->state);
    *source = (struct source){.type = NULL};
}
