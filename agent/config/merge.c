/* Merging cloud-config parts: the rules and their application; see merge.h. */
#include "config/merge.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"

#include <ctype.h>

enum { ADDRESS_TEXT_MAX = 24 };

struct merging {
    const struct merge_rules *rules;
    struct merge_waiting *waiting;
    struct positions *positions; /* or NULL */
    struct error *error;
};

/* Rules. */

/* Lower case, - as _, no blanks around; works in place and returns the beginning. */
static char *canonical(char *name)
{
    size_t length;

    name += strspn(name, " \t\r\n");
    length = strlen(name);
    while (length && strchr(" \t\r\n", name[length - 1]))
        name[--length] = '\0';
    for (char *c = name; *c; c++) {
        if (*c == '-')
            *c = '_';
        else
            *c = (char)tolower((unsigned char)*c);
    }
    return name;
}

static struct merge_rule *rule_named(struct merge_rules *rules, const char *name)
{
    if (strncmp(name, "m_", 2) == 0)
        name += 2;
    return strcmp(name, "dict") == 0   ? &rules->dict
           : strcmp(name, "list") == 0 ? &rules->list
           : strcmp(name, "str") == 0  ? &rules->str
                                       : NULL;
}

static void warn_of_option(const char *option, struct problems *problems)
{
    struct error warning = ERROR_INIT;

    if (!problems)
        return;
    error_set(&warning, ERROR_INPUT, "the merge rules have an option that no rule knows: %.40s",
              option);
    error_hint(&warning, "replace, no_replace, append, prepend, recurse_dict, recurse_list, "
                         "recurse_str and allow_delete are known");
    problems_add_warning(problems, &warning);
}

/* Where a rule has several methods, the first of append, prepend, replace, no_replace counts. */
static void set_method(struct merge_rule *rule, const bool *chosen)
{
    if (chosen[MERGE_APPEND])
        rule->method = MERGE_APPEND;
    else if (chosen[MERGE_PREPEND])
        rule->method = MERGE_PREPEND;
    else if (chosen[MERGE_REPLACE])
        rule->method = MERGE_REPLACE;
    else if (chosen[MERGE_NO_REPLACE])
        rule->method = MERGE_NO_REPLACE;
}

static void take_option(struct merge_rule *rule, const char *option, bool is_dict, bool *chosen,
                        struct problems *problems)
{
    if (strcmp(option, "recurse_dict") == 0)
        rule->recurse_dict = true;
    else if (strcmp(option, "recurse_list") == 0 || strcmp(option, "recurse_array") == 0)
        rule->recurse_list = true;
    else if (strcmp(option, "recurse_str") == 0)
        rule->recurse_str = true;
    else if (strcmp(option, "allow_delete") == 0)
        rule->allow_delete = true;
    else if (strcmp(option, "append") == 0)
        chosen[MERGE_APPEND] = !is_dict;
    else if (strcmp(option, "prepend") == 0)
        chosen[MERGE_PREPEND] = !is_dict;
    else if (strcmp(option, "replace") == 0)
        chosen[MERGE_REPLACE] = true;
    else if (strcmp(option, "no_replace") == 0)
        chosen[MERGE_NO_REPLACE] = true;
    else
        warn_of_option(option, problems);
}

/* Adds one rule; the options are changed. */
static int add_rule(struct merge_rules *rules, const char *name, char **options, size_t count,
                    struct problems *problems, struct error *error)
{
    bool chosen[MERGE_PREPEND + 1] = {false};
    struct merge_rule *rule = rule_named(rules, name);
    struct merge_rule made = {.known = true};

    if (!rule) {
        error_set(error, ERROR_INPUT, "the merge rules name \"%.40s\", which is no rule", name);
        return error_hint(error, "dict(…), list(…) and str(…) are rules");
    }
    made.method = rule == &rules->dict ? MERGE_NO_REPLACE : MERGE_REPLACE;
    made.recurse_dict = rule == &rules->dict;
    for (size_t i = 0; i < count; i++)
        take_option(&made, options[i], rule == &rules->dict, chosen, problems);
    set_method(&made, chosen);
    if (!rule->known)
        *rule = made;
    return 0;
}

/* One rule's text, name(option, option), which is changed. */
static int parse_rule(struct merge_rules *rules, char *text, struct problems *problems,
                      struct error *error)
{
    char *options[MERGE_SETTINGS_MAX], *name = canonical(text), *open = strchr(name, '('), *next;
    size_t length = strlen(name), count = 0;

