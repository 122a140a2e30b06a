/* The environment of a step; see step_environment.h. */
#include "verbs/step_environment.h"

#include "base/banned.h"
#include "base/memory.h"

static const struct {
    const char *name;
    const char *path;
} items[] = {
    {"BOOTLACE_REGION", "placement/region"},
    {"BOOTLACE_AVAILABILITY_ZONE", "placement/availability-zone"},
    {"BOOTLACE_LOCAL_IPV4", "local-ipv4"},
    {"BOOTLACE_PUBLIC_IPV4", "public-ipv4"},
    {"BOOTLACE_HOSTNAME", "hostname"},
    {"BOOTLACE_AMI_ID", "ami-id"},
    {"BOOTLACE_INSTANCE_TYPE", "instance-type"},
};

static void add(struct step_environment *environment, const char *name, const char *value)
{
    environment->variables[environment->count++] = memory_format("%s=%s", name, value);
}

void step_environment_make(struct step_environment *environment, const char *instance_id,
                           const json_t *metadata)
{
    *environment = (struct step_environment){0};
    add(environment, "INSTANCE_ID", instance_id);
    add(environment, "BOOTLACE_INSTANCE_ID", instance_id);
    for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
        const char *value = json_string_value(json_object_get(metadata, items[i].path));

        if (value)
            add(environment, items[i].name, value);
    }
    if (!getenv("HOME"))
        add(environment, "HOME", "/root");
}

void step_environment_clear(struct step_environment *environment)
{
    for (unsigned i = 0; i < environment->count; i++)
        free(environment->variables[i]);
    *environment = (struct step_environment){0};
}

const char *const *step_environment_list(const struct step_environment *environment)
{
    return (const char *const *)environment->variables;
}
