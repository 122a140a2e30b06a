/* bootlace modules: what is installed, and what a module's file says of itself. */
#include "base/banned.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "run/registry.h"
#include "verbs/schemas.h"
#include "verbs/show.h"
#include "verbs/verbs.h"

#include <errno.h>

static int refuse(const struct error *error)
{
    log_error_object(error);
    return error_exit_code(error);
}

/* As the build writes a manifest: the file is asked, whatever folder it is in. */
static int describe_file(const char *path)
{
    struct error error = ERROR_INIT;
    struct description description = {0};
    /* Whole, or a bare name would be looked for where libraries and programs are. */
    AUTO_FREE char *whole = realpath(path, NULL);
    AUTO_JSON json_t *object = NULL;

    if (!whole)
        error_errno(&error, ERROR_USAGE, errno, "cannot find it");
    else
        object = registry_ask(whole, &error);
    if (!object || description_parse(&description, object, path, false, &error) < 0) {
        error_at(&error, path, error.line, error.column);
        return refuse(&error);
    }
    description_clear(&description);
    show_json(object);
    return 0;
}

static void print_list(const json_t *object, const char *title, const char *member)
{
    const json_t *list = json_object_get(object, member), *item;
    size_t i;

    if (!json_array_size(list))
        return;
    printf("%s", title);
    json_array_foreach(list, i, item) printf(" %s", json_string_value(item));
    puts("");
}

static void print_one(const struct description *module)
{
    printf("%s %s: %s\n", module->name, description_text(module, "version"),
           description_text(module, "summary"));
    printf("  runs %s%s, order %d%s%s%s%s%s\n", description_frequency_name(module->frequency),
           module->stage == BOOTLACE_STAGE_EARLY ? " in the early stage" : "", module->order,
           module->repeatable ? ", repeatable" : "", module->bakeable ? ", bakeable" : "",
           module->has_prepare ? ", prepares ahead" : "",
           module->has_stop ? ", undone at shutdown" : "",
           module->has_forget ? ", forgotten by seal" : "");
    print_list(module->object, "  keys:", "keys");
    print_list(module->object, "  types:", "types");
    print_list(module->object, "  metadata:", "metadata");
    if (module->package)
        printf("  not installed: it is in the package %s\n", module->package);
    else
        printf("  file: %s\n", module->path);
}

static void print_line(const struct description *module)
{
    printf("%-16s %-14s %s", module->name,
           module->package ? "not installed" : description_frequency_name(module->frequency),
           description_text(module, "summary"));
    if (module->package)
        printf(" (package %s)", module->package);
    puts("");
}

static void show_list(const struct registry *registry, bool json)
{
    AUTO_JSON json_t *object = memory_need(json_object());
    json_t *list = memory_need(json_array());

    for (size_t i = 0; i < registry->count; i++) {
        if (registry->modules[i].left_out)
            continue;
        json_add(list, json_incref(registry->modules[i].object));
        if (!json)
            print_line(&registry->modules[i]);
    }
    json_put(object, "modules", list);
    json_put(object, "problems", problems_to_json(&registry->problems, NULL));
    if (json)
        show_json(object);
    else
        show_problems(&registry->problems);
}

int verb_modules(const struct options *options)
{
    AUTO_REGISTRY struct registry registry = {0};
    AUTO_SCHEMAS struct schemas schemas = {0};
    struct error error = ERROR_INIT;
    const struct description *module;

    if (options->describe && options->operand_count == 1)
        return describe_file(options->operands[0]);
    if (options->describe) {
        error_set(&error, ERROR_USAGE, "--describe wants a module's file");
        return refuse(&error);
    }
    if (registry_scan(&registry, NULL, NULL, false, &error) < 0 ||
        schemas_make(&schemas, &registry, NULL, &error) < 0)
        return refuse(&error);
    if (!options->operand_count) {
        show_list(&registry, options->json);
        return 0;
    }
    module = registry_find(&registry, options->operands[0]);
    if (!module) {
        error_set(&error, ERROR_USAGE, "there is no module %.100s", options->operands[0]);
        error_hint(&error, "`bootlace modules` lists them");
        return refuse(&error);
    }
    if (options->json)
        show_json(module->object);
    else
        print_one(module);
    return 0;
}
