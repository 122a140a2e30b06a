/* Templates: the filters of lists and mappings; see template.h. */
#include "config/template_parts.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"

static json_t *filter_length(struct call *call)
{
    const json_t *subject = call->subject;

    if (json_is_string(subject)) {
        if (template_count_bytes(call->run, call->node, json_string_length(subject)) < 0)
            return NULL;
        return json_integer(
            (json_int_t)template_length(json_string_value(subject), json_string_length(subject)));
    }
    if (json_is_array(subject))
        return json_integer((json_int_t)json_array_size(subject));
    if (json_is_object(subject))
        return json_integer((json_int_t)json_object_size(subject));
    return template_refuse(call->run, call->node, "%s has no length",
                           template_kind(call->run, subject));
}

static json_t *filter_list(struct call *call)
{
    return template_items(call->run, call->node, call->subject);
}

/* The first or last item; of an empty list it is missing, so that default() can help. */
static json_t *item_at_end(struct call *call, bool at_end)
{
    AUTO_JSON json_t *items = template_items(call->run, call->node, call->subject);
    size_t size = json_array_size(items);

    if (!items)
        return NULL;
    if (size)
        return json_incref(json_array_get(items, at_end ? size - 1 : 0));
    call->run->missing_node = call->node;
    return json_incref(call->run->missing);
}

static json_t *filter_first(struct call *call)
{
    return item_at_end(call, false);
}

static json_t *filter_last(struct call *call)
{
    return item_at_end(call, true);
}

/* What an item has under a dotted name; borrowed, or NULL and an error. */
static json_t *attribute_of(struct call *call, json_t *item, const char *path)
{
    while (item && *path) {
        size_t length = strcspn(path, ".");
        bool is_number = length && strspn(path, "0123456789") == length;

        if (json_is_array(item) && is_number)
            item = json_array_get(item, strtoul(path, NULL, 10));
        else
            item = template_member(item, path, length);
        path += length + (path[length] == '.');
    }
    if (!item)
        template_refuse(call->run, call->node, "%s: an item has no such attribute",
                        call->node->entry->name);
    return item;
}

/* The value by which an item counts: its attribute, a text in one case. NULL and an error. */
static json_t *key_of(struct call *call, json_t *item, const char *path, bool in_one_case)
{
    AUTO_JSON json_t *value = json_incref(path ? attribute_of(call, item, path) : item);
    struct call lower = *call;

    if (!value || !in_one_case || !json_is_string(value))
        return TAKE_POINTER(value);
    lower.subject = value;
    return template_find_filter("lower", 5)->function(&lower);
}

/* join(d='', attribute=none) */
static json_t *filter_join(struct call *call)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(TEMPLATE_TEXT_MAX);
    AUTO_JSON json_t *items = template_items(call->run, call->node, call->subject);
    const char *path = NULL;

    if (!items || (!json_is_null(call->arguments[1]) && template_text_argument(call, 1, &path) < 0))
        return NULL;
    for (size_t i = 0; i < json_array_size(items); i++) {
        json_t *item = json_array_get(items, i);

        if (path && !(item = attribute_of(call, item, path)))
            return NULL;
        if (template_count(call->run, call->node, 1) < 0 ||
            (i && call->arguments[0] &&
             template_print(call->run, call->node, call->arguments[0], &text) < 0) ||
            template_print(call->run, call->node, item, &text) < 0)
            return NULL;
    }
    return template_string(call->run, call->node, buffer_text(&text), text.size);
}

static json_t *filter_reverse(struct call *call)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(TEMPLATE_TEXT_MAX);
    AUTO_JSON json_t *items = template_items(call->run, call->node, call->subject);
    AUTO_JSON json_t *list = memory_need(json_array());

    for (size_t i = json_array_size(items); i-- > 0;) {
        json_t *item = json_array_get(items, i);

        if (json_is_string(call->subject))
            buffer_append(&text, json_string_value(item), json_string_length(item));
        else if (template_push(call->run, call->node, list, json_incref(item)) < 0)
            return NULL;
    }
    if (!items)
        return NULL;
    if (json_is_string(call->subject))
        return template_string(call->run, call->node, buffer_text(&text), text.size);
    return TAKE_POINTER(list);
}

/* Sorting: what is compared, beside what is sorted. */

struct row {
    json_t *key, *item; /* both owned */
};

struct rows {
    struct call *call;
    struct row *items;
    struct row *spare;
    size_t count;
};

