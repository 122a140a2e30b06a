/* The registry: every module in lib/bootlace/modules, by its description; see registry.h. */
#include "run/registry.h"

#include "base/banned.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/paths.h"
#include "os/machine.h"
#include "os/process.h"
#include "run/native.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static const char manifest_end[] = ".json", schema_end[] = ".schema.json";

struct scan {
    struct registry *registry;
    const char *folder;
    int folder_fd;
    json_t *cache; /* path -> {"key":…,"description":…}, of the last time */
    json_t *fresh; /* the same, of this time */
    char boot_id[MACHINE_ID_MAX];
    bool cache_changed;
};

static bool ends_with(const char *name, const char *end)
{
    size_t a = strlen(name), b = strlen(end);

    return a > b && strcmp(name + a - b, end) == 0;
}

/* What runs in the child that describes a shared object. */
static int describe_native(void *context)
{
    struct error error = ERROR_INIT;
    const struct bootlace_module *module = native_open(context, &error);
    char text[ERROR_TEXT_MAX];

    if (!module) {
        dprintf(STDERR_FILENO, "%s\n", error_text(&error, text, sizeof text));
        return 1;
    }
    AUTO_JSON json_t *object = description_of_native(module);
    AUTO_FREE char *line = json_one_line(object);

    return file_write_all(STDOUT_FILENO, line, strlen(line)) < 0;
}

json_t *registry_ask(const char *path, struct error *error)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(DESCRIPTION_MAX);
    AUTO_BUFFER struct buffer complaint = BUFFER_INIT(256);
    const char *argv[] = {path, "describe", NULL};
    struct process_capture capture = {
        .argv = argv, .out = &out, .complaint = &complaint, .limit_ms = DESCRIBE_LIMIT_MS};
    int status;

    if (ends_with(path, ".so")) {
        capture.function = describe_native;
        capture.context = (void *)path;
    }
    status = process_capture(&capture, error);
    if (status < 0)
        return NULL;
    if (status != 0) {
        error_set(error, ERROR_INTERNAL,
                  "it ended with exit code %d when asked to describe itself%s%s", status,
                  complaint.size ? ": " : "", buffer_text(&complaint));
        return NULL;
    }
    return json_parse(buffer_text(&out), out.size, "its description", error);
}

/* A module's file must be a regular one that nobody but its owner, root or us, can change. */
static int check_file(const struct stat *info, struct error *error)
{
    if (!S_ISREG(info->st_mode))
        return error_set(error, ERROR_INTERNAL, "it is no regular file");
    if (info->st_uid != 0 && info->st_uid != geteuid())
        return error_set(error, ERROR_INTERNAL, "it is owned by user %u, not by root",
                         (unsigned)info->st_uid);
    if (info->st_mode & (S_IWGRP | S_IWOTH))
        return error_set(error, ERROR_INTERNAL, "others than its owner can write it");
    return 0;
}

/*
 * What is remembered of a file: its description, or why it has none. The latter for this boot
 * alone: a machine that was too busy, or lacked a library, may have more luck at the next.
 */
static json_t *ask_anew(const struct scan *scan, const char *path, const char *key,
                        struct error *error)
{
    json_t *entry = memory_need(json_object()), *object = registry_ask(path, error);

    json_put_text(entry, "key", key);
    if (object) {
        json_put(entry, "description", object);
    } else {
        json_put_text(entry, "error", error->message);
        json_put_text(entry, "boot_id", scan->boot_id);
    }
    return entry;
}

static bool is_remembered(const struct scan *scan, const json_t *entry, const char *key)
{
    return strcmp(json_text_of(entry, "key", ""), key) == 0 &&
           (json_object_get(entry, "description") ||
            strcmp(json_text_of(entry, "boot_id", ""), scan->boot_id) == 0);
}

static json_t *ask_or_remember(struct scan *scan, const char *path, const struct stat *info,
                               struct error *error)
{
    AUTO_FREE char *key = memory_format("%llu %lld %lld.%09ld", (unsigned long long)info->st_ino,
                                        (long long)info->st_size, (long long)info->st_mtim.tv_sec,
                                        info->st_mtim.tv_nsec);
    json_t *entry = json_object_get(scan->cache, path), *object;

