/* What was registered; see state.h. */
#include "state.h"

#include <string.h>
#include <support/remember.h>
#include <support/text.h>

#define MODULE "dns"

static json_t *text_or_null(const char *text)
{
    return text_need(text ? json_string(text) : json_null());
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

void state_read(struct dns *dns, const char *instance)
{
    const char *known;

    dns->state = remember_read(dns->host, MODULE);
    known = text_of(dns->state, "instance");
    if (!known || !instance || strcmp(known, instance) != 0 ||
        !json_is_array(json_object_get(dns->state, "records"))) {
        json_object_clear(dns->state);
        json_object_set_new(dns->state, "instance", text_or_null(instance));
        json_object_set_new(dns->state, "records", text_need(json_array()));
    }
}

static bool read_entry(const json_t *entry, struct record *record, struct place *place)
{
    *record = (struct record){
        .name = text_of(entry, "name"),
        .value = text_of(entry, "value"),
        .ttl = (uint32_t)json_integer_value(json_object_get(entry, "ttl")),
    };
    *place = (struct place){
        .zone = text_of(entry, "zone"),
        .address = text_of(entry, "address"),
        .port = (unsigned)json_integer_value(json_object_get(entry, "port")),
    };
    return record->name && record->value && place->zone &&
           record_type_read(text_of(entry, "type"), &record->type);
}

static bool is_text(const char *one, const char *other)
{
    return one && other ? strcmp(one, other) == 0 : one == other;
}

bool place_is_same(const struct place *one, const struct place *other)
{
    return is_text(one->zone, other->zone) && is_text(one->address, other->address) &&
           one->port == other->port;
}

/* Where the record is among all; the count of all where it is not. */
static size_t find(const struct dns *dns, const char *wish, const struct record *record,
                   const struct place *place)
{
    const json_t *list = json_object_get(dns->state, "records");
    size_t i;

    for (i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        struct record known;
        struct place at;

        if (is_text(text_of(entry, "wish"), wish) && read_entry(entry, &known, &at) &&
            record_is_same(&known, record) && place_is_same(&at, place))
            break;
    }
    return i;
}

int state_add(struct dns *dns, const char *wish, const struct record *record,
              const struct place *place)
{
    json_t *list = json_object_get(dns->state, "records");
    size_t at = find(dns, wish, record, place);
    json_t *entry = text_need(json_object());

    json_object_set_new(entry, "wish", text_or_null(wish));
    json_object_set_new(entry, "name", text_or_null(record->name));
    json_object_set_new(entry, "type", text_or_null(record_type_word(record->type)));
    json_object_set_new(entry, "value", text_or_null(record->value));
    json_object_set_new(entry, "ttl", text_need(json_integer(record->ttl)));
    json_object_set_new(entry, "zone", text_or_null(place->zone));
    json_object_set_new(entry, "address", text_or_null(place->address));
    json_object_set_new(entry, "port", text_need(json_integer(place->port)));
    if (at < json_array_size(list))
        json_array_set_new(list, at, entry);
    else
        json_array_append_new(list, entry);
    return remember_write(dns->host, MODULE, dns->state);
}

int state_remove(struct dns *dns, const char *wish, const struct record *record,
                 const struct place *place)
{
    json_t *list = json_object_get(dns->state, "records");
    size_t at = find(dns, wish, record, place);

    if (at == json_array_size(list))
        return 0;
    json_array_remove(list, at);
    return remember_write(dns->host, MODULE, dns->state);
}

static const char *copy(const char *text)
{
    return text ? text_format("%s", text) : NULL;
}

bool state_get(const struct dns *dns, size_t n, const char **wish, struct record *record,
               struct place *place)
{
    const json_t *list = json_object_get(dns->state, "records");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);

        if (!text_of(entry, "wish") || !read_entry(entry, record, place) || n-- > 0)
            continue;
        /* The entry may be gone before the last of its texts is read. */
        *wish = copy(text_of(entry, "wish"));
        record->name = copy(record->name);
        record->value = copy(record->value);
        place->zone = copy(place->zone);
        place->address = copy(place->address);
        return true;
    }
    return false;
}
