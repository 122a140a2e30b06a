/*
 * timezone: /etc/localtime, a link to the zone's file (localtime(5)), and Debian's /etc/timezone.
 *
 * Only a zone that is there: its file below /usr/share/zoneinfo begins as tzfile(5) says.
 */
#include <bootlace/module.h>
#include <errno.h>
#include <string.h>
#include <support/input.h>
#include <support/tree.h>

#include <timezone.schema.h>

#define ZONES "/usr/share/zoneinfo"

enum { ZONE_NAME_MAX = 128, FILE_MODE = 0644 };

/* Names of the database, and never a path that leads out of its folder. */
static bool is_zone_name(const char *zone)
{
    return *zone && strlen(zone) <= ZONE_NAME_MAX && *zone != '/' && *zone != '.' &&
           !strstr(zone, "/.") && !strstr(zone, "//") && zone[strlen(zone) - 1] != '/' &&
           strspn(zone, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_+-.") ==
               strlen(zone);
}

static int check_zone(const struct bootlace_host *host, const char *zone)
{
    static const char magic[] = "TZif";
    struct text text = {0};
    int result;

    if (!is_zone_name(zone))
        return host->fail(host, EINVAL, "timezone is no name of a zone, such as Europe/Berlin");
    if (!tree_has(host, ZONES))
        return host->fail(host, ENOENT,
                          ZONES " is not there: the zones' package (tzdata) is not installed");
    result = tree_read(host, text_format(ZONES "/%s", zone), &text, NULL);
    if (result < 0 || strncmp(text_string(&text), magic, strlen(magic)) != 0)
        return host->fail(host, ENOENT, "there is no zone %s below " ZONES, zone);
    return 0;
}

static int put_name(const struct bootlace_host *host, const char *zone)
{
    struct text text = {0};

    if (!tree_has(host, "/etc/timezone") && !tree_has(host, "/etc/debian_version"))
        return 0;
    text_add_format(&text, "%s\n", zone);
    return tree_put(host, "/etc/timezone", &text, FILE_MODE);
}

static int run(const struct bootlace_host *host, const char *input)
{
    const char *zone = NULL;
    struct input given;
    int link, name, result = input_read(host, input, &given);

    if (result == 0)
        result = input_text(host, given.settings, "timezone", &zone);
    if (result < 0)
        return result;
    if (!zone || !*zone) {
        host->note(host, "no zone is given");
        return 0;
    }
    result = check_zone(host, zone);
    if (result < 0)
        return result;
    link = tree_link(host, "/etc/localtime", text_format(".." ZONES "/%s", zone));
    if (link < 0)
        return host->fail(host, -link, "/etc/localtime cannot be made a link: %s", strerror(-link));
    name = put_name(host, zone);
    if (name < 0)
        return host->fail(host, -name, "/etc/timezone cannot be written: %s", strerror(-name));
    if (link || name)
        host->note(host, "the time zone is %s now", zone);
    else
        host->note(host, "the time zone was %s already", zone);
    return link || name;
}

static const char *const keys[] = {"timezone", NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "timezone",
    .version = BOOTLACE_VERSION,
    .summary = "sets the time zone",
    .keys = keys,
    .schema = schema,
    .frequency = BOOTLACE_PER_INSTANCE,
    .stage = BOOTLACE_STAGE_MAIN,
    .order = 450,
    .flags = BOOTLACE_REPEATABLE | BOOTLACE_BAKEABLE,
    .run = run,
};
