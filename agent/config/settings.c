/* The agent's settings, from files and the environment; see settings.h. */
#include "config/settings.h"

#include "base/banned.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/paths.h"
#include "config/merge.h"
#include "config/yaml.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <strings.h>

enum {
    MS_PER_S = 1000,
    WAIT_DEFAULT_MS = 120 * MS_PER_S,
    TIMEOUT_DEFAULT_MS = 1 * MS_PER_S,
    NETWORK_WAIT_DEFAULT_MS = 30 * MS_PER_S,
    SECONDS_MAX = 7 * 24 * 3600,
    ATTEMPTS_MAX = 1000,
    REBOOT_LIMIT_DEFAULT = 3,
    REBOOT_LIMIT_MAX = 100,
    FILES_MAX = 256
};

static int refuse(const char *where, const char *key, const char *what, struct error *error)
{
    error_set(error, ERROR_INPUT, "bootlace.%s: %s", key, what);
    return error_at(error, where, 0, 0);
}

/* Seconds, whole or not, as milliseconds; 1 where the key is there, else 0 or -1. */
static int read_seconds(const json_t *object, const char *prefix, const char *key,
                        const char *where, int64_t *out, struct error *error)
{
    char full[128];

    const json_t *value = json_object_get(object, key);

    if (!value)
        return 0;
    if (!json_is_number(value) || json_number_value(value) < 0 ||
        json_number_value(value) > SECONDS_MAX) {
        snprintf(full, sizeof full, "%s%s", prefix, key);
        return refuse(where, full, "is no number of seconds", error);
    }
    *out = (int64_t)(json_number_value(value) * MS_PER_S);
    return 1;
}

static int read_text(const json_t *object, const char *key, const char *where, char *out,
                     size_t size, struct error *error)
{
    const json_t *value = json_object_get(object, key);

    if (!value)
        return 0;
    if (!json_is_string(value) || json_string_length(value) >= size)
        return refuse(where, key, "is no text, or too long", error);
    snprintf(out, size, "%s", json_string_value(value));
    return 1;
}

static int read_mode(const char *text, const char *where, const char *key,
                     struct settings *settings, struct error *error)
{
    if (strcasecmp(text, "ipv4") != 0 && strcasecmp(text, "ipv6") != 0)
        return refuse(where, key, "is neither ipv4 nor ipv6", error);
    settings->ipv6 = strcasecmp(text, "ipv6") == 0;
    return 0;
}

static int check_members(const json_t *object, const char *prefix, const char *where,
                         const char *const *known, struct error *error)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)object, key, value)
    {
        const char *const *name = known;
        char full[128];

        while (*name && strcmp(*name, key) != 0)
            name++;
        if (*name)
            continue;
        snprintf(full, sizeof full, "%s%.80s", prefix, key);
        return refuse(where, full, "is not a setting", error);
    }
    return 0;
}

static int read_metadata(struct settings *settings, const json_t *object, const char *where,
                         struct error *error)
{
    static const char *const known[] = {"endpoint", "endpoint_mode", "wait",
                                        "timeout",  "attempts",      NULL};
    const json_t *attempts = json_object_get(object, "attempts");
    char mode[8] = "";

    if (!object)
        return 0;
    if (!json_is_object(object))
        return refuse(where, "metadata", "is no mapping", error);
    if (check_members(object, "metadata.", where, known, error) < 0 ||
        read_text(object, "endpoint", where, settings->endpoint, sizeof settings->endpoint, error) <
            0 ||
        read_seconds(object, "metadata.", "wait", where, &settings->wait_ms, error) < 0 ||
        read_seconds(object, "metadata.", "timeout", where, &settings->timeout_ms, error) < 0 ||
        read_text(object, "endpoint_mode", where, mode, sizeof mode, error) < 0)
        return -1;
    if (*mode && read_mode(mode, where, "metadata.endpoint_mode", settings, error) < 0)
        return -1;
    if (attempts && (!json_is_integer(attempts) || json_integer_value(attempts) < 0 ||
                     json_integer_value(attempts) > ATTEMPTS_MAX))
        return refuse(where, "metadata.attempts", "is no number of tries", error);
    if (attempts)
        settings->attempts = (unsigned)json_integer_value(attempts);
    return 0;
}

static int read_sources(struct settings *settings, const json_t *list, const char *where,
                        struct error *error)
{
    const json_t *item;
    size_t i;

    if (!list)
        return 0;
    if (!json_is_array(list) || !json_array_size(list) ||
        json_array_size(list) > SETTINGS_SOURCES_MAX)
        return refuse(where, "sources", "is no list of sources", error);
    json_array_foreach(list, i, item)
    {
        if (!json_is_string(item) || json_string_length(item) >= sizeof settings->sources[i])
            return refuse(where, "sources", "has an item that is no source's name", error);
        snprintf(settings->sources[i], sizeof settings->sources[i], "%s", json_string_value(item));
    }
    settings->source_count = (unsigned)json_array_size(list);
    settings->sources_given = true;
    return 0;
}