static void rows_free(struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        json_decref(rows->items[i].key);
        json_decref(rows->items[i].item);
    }
    free(rows->items);
    free(rows->spare);
}

static int rows_fill(struct rows *rows, json_t *items, const char *path, bool in_one_case)
{
    size_t size = json_array_size(items);

    rows->items = memory_zeroed(size, sizeof *rows->items);
    rows->spare = memory_zeroed(size, sizeof *rows->spare);
    for (size_t i = 0; i < size; i++) {
        json_t *key = key_of(rows->call, json_array_get(items, i), path, in_one_case);

        if (!key)
            return -1;
        rows->items[rows->count++] =
            (struct row){.key = key, .item = json_incref(json_array_get(items, i))};
    }
    return 0;
}

/* Merges two sorted halves; equal ones keep their order. */
static int merge(struct rows *rows, size_t from, size_t middle, size_t to, bool downwards)
{
    size_t left = from, right = middle;

    for (size_t i = from; i < to; i++) {
        int order = 0;

        if (left < middle && right < to &&
            template_order(rows->call->run, rows->call->node, rows->items[left].key,
                           rows->items[right].key, &order) < 0)
            return -1;
        if (left < middle && (right >= to || (downwards ? order >= 0 : order <= 0)))
            rows->spare[i] = rows->items[left++];
        else
            rows->spare[i] = rows->items[right++];
    }
    memcpy(rows->items + from, rows->spare + from, (to - from) * sizeof *rows->items);
    return 0;
}

static int rows_sort(struct rows *rows, bool downwards)
{
    for (size_t width = 1; width < rows->count; width *= 2) {
        for (size_t from = 0; from + width < rows->count; from += 2 * width) {
            size_t to = from + 2 * width;

            if (merge(rows, from, from + width, to < rows->count ? to : rows->count, downwards) < 0)
                return -1;
        }
    }
    return 0;
}

/* The items sorted by the keys that path and case give; a new list, or NULL and an error. */
static json_t *sorted(struct call *call, json_t *items, const char *path, bool in_one_case,
                      bool downwards)
{
    struct rows rows = {.call = call};
    AUTO_JSON json_t *list = memory_need(json_array());
    bool is_well = template_count(call->run, call->node, json_array_size(items)) == 0 &&
                   rows_fill(&rows, items, path, in_one_case) == 0 &&
                   rows_sort(&rows, downwards) == 0;

    for (size_t i = 0; is_well && i < rows.count; i++)
        is_well = template_push(call->run, call->node, list, json_incref(rows.items[i].item)) == 0;
    rows_free(&rows);
    return is_well ? TAKE_POINTER(list) : NULL;
}

/* sort(reverse=false, case_sensitive=false, attribute=none) */
static json_t *filter_sort(struct call *call)
{
    AUTO_JSON json_t *items = template_items(call->run, call->node, call->subject);
    bool downwards = template_flag_argument(call, 0, false);
    bool in_one_case = !template_flag_argument(call, 1, false);
    const char *path = NULL;

    if (!items || (!json_is_null(call->arguments[2]) && template_text_argument(call, 2, &path) < 0))
        return NULL;
    return sorted(call, items, path, in_one_case, downwards);
}

/* Pairs of a mapping's keys and values. */
static json_t *filter_items(struct call *call)
{
    AUTO_JSON json_t *list = memory_need(json_array());
    const char *key;
    json_t *item;

    if (!json_is_object(call->subject))
        return template_refuse(call->run, call->node, "%s has no keys and values",
                               template_kind(call->run, call->subject));
    json_object_foreach(call->subject, key, item)
    {
        json_t *pair = memory_need(json_array());

        json_add(pair, json_string(key));
        json_add(pair, json_incref(item));
        if (template_push(call->run, call->node, list, pair) < 0)
            return NULL;
    }
    if (template_check_depth(call->run, call->node, list, TEMPLATE_VALUE_DEPTH_MAX) < 0)
        return NULL;
    return TAKE_POINTER(list);
}

/* dictsort(case_sensitive=false, by='key', reverse=false) */
static json_t *filter_dictsort(struct call *call)
{
    AUTO_JSON json_t *pairs = filter_items(call);
    bool in_one_case = !template_flag_argument(call, 0, false);
    const char *by = "key";

    if (!pairs || template_text_argument(call, 1, &by) < 0)
        return NULL;
    if (strcmp(by, "key") != 0 && strcmp(by, "value") != 0)
        return template_refuse(call->run, call->node, "dictsort by key or value");
    return sorted(call, pairs, *by == 'k' ? "0" : "1", in_one_case,
                  template_flag_argument(call, 2, false));
}

