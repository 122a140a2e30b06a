/* One item of `services`; see item.h. Messages never quote a unit's text, which may hold secrets.
 */
#include "item.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <support/text.h>

static const char name_characters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.\\@-";

int item_fail(struct item *item, int number, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(item->why, sizeof item->why, format, arguments);
    va_end(arguments);
    item->result = -number;
    return -number;
}

bool item_is_to_run(const struct item *item)
{
    return item->state == ITEM_STARTED || item->state == ITEM_RESTARTED ||
           item->state == ITEM_RELOADED;
}

/* A unit's or a drop-in's name: a file's name, and no option. */
static bool is_name(const char *name)
{
    return *name && *name != '-' && *name != '.' && strlen(name) <= ITEM_NAME_MAX &&
           !name[strspn(name, name_characters)];
}

static int read_state(const json_t *given, struct item *item)
{
    static const char *const words[] = {NULL,       "started", "restarted",
                                        "reloaded", "stopped", "masked"};
    const json_t *state = json_object_get(given, "state");
    const char *word = json_string_value(state);

    if (!state)
        return 0;
    for (size_t i = 1; word && i < sizeof words / sizeof *words; i++) {
        if (strcmp(word, words[i]) == 0)
            item->state = (enum item_state)i;
    }
    if (item->state == ITEM_LEFT)
        return item_fail(item, EINVAL,
                         "state is none of started, restarted, reloaded, stopped, masked");
    return 0;
}

static int read_enabled(const json_t *given, struct item *item)
{
    const json_t *enabled = json_object_get(given, "enabled");

    if (!enabled)
        return 0;
    if (!json_is_boolean(enabled))
        return item_fail(item, EINVAL, "enabled is neither true nor false");
    item->enabled = json_is_true(enabled) ? ITEM_ENABLED : ITEM_DISABLED;
    return 0;
}

static int read_dropins(const json_t *given, struct item *item)
{
    const json_t *dropins = json_object_get(given, "dropins");
    const char *name;
    json_t *text;

    if (!dropins)
        return 0;
    if (json_is_string(dropins))
        dropins = text_need(json_pack("{sO}", "override.conf", dropins)); /* `systemctl edit`'s */
    if (!json_is_object(dropins))
        return item_fail(item, EINVAL, "dropins are no texts by name");
    json_object_foreach((json_t *)dropins, name, text)
    {
        if (!is_name(name))
            return item_fail(item, EINVAL, "a drop-in's name is no name of a file");
        if (!json_is_string(text))
            return item_fail(item, EINVAL, "the drop-in %s is no text; put it behind |", name);
    }
    item->dropins = dropins;
    return 0;
}

/* A whole number from minimum to maximum; absent leaves *value as it is. */
static int read_number(const json_t *number, const char *key, unsigned minimum, unsigned maximum,
                       struct item *item, unsigned *value)
{
    if (!number)
        return 0;
    if (!json_is_integer(number) || json_integer_value(number) < minimum ||
        json_integer_value(number) > maximum)
        return item_fail(item, EINVAL, "%s is no number from %u to %u", key, minimum, maximum);
    *value = (unsigned)json_integer_value(number);
    return 0;
}

static int read_wait_text(const json_t *given, const char *key, struct item *item,
                          const char **value)
{
    const json_t *text = json_object_get(given, key);

    *value = json_string_value(text);
    return text && !*value ? item_fail(item, EINVAL, "wait.%s is no text", key) : 0;
}

static int read_wait(const json_t *given, struct item *item)
{
    enum { PORT_MAX = 65535, STATUS_MIN = 100, STATUS_MAX = 599, STATUS_OK = 200 };
    const json_t *wait = json_object_get(given, "wait");
    unsigned status = STATUS_OK;

    item->waits = !json_is_false(wait);
    item->limit_s = ITEM_WAIT_S;
    if (!wait || json_is_boolean(wait))
        return 0;
    if (json_is_integer(wait))
        return read_number(wait, "wait", 1, ITEM_WAIT_MAX_S, item, &item->limit_s);
    if (!json_is_object(wait))
        return item_fail(item, EINVAL, "wait is neither seconds nor port, url and timeout");
    if (read_number(json_object_get(wait, "port"), "wait.port", 1, PORT_MAX, item, &item->port) <
            0 ||
        read_number(json_object_get(wait, "timeout"), "wait.timeout", 1, ITEM_WAIT_MAX_S, item,
                    &item->limit_s) < 0 ||
        read_number(json_object_get(wait, "status"), "wait.status", STATUS_MIN, STATUS_MAX, item,
                    &status) < 0 ||
        read_wait_text(wait, "address", item, &item->address) < 0 ||
        read_wait_text(wait, "url", item, &item->url) < 0)
        return item->result;
    item->status = (int)status;
    if (item->address && !item->port)
        return item_fail(item, EINVAL, "wait.address has no port beside it");
    return 0;
}

void item_read(const json_t *given, struct item *item)
{
    const char *name = json_is_string(given) ? json_string_value(given)
                                             : json_string_value(json_object_get(given, "name"));
    const json_t *text = json_object_get(given, "unit");

    *item =
        (struct item){.name = name && is_name(name) ? name : "", .waits = true, .exit_code = -1};
    remember_digest_json(item->digest, given);
    item->text = json_string_value(text);
    if (!name)
        item_fail(item, EINVAL, "has no name");
    else if (!*item->name)
        item_fail(item, EINVAL, "its name is no unit's");
    else if (text && !item->text)
        item_fail(item, EINVAL, "unit is no text; put it behind |");
    else if (read_state(given, item) == 0 && read_enabled(given, item) == 0 &&
             read_dropins(given, item) == 0 && read_wait(given, item) == 0 &&
             item->state == ITEM_MASKED && (item->text || item->enabled == ITEM_ENABLED))
        item_fail(item, EINVAL, "what is masked can be neither enabled nor given a unit");
    /* Its name alone says: have it run. */
    if (!item->state && !item->enabled && !item->text && !item->dropins) {
        item->state = ITEM_STARTED;
        item->enabled = ITEM_ENABLED;
    }
}