    if (is_remembered(scan, entry, key)) {
        json_incref(entry);
    } else {
        entry = ask_anew(scan, path, key, error);
        scan->cache_changed = true;
    }
    json_put(scan->fresh, path, entry);
    object = json_object_get(entry, "description");
    if (!object)
        error_set(error, ERROR_INTERNAL, "%s", json_text_of(entry, "error", ""));
    return json_incref(object);
}

/* The description object: from the manifest beside it, the cache, or the module itself. */
static json_t *describe(struct scan *scan, const char *file, const char *path, bool native,
                        struct error *error)
{
    struct stat info, own;
    json_t *object = NULL;

    if (fstatat(scan->folder_fd, file, &own, 0) < 0) {
        error_errno(error, ERROR_INTERNAL, errno, "cannot look at it");
        return NULL;
    }
    if (check_file(&own, error) < 0)
        return NULL;
    if (native) {
        AUTO_FREE char *manifest =
            memory_format("%.*s.json", (int)(strlen(file) - strlen(".so")), file);
        int got = 0;

        if (fstatat(scan->folder_fd, manifest, &info, 0) == 0)
            got = check_file(&info, error) < 0
                      ? -1
                      : json_read_file(scan->folder_fd, manifest, DESCRIPTION_MAX, &object, error);
        if (got < 0)
            return NULL;
        if (got > 0)
            return object;
    }
    return ask_or_remember(scan, path, &own, error);
}

static void leave_out(const struct scan *scan, const char *file, struct error *error)
{
    error_at(error, file, error->line, error->column);
    problems_add_warning(&scan->registry->problems, error);
}

/* Adds the module that the object describes; an error where it cannot be. */
static int add_module(struct registry *registry, json_t *object, const char *path, bool native,
                      const char *package, struct error *error)
{
    struct description description = {0};

    if (description_parse(&description, object, path, native, error) < 0)
        return -1;
    if (registry_find(registry, description.name)) {
        error_set(error, ERROR_INTERNAL, "another module is called %s, too", description.name);
        description_clear(&description);
        return -1;
    }
    if (package)
        description.package = memory_copy_string(package);
    registry->modules = memory_grow(registry->modules, registry->count, sizeof *registry->modules);
    registry->modules[registry->count++] = description;
    return 0;
}

/* A manifest: of a shared object that is there, which is taken by itself, or of one in a package.
 */
static void take_manifest(struct scan *scan, const char *file)
{
    AUTO_FREE char *object_file =
        memory_format("%.*s.so", (int)(strlen(file) - strlen(manifest_end)), file);
    AUTO_FREE char *path = memory_format("%s/%s", scan->folder, object_file);
    struct error error = ERROR_INIT;
    AUTO_JSON json_t *object = NULL;
    const char *package;
    struct stat info;

    if (faccessat(scan->folder_fd, object_file, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
        fstatat(scan->folder_fd, file, &info, 0) < 0)
        return;
    if (check_file(&info, &error) < 0 ||
        json_read_file(scan->folder_fd, file, DESCRIPTION_MAX, &object, &error) < 0) {
        leave_out(scan, file, &error);
        return;
    }
    package = json_text_of(object, DESCRIPTION_PACKAGE, NULL);
    if (package && add_module(scan->registry, object, path, true, package, &error) < 0)
        leave_out(scan, file, &error);
}

static void take_file(struct scan *scan, const char *file)
{
    AUTO_FREE char *path = memory_format("%s/%s", scan->folder, file);
    bool native = ends_with(file, ".so");
    struct error error = ERROR_INIT;
    AUTO_JSON json_t *object = NULL;

    if (ends_with(file, manifest_end)) {
        take_manifest(scan, file);
        return;
    }
    if (!native && faccessat(scan->folder_fd, file, X_OK, 0) < 0)
        return;
    object = describe(scan, file, path, native, &error);
    if (!object || add_module(scan->registry, object, path, native, NULL, &error) < 0)
        leave_out(scan, file, &error);
}

static int is_module_file(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && !ends_with(entry->d_name, schema_end);
}

static int compare_names(const void *left, const void *right)
{
    const struct description *a = left, *b = right;

    return strcmp(a->name, b->name);
}

/* A name of a member's list that an earlier module has, too, or NULL. */
static const char *owned_before(const struct registry *registry, size_t count,
                                const struct description *module, const char *member,
                                const struct description **owner)
{
    const json_t *list = json_object_get(module->object, member), *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        for (size_t j = 0; j < count; j++) {
            const char *name = json_string_value(item);

            *owner = &registry->modules[j];
            if (strcmp(member, "keys") == 0 ? description_has_key(*owner, name)
                                            : description_has_type(*owner, name))
                return name;
        }
    }
    return NULL;
}