    if (!*name)
        return 0;
    if (!open || open == name || name[length - 1] != ')') {
        error_set(error, ERROR_INPUT, "the merge rule \"%.40s\" is not of the form name(options)",
                  name);
        return error_hint(error, "as in " MERGE_RULES_PARTS);
    }
    name[length - 1] = '\0';
    *open = '\0';
    for (char *option = open + 1; option; option = next) {
        next = strchr(option, ',');
        if (next)
            *next++ = '\0';
        option = canonical(option);
        if (!*option)
            continue;
        if (count >= MERGE_SETTINGS_MAX)
            return error_set(error, ERROR_INPUT, "a merge rule has more than %d options",
                             MERGE_SETTINGS_MAX);
        options[count++] = option;
    }
    return add_rule(rules, name, options, count, problems, error);
}

int merge_rules_parse(struct merge_rules *rules, const char *text, struct problems *problems,
                      struct error *error)
{
    AUTO_FREE char *copy = NULL;

    if (strlen(text) > MERGE_RULES_TEXT_MAX)
        return error_set(error, ERROR_INPUT, "the merge rules are longer than %d characters",
                         MERGE_RULES_TEXT_MAX);
    copy = memory_copy_string(text);
    for (char *rule = copy, *next; rule; rule = next) {
        next = strchr(rule, '+');
        if (next)
            *next++ = '\0';
        if (parse_rule(rules, rule, problems, error) < 0)
            return -1;
    }
    return 0;
}

/* {name: dict, settings: [replace]}, [dict, replace], or a text. */
static int take_listed(struct merge_rules *rules, json_t *item, struct problems *problems,
                       struct error *error)
{
    const json_t *settings = json_is_array(item) ? item : json_object_get(item, "settings");
    const char *name = json_is_array(item) ? json_string_value(json_array_get(item, 0))
                                           : json_text_of(item, "name", NULL);
    AUTO_BUFFER struct buffer text = BUFFER_INIT(MERGE_RULES_TEXT_MAX);

    if (json_is_string(item))
        return merge_rules_parse(rules, json_string_value(item), problems, error);
    if (!name || !json_is_array(settings) || strpbrk(name, "()+,")) {
        error_set(error, ERROR_INPUT, "a merge rule needs its name and its settings, a list");
        return error_hint(error, "as in {name: list, settings: [append]}");
    }
    buffer_format(&text, "%s(", name);
    for (size_t i = settings == item; i < json_array_size(settings); i++) {
        const char *setting = json_string_value(json_array_get(settings, i));

        if (!setting || strpbrk(setting, "()+,"))
            return error_set(error, ERROR_INPUT, "a merge rule's setting is no word");
        buffer_format(&text, "%s,", setting);
    }
    if (!buffer_append_text(&text, ")"))
        return error_set(error, ERROR_INPUT, "a merge rule's settings are too long");
    return merge_rules_parse(rules, buffer_text(&text), problems, error);
}

static int take_rules(struct merge_rules *rules, json_t *value, struct problems *problems,
                      struct error *error)
{
    size_t index;
    json_t *item;

    if (json_is_string(value))
        return merge_rules_parse(rules, json_string_value(value), problems, error);
    if (!json_is_array(value)) {
        error_set(error, ERROR_INPUT, "the merge rules are neither a text nor a list");
        return error_hint(error, "as in " MERGE_RULES_PARTS);
    }
    json_array_foreach(value, index, item)
    {
        if (take_listed(rules, item, problems, error) < 0)
            return -1;
    }
    return 0;
}

/* Takes a member out; NULL where it is absent or null. */
static json_t *take_member(json_t *part, const char *name)
{
    json_t *value = json_incref(json_object_get(part, name));

    if (!value)
        return NULL;
    json_object_del(part, name);
    if (!json_is_null(value))
        return value;
    json_decref(value);
    return NULL;
}

int merge_rules_of_part(struct merge_rules *rules, json_t *part, const char *header,
                        struct positions *positions, struct problems *problems, struct error *error)
{
    AUTO_JSON json_t *value = NULL;
    struct position how, type;
    size_t first = problems ? problems->count : 0;
    int result = 0;

    *rules = (struct merge_rules){0};
    positions_member(positions, part, "merge_how", NULL, &how);
    positions_member(positions, part, "merge_type", NULL, &type);
    value = take_member(part, "merge_how");
    if (!value) {
        value = take_member(part, "merge_type");
        how = type;
    }
    if (value)
        result = take_rules(rules, value, problems, error);
    if (result < 0)
        error_at(error, how.where, how.line, how.column);
    for (size_t i = first; problems && i < problems->count; i++)
        error_at(&problems->items[i].error, how.where, how.line, how.column);
    if (result == 0 && header)
        result = merge_rules_parse(rules, header, problems, error);
    if (result == 0 && !rules->dict.known && !rules->list.known && !rules->str.known)
        result = merge_rules_parse(rules, MERGE_RULES_PARTS, NULL, error);
    return result;
}