static bool is_keep_or(const json_t *value, const char *other)
{
    const char *text = json_string_value(value);

    return !value || (text && (strcmp(text, "keep") == 0 || strcmp(text, other) == 0));
}

static int read_module(const char *name, const json_t *object, const char *where,
                       struct error *error)
{
    static const char *const known[] = {"time_limit", "on_failure", "on_interrupt", NULL};
    int64_t ignored;
    char prefix[96];

    snprintf(prefix, sizeof prefix, "modules.%.64s.", name);
    if (!json_is_object(object))
        return refuse(where, "modules", "has an item that is no mapping", error);
    if (check_members(object, prefix, where, known, error) < 0 ||
        read_seconds(object, prefix, "time_limit", where, &ignored, error) < 0)
        return -1;
    if (!is_keep_or(json_object_get(object, "on_failure"), "retry"))
        return refuse(where, "modules", "on_failure is neither keep nor retry", error);
    if (!is_keep_or(json_object_get(object, "on_interrupt"), "rerun"))
        return refuse(where, "modules", "on_interrupt is neither keep nor rerun", error);
    return 0;
}

static int read_modules(struct settings *settings, json_t *modules, const char *where,
                        struct error *error)
{
    const char *name;
    json_t *object;

    if (!modules)
        return 0;
    if (!json_is_object(modules))
        return refuse(where, "modules", "is no mapping", error);
    json_object_foreach(modules, name, object)
    {
        json_t *known = json_object_get(settings->modules, name);

        if (read_module(name, object, where, error) < 0)
            return -1;
        if (!known) {
            known = memory_need(json_object());
            json_put(settings->modules, name, known);
        }
        if (json_object_update(known, object) < 0)
            memory_exhausted();
    }
    return 0;
}

static int read_reboot_limit(struct settings *settings, const json_t *value, const char *where,
                             struct error *error)
{
    if (!value)
        return 0;
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        json_integer_value(value) > REBOOT_LIMIT_MAX)
        return refuse(where, "reboot_limit", "is no number of restarts from 0 to 100", error);
    settings->reboot_limit = (unsigned)json_integer_value(value);
    return 0;
}

static int read_essentials(struct settings *settings, const json_t *value, const char *where,
                           struct error *error)
{
    if (value && !json_is_boolean(value))
        return refuse(where, "essentials", "is neither true nor false", error);
    if (value)
        settings->essentials = json_is_true(value);
    return 0;
}

static int read_own(struct settings *settings, const json_t *own, const char *where,
                    struct error *error)
{
    static const char *const known[] = {"sources",      "metadata", "seed",       "network_wait",
                                        "reboot_limit", "modules",  "essentials", NULL};

    if (!own || json_is_null(own))
        return 0;
    if (!json_is_object(own)) {
        error_set(error, ERROR_INPUT, "bootlace: is no mapping");
        return error_at(error, where, 0, 0);
    }
    if (check_members(own, "", where, known, error) < 0 ||
        read_sources(settings, json_object_get(own, "sources"), where, error) < 0 ||
        read_metadata(settings, json_object_get(own, "metadata"), where, error) < 0 ||
        read_seconds(own, "", "network_wait", where, &settings->network_wait_ms, error) < 0 ||
        read_reboot_limit(settings, json_object_get(own, "reboot_limit"), where, error) < 0 ||
        read_essentials(settings, json_object_get(own, "essentials"), where, error) < 0 ||
        read_text(own, "seed", where, settings->seed, sizeof settings->seed, error) < 0 ||
        read_modules(settings, json_object_get(own, "modules"), where, error) < 0)
        return -1;
    return 0;
}

/* The cloud-config keys of the files read so far. */
struct image {
    json_t *config;
    struct positions *positions;
};

/* A later file over the earlier ones, as cloud-init has it for cloud.cfg.d: mappings are merged,
 * of anything else the later one counts. */
static int add_document(struct image *image, json_t **document, struct error *error)
{
    struct merge_rules rules = {0};
    json_t *earlier = image->config;

    image->config = *document;
    *document = earlier;
    if (merge_rules_parse(&rules, MERGE_RULES_IMAGE, NULL, error) < 0)
        return -1;
    return merge_into(&rules, image->config, earlier, image->positions, error);
}

/* Takes the agent's own settings out; what is within them keeps its positions for itself. */
static void drop_own(struct image *image, json_t *document)
{
    json_t *own = json_object_get(document, "bootlace");

    if (own && image->positions)
        positions_keep(image->positions, json_incref(own));
    json_object_del(document, "bootlace");
}