/* Each key and each type has one owner: the first in the order of names keeps it. */
static void keep_one_owner(const struct scan *scan)
{
    struct registry *registry = scan->registry;
    size_t kept = 0;

    for (size_t i = 0; i < registry->count; i++) {
        struct description module = registry->modules[i];
        const struct description *owner = NULL;
        struct error error = ERROR_INIT;
        const char *name = owned_before(registry, kept, &module, "keys", &owner);

        if (!name)
            name = owned_before(registry, kept, &module, "types", &owner);
        if (!name) {
            registry->modules[kept++] = module;
            continue;
        }
        error_set(&error, ERROR_INTERNAL, "\"%s\" is the module %s's already", name, owner->name);
        leave_out(scan, module.name, &error);
        description_clear(&module);
    }
    registry->count = kept;
}

static void save_cache(const struct scan *scan, const char *cache)
{
    struct error ignored = ERROR_INIT;
    AUTO_FREE char *text = json_one_line(scan->fresh);

    if (cache && scan->cache_changed)
        file_write(AT_FDCWD, cache, text, strlen(text), 0600, &ignored);
}

int registry_scan(struct registry *registry, const char *folder, const char *cache, bool keep,
                  struct error *error)
{
    AUTO_FREE char *standard = memory_format("%s/modules", paths_library());
    AUTO_JSON json_t *fresh = memory_need(json_object());
    AUTO_JSON json_t *known = NULL;
    struct scan scan = {.registry = registry, .folder = folder ? folder : standard, .fresh = fresh};
    AUTO_CLOSE int folder_fd = file_open_folder(AT_FDCWD, scan.folder, error);
    struct dirent **entries = NULL;
    int count;

    if (folder_fd < 0)
        return error_hint(error, "the modules belong there; is the package complete?");
    scan.folder_fd = folder_fd;
    machine_boot_id(scan.boot_id);
    if (cache) {
        struct error ignored = ERROR_INIT;

        json_read_file(AT_FDCWD, cache, REGISTRY_CACHE_MAX, &known, &ignored);
        scan.cache = known;
    }
    count = scandir(scan.folder, &entries, is_module_file, alphasort);
    for (int i = 0; i < count; i++) {
        if (registry->count < REGISTRY_MODULES_MAX)
            take_file(&scan, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    if (registry->count)
        qsort(registry->modules, registry->count, sizeof *registry->modules, compare_names);
    keep_one_owner(&scan);
    if (keep)
        save_cache(&scan, cache);
    return 0;
}

int registry_read_schema(struct registry *registry, size_t index, struct error *error)
{
    const struct description *module = &registry->modules[index];
    AUTO_FREE char *path = NULL;
    json_t *schema = NULL;
    struct stat info;
    int got;

    if (!json_is_true(json_object_get(module->object, "schema")))
        return 0;
    path = memory_format("%.*s%s", (int)(strlen(module->path) - strlen(".so")), module->path,
                         schema_end);
    if (!module->native || stat(path, &info) < 0)
        return error_set(error, ERROR_INTERNAL, "its schema is not beside it");
    if (check_file(&info, error) < 0)
        return -1;
    got = json_read_file(AT_FDCWD, path, DESCRIPTION_MAX, &schema, error);
    if (got <= 0)
        return got < 0 ? -1 : error_set(error, ERROR_INTERNAL, "its schema is not beside it");
    json_put(module->object, "schema", schema);
    return 0;
}

void registry_leave_out(struct registry *registry, size_t index, struct error *error)
{
    struct description *module = &registry->modules[index];

    error_at(error, module->name, error->line, error->column);
    problems_add_warning(&registry->problems, error);
    module->left_out = true;
}

void registry_clear(struct registry *registry)
{
    if (!registry)
        return;
    for (size_t i = 0; i < registry->count; i++)
        description_clear(&registry->modules[i]);
    free(registry->modules);
    problems_clear(&registry->problems);
    *registry = (struct registry){0};
}

const struct description *registry_find(const struct registry *registry, const char *name)
{
    for (size_t i = 0; i < registry->count; i++) {
        if (strcmp(registry->modules[i].name, name) == 0)
            return &registry->modules[i];
    }
    return NULL;
}