/* Values. */

static json_t *merge(const struct merging *merging, json_t *old, json_t *new);

static bool recurses(const struct merge_rule *rule, const json_t *value)
{
    return (json_is_object(value) && rule->recurse_dict) ||
           (json_is_array(value) && rule->recurse_list) ||
           (json_is_string(value) && rule->recurse_str);
}

/* A value that leaves its slot, while positions still know its address: of anything but a list or a
 * mapping they know none. */
static void keep(const struct merging *merging, json_t *value)
{
    if (merging->positions && (json_is_object(value) || json_is_array(value)))
        positions_keep(merging->positions, json_incref(value));
}

/* Says where the new value stands that does not fit. */
static json_t *refuse(const struct merging *merging, const char *message)
{
    error_set(merging->error, ERROR_INPUT, "%s", message);
    error_hint(merging->error, "make both of the same kind, or change the merge rules");
    return NULL;
}

/* Gives an error that has no place yet the slot's: the innermost one counts. */
static int place_error(const struct merging *merging, const struct position *position)
{
    if (!merging->error->line && position->line)
        error_at(merging->error, position->where, position->line, position->column);
    return -1;
}

static int merge_member(const struct merging *merging, json_t *old, json_t *over, const char *key,
                        json_t *value)
{
    const struct merge_rule *rule = &merging->rules->dict;
    json_t *was = json_object_get(old, key), *now;
    struct position position;

    if (was && json_is_null(value) && rule->allow_delete) {
        keep(merging, was);
        json_object_del(old, key);
        return 0;
    }
    if (!was || rule->method == MERGE_REPLACE)
        now = json_incref(value);
    else if (recurses(rule, value))
        now = merge(merging, was, value);
    else
        return 0;
    if (!now) {
        positions_member(merging->positions, over, key, NULL, &position);
        return place_error(merging, &position);
    }
    if (now == was) {
        json_decref(now);
        return 0;
    }
    if (was)
        keep(merging, was);
    json_put(old, key, now);
    if (merging->positions && now == value)
        positions_copy_member(merging->positions, over, key, old, key);
    return 0;
}

static json_t *merge_dicts(const struct merging *merging, json_t *old, json_t *new)
{
    const char *key;
    json_t *value;

    if (!json_is_object(new))
        return json_incref(old);
    json_object_foreach(new, key, value)
    {
        if (merge_member(merging, old, new, key, value) < 0)
            return NULL;
    }
    return json_incref(old);
}

/* What waits for a value: a list that begins with that, or NULL. */
static json_t *waiting_for(const json_t *table, const json_t *value)
{
    char address[ADDRESS_TEXT_MAX];

    if (!table)
        return NULL;
    snprintf(address, sizeof address, "%p", (const void *)value);
    return json_object_get(table, address);
}

/* The same, made where there is none. The value lives as long: no other gets its address. */
static json_t *let_wait(json_t **table, json_t *value)
{
    json_t *entry = waiting_for(*table, value);
    char address[ADDRESS_TEXT_MAX];

    if (entry)
        return entry;
    if (!*table)
        *table = memory_need(json_object());
    snprintf(address, sizeof address, "%p", (const void *)value);
    entry = memory_need(json_array());
    json_add(entry, json_incref(value));
    json_put(*table, address, entry);
    return entry;
}

static void add_item(const struct merging *merging, json_t *list, const json_t *from, size_t index)
{
    json_add(list, json_incref(json_array_get(from, index)));
    if (merging->positions)
        positions_copy_item(merging->positions, from, index, list, json_array_size(list) - 1);
}

static void append(const struct merging *merging, json_t *list, const json_t *from)
{
    for (size_t i = 0; i < json_array_size(from); i++)
        add_item(merging, list, from, i);
}

static void prepend(const struct merging *merging, json_t *list, const json_t *from)
{
    json_t *entry = let_wait(&merging->waiting->lists, list);
    json_t *front = json_array_get(entry, 1);

    if (!front) {
        front = memory_need(json_array());
        json_add(entry, front);
    }
    for (size_t i = json_array_size(from); i-- > 0;)
        add_item(merging, front, from, i);
}

static int merge_item(const struct merging *merging, json_t *list, size_t index, json_t *from,
                      size_t from_index)
{
    json_t *was = json_array_get(list, index), *item = json_array_get(from, from_index), *now;
    struct position position;

    now = recurses(&merging->rules->list, item) ? merge(merging, was, item) : json_incref(item);
    if (!now) {
        positions_item(merging->positions, from, from_index, &position);
        return place_error(merging, &position);
    }
    if (now == was) {
        json_decref(now);
        return 0;
    }
    keep(merging, was);
    if (json_array_set_new(list, index, now) < 0)
        memory_exhausted();
    if (merging->positions && now == item)
        positions_copy_item(merging->positions, from, from_index, list, index);
    return 0;
}