static int read_one_file(struct settings *settings, struct image *image, const char *path,
                         struct error *error)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(SETTINGS_FILE_MAX);
    AUTO_JSON json_t *document = NULL;
    int got = file_read(AT_FDCWD, path, &text, error);

    if (got <= 0)
        return got;
    document = yaml_parse_placed(buffer_text(&text), text.size, path, image->positions, error);
    if (!document)
        return -1;
    if (json_is_null(document))
        return 0;
    if (!json_is_object(document)) {
        error_set(error, ERROR_INPUT, "is no mapping of settings");
        return error_at(error, path, 1, 0);
    }
    if (read_own(settings, json_object_get(document, "bootlace"), path, error) < 0)
        return -1;
    drop_own(image, document);
    return add_document(image, &document, error);
}

static int is_settings_file(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return entry->d_name[0] != '.' && dot && strcmp(dot, ".yaml") == 0;
}

static int read_folder(struct settings *settings, struct image *image, const char *folder,
                       struct error *error)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_settings_file, alphasort), result = 0;

    if (count < 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? 0
                   : error_errno(error, ERROR_INPUT, errno, "cannot read %s", folder);
    if (count > FILES_MAX)
        result = error_set(error, ERROR_INPUT, "%s has more than %d files", folder, FILES_MAX);
    for (int i = 0; i < count; i++) {
        AUTO_FREE char *path = memory_format("%s/%s", folder, entries[i]->d_name);

        if (result == 0)
            result = read_one_file(settings, image, path, error);
        free(entries[i]);
    }
    free(entries);
    return result;
}

static int refuse_variable(const char *name, const char *what, struct error *error)
{
    return error_set(error, ERROR_INPUT, "the environment variable %s %s", name, what);
}

/* AWS SDKs and tools reference, "IMDS client" and "environment variables". */
static int read_environment(struct settings *settings, struct error *error)
{
    const char *endpoint = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *mode = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    const char *disabled = getenv("AWS_EC2_METADATA_DISABLED");
    const char *timeout = getenv("AWS_METADATA_SERVICE_TIMEOUT");
    const char *attempts = getenv("AWS_METADATA_SERVICE_NUM_ATTEMPTS");
    char *end;

    if (endpoint && *endpoint) {
        if (strlen(endpoint) >= sizeof settings->endpoint)
            return refuse_variable("AWS_EC2_METADATA_SERVICE_ENDPOINT", "is too long", error);
        snprintf(settings->endpoint, sizeof settings->endpoint, "%s", endpoint);
    }
    if (mode && *mode &&
        read_mode(mode, "environment", "metadata.endpoint_mode", settings, error) < 0)
        return -1;
    settings->metadata_disabled = disabled && strcasecmp(disabled, "true") == 0;
    if (timeout && *timeout) {
        double seconds = strtod(timeout, &end);

        if (*end || !(seconds > 0 && seconds <= SECONDS_MAX))
            return refuse_variable("AWS_METADATA_SERVICE_TIMEOUT", "is no number of seconds",
                                   error);
        settings->timeout_ms = (int64_t)(seconds * MS_PER_S);
    }
    if (attempts && *attempts) {
        long count = strtol(attempts, &end, 10);

        if (*end || count < 1 || count > ATTEMPTS_MAX)
            return refuse_variable("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "is no number of tries",
                                   error);
        settings->attempts = (unsigned)count;
    }
    return 0;
}

int settings_read(struct settings *settings, json_t **image, struct positions *positions,
                  struct error *error)
{
    struct image files = {.config = memory_need(json_object()), .positions = positions};
    int result;

    AUTO_FREE char *file = memory_format("%s/config.yaml", paths_get(PATHS_ETC));
    AUTO_FREE char *folder = memory_format("%s/config.d", paths_get(PATHS_ETC));

    *settings = (struct settings){.sources = {"seed", "ec2"},
                                  .source_count = 2,
                                  .wait_ms = WAIT_DEFAULT_MS,
                                  .timeout_ms = TIMEOUT_DEFAULT_MS,
                                  .network_wait_ms = NETWORK_WAIT_DEFAULT_MS,
                                  /* A trial beside the machine's own agent owes nobody. */
                                  .essentials = !secure_getenv("BOOTLACE_PREFIX"),
                                  .reboot_limit = REBOOT_LIMIT_DEFAULT,
                                  .modules = memory_need(json_object())};
    snprintf(settings->seed, sizeof settings->seed, "%s", paths_get(PATHS_SEED));
    result = read_one_file(settings, &files, file, error);
    if (result >= 0)
        result = read_folder(settings, &files, folder, error);
    *image = files.config;
    if (result < 0 || read_environment(settings, error) < 0)
        return -1;
    if (settings->timeout_ms == 0)
        return refuse("settings", "metadata.timeout", "must be more than 0", error);
    return 0;
}

void settings_clear(struct settings *settings)
{
    if (!settings)
        return;
    json_decref(settings->modules);
    settings->modules = NULL;
}