/* unique(case_sensitive=false, attribute=none): the first of each. */
static json_t *filter_unique(struct call *call)
{
    AUTO_JSON json_t *items = template_items(call->run, call->node, call->subject);
    AUTO_JSON json_t *list = memory_need(json_array()), *seen = memory_need(json_object());
    bool in_one_case = !template_flag_argument(call, 0, false);
    const char *path = NULL;

    if (!items || (!json_is_null(call->arguments[1]) && template_text_argument(call, 1, &path) < 0))
        return NULL;
    for (size_t i = 0; i < json_array_size(items); i++) {
        AUTO_BUFFER struct buffer name = BUFFER_INIT(TEMPLATE_TEXT_MAX);
        json_t *item = json_array_get(items, i);
        AUTO_JSON json_t *key = key_of(call, item, path, in_one_case), *number = NULL;
        struct number value;

        /* 1, 1.0 and true are the same; a text is another thing than a number that looks alike. */
        if (key && template_number(key, &value))
            number = value.real ? json_real(value.value) : json_real((double)value.integer);
        buffer_append_text(&name, json_is_string(key) ? "t" : "v");
        if (!key || template_count(call->run, call->node, 1) < 0 ||
            template_print(call->run, call->node, number ? number : key, &name) < 0)
            return NULL;
        if (json_object_get(seen, name.bytes))
            continue;
        json_put_flag(seen, name.bytes, true);
        if (template_push(call->run, call->node, list, json_incref(item)) < 0)
            return NULL;
    }
    return TAKE_POINTER(list);
}

/* The item that sorts first or last; missing in an empty list. */
static json_t *extreme(struct call *call, bool downwards)
{
    AUTO_JSON json_t *items = template_items(call->run, call->node, call->subject), *list = NULL;
    bool in_one_case = !template_flag_argument(call, 0, false);

    if (!items || !(list = sorted(call, items, NULL, in_one_case, downwards)))
        return NULL;
    if (json_array_size(list))
        return json_incref(json_array_get(list, 0));
    call->run->missing_node = call->node;
    return json_incref(call->run->missing);
}

static json_t *filter_min(struct call *call)
{
    return extreme(call, false);
}

static json_t *filter_max(struct call *call)
{
    return extreme(call, true);
}

static json_t *filter_sum(struct call *call)
{
    AUTO_JSON json_t *items = template_items(call->run, call->node, call->subject);
    AUTO_JSON json_t *sum = json_integer(0);
    const char *path = NULL;

    if (!items || (!json_is_null(call->arguments[0]) && template_text_argument(call, 0, &path) < 0))
        return NULL;
    for (size_t i = 0; sum && i < json_array_size(items); i++) {
        json_t *item = json_array_get(items, i), *more = NULL;

        if (template_count(call->run, call->node, 1) == 0 &&
            (!path || (item = attribute_of(call, item, path))))
            more = template_calculate(call->run, call->node, OPERATOR_ADD, sum, item);
        json_decref(sum);
        sum = more;
    }
    return TAKE_POINTER(sum);
}

const struct template_entry *template_find_list_filter(const char *name, size_t size)
{
    static const struct template_entry filters[] = {
        {"length", filter_length, 0, 0, {NULL}, false},
        {"count", filter_length, 0, 0, {NULL}, false},
        {"list", filter_list, 0, 0, {NULL}, false},
        {"first", filter_first, 0, 0, {NULL}, false},
        {"last", filter_last, 0, 0, {NULL}, false},
        {"join", filter_join, 0, 2, {"d", "attribute"}, false},
        {"reverse", filter_reverse, 0, 0, {NULL}, false},
        {"sort", filter_sort, 0, 3, {"reverse", "case_sensitive", "attribute"}, false},
        {"items", filter_items, 0, 0, {NULL}, false},
        {"dictsort", filter_dictsort, 0, 3, {"case_sensitive", "by", "reverse"}, false},
        {"unique", filter_unique, 0, 2, {"case_sensitive", "attribute"}, false},
        {"min", filter_min, 0, 1, {"case_sensitive"}, false},
        {"max", filter_max, 0, 1, {"case_sensitive"}, false},
        {"sum", filter_sum, 0, 1, {"attribute"}, false},
    };

    return template_find(filters, ARRAY_SIZE(filters), name, size);
}