static json_t *merge_items(const struct merging *merging, json_t *old, json_t *new)
{
    json_t *front = json_array_get(waiting_for(merging->waiting->lists, old), 1);
    size_t before = json_array_size(front), all = before + json_array_size(old);

    for (size_t i = 0; i < all && i < json_array_size(new); i++) {
        if (merge_item(merging, i < before ? front : old, i < before ? before - 1 - i : i - before,
                       new, i) < 0)
            return NULL;
    }
    return json_incref(old);
}

static json_t *merge_lists(const struct merging *merging, json_t *old, json_t *new)
{
    enum merge_method method = merging->rules->list.method;

    if (method == MERGE_NO_REPLACE)
        return json_incref(old);
    if (method == MERGE_REPLACE)
        return json_is_array(new) ? merge_items(merging, old, new) : json_incref(new);
    if (!json_is_array(new))
        return refuse(merging, "something that is no list cannot be joined to a list");
    if (method == MERGE_APPEND)
        append(merging, old, new);
    else
        prepend(merging, old, new);
    return json_incref(old);
}

static json_t *merge_texts(const struct merging *merging, json_t *old, json_t *new)
{
    if (merging->rules->str.method != MERGE_APPEND)
        return json_incref(new);
    if (!json_is_string(new))
        return refuse(merging, "something that is no text cannot be joined to a text");
    json_add(let_wait(&merging->waiting->texts, old), json_incref(new));
    return json_incref(old);
}

/* The merged value as a reference of its own, which may be to old or new; NULL and an error. */
static json_t *merge(const struct merging *merging, json_t *old, json_t *new)
{
    if (json_is_object(old) && merging->rules->dict.known)
        return merge_dicts(merging, old, new);
    if (json_is_array(old) && merging->rules->list.known)
        return merge_lists(merging, old, new);
    if (json_is_string(old) && merging->rules->str.known)
        return merge_texts(merging, old, new);
    return json_incref(old);
}

int merge_over(const struct merge_rules *rules, json_t *base, json_t *over,
               struct merge_waiting *waiting, struct positions *positions, struct error *error)
{
    struct error refused = ERROR_INIT;
    struct merging merging = {
        .rules = rules, .waiting = waiting, .positions = positions, .error = &refused};
    json_t *merged = merge(&merging, base, over);

    keep(&merging, over);
    if (!merged) {
        *error = refused;
        return -1;
    }
    json_decref(merged);
    return 0;
}

/* Makes one text of the first and all behind it. */
static void settle_text(json_t *pieces)
{
    AUTO_FREE char *text = NULL;
    size_t size = 0, index;
    const json_t *piece;
    char *end;

    json_array_foreach(pieces, index, piece) size += json_string_length(piece);
    text = end = memory_zeroed(size + 1, 1);
    json_array_foreach(pieces, index, piece)
    {
        memcpy(end, json_string_value(piece), json_string_length(piece));
        end += json_string_length(piece);
    }
    if (json_string_setn(json_array_get(pieces, 0), text, size) < 0)
        memory_exhausted();
}

/* Puts the items in front where they belong, and keeps them while positions know their address. */
static void settle_list(json_t *list, json_t *front, struct positions *positions)
{
    size_t before = json_array_size(front), behind = json_array_size(list);
    AUTO_JSON json_t *old = memory_need(json_copy(list));

    json_array_clear(list);
    for (size_t i = before; i-- > 0;)
        json_add(list, json_incref(json_array_get(front, i)));
    if (json_array_extend(list, old) < 0)
        memory_exhausted();
    if (!positions)
        return;
    for (size_t i = behind; i-- > 0;)
        positions_copy_item(positions, list, i, list, before + i);
    for (size_t i = 0; i < before; i++)
        positions_copy_item(positions, front, before - 1 - i, list, i);
    positions_keep(positions, json_incref(front));
}

void merge_settle(struct merge_waiting *waiting, struct positions *positions)
{
    const char *address;
    json_t *entry;

    json_object_foreach(waiting->lists, address, entry)
    {
        settle_list(json_array_get(entry, 0), json_array_get(entry, 1), positions);
    }
    json_object_foreach(waiting->texts, address, entry)
    {
        settle_text(entry);
    }
    json_decref(waiting->lists);
    json_decref(waiting->texts);
    *waiting = (struct merge_waiting){0};
}

int merge_into(const struct merge_rules *rules, json_t *base, json_t *over,
               struct positions *positions, struct error *error)
{
    struct merge_waiting waiting = {0};
    int result = merge_over(rules, base, over, &waiting, positions, error);

    merge_settle(&waiting, positions);
    return result;
}
