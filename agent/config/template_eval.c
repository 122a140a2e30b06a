/* Templates: a run through the statements, its names and its limits; see template.h. */
#include "config/template_parts.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"

int template_count(struct run *run, const struct node *node, size_t steps)
{
    if (steps <= TEMPLATE_STEPS_MAX - run->steps) {
        run->steps += steps;
        return 0;
    }
    return template_fail(run->source, node->offset,
                         "the template does too much: it is stopped after %d steps",
                         (int)TEMPLATE_STEPS_MAX);
}

int template_count_bytes(struct run *run, const struct node *node, size_t bytes)
{
    return template_count(run, node, bytes / TEMPLATE_STEP_BYTES);
}

int template_count_value(struct run *run, const struct node *node, const json_t *value)
{
    if (json_is_string(value))
        return template_count_bytes(run, node, json_string_length(value));
    return template_count_bytes(run, node, json_array_size(value) + json_object_size(value));
}

json_t *template_refuse(struct run *run, const struct node *node, const char *format, ...)
{
    char message[ERROR_MESSAGE_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    template_fail(run->source, node->offset, "%s", message);
    return NULL;
}

/* The name as the template writes it, a.b['c'][…]. */
static void write_name(const struct node *node, struct buffer *out)
{
    switch (node->kind) {
    case NODE_NAME:
        buffer_append(out, node->text, node->size);
        break;
    case NODE_ATTRIBUTE:
        write_name(node->one, out);
        buffer_append_text(out, ".");
        buffer_append(out, node->text, node->size);
        break;
    case NODE_SUBSCRIPT:
        write_name(node->one, out);
        if (node->two->kind == NODE_CONST && json_is_string(node->two->value))
            buffer_format(out, "['%s']", json_string_value(node->two->value));
        else if (node->two->kind == NODE_CONST && json_is_integer(node->two->value))
            buffer_format(out, "[%" JSON_INTEGER_FORMAT "]", json_integer_value(node->two->value));
        else
            buffer_append_text(out, "[...]");
        break;
    case NODE_FILTER:
        write_name(node->one, out);
        buffer_format(out, "|%s", node->entry->name);
        break;
    default:
        buffer_append_text(out, "(...)");
        break;
    }
}

json_t *template_refuse_missing(struct run *run)
{
    AUTO_BUFFER struct buffer name = BUFFER_INIT(ERROR_WHERE_MAX);
    const struct node *node = run->missing_node;
    bool is_first = run->source->error->kind == ERROR_NONE;

    write_name(node, &name);
    template_refuse(run, node, "the variable \"%s\" is not there", buffer_text(&name));
    if (is_first)
        error_hint(run->source->error,
                   "give it a default, as in {{ name | default('...') }}, or ask first whether it "
                   "\"is defined\"");
    return NULL;
}

json_t *template_string(struct run *run, const struct node *node, const char *bytes, size_t size)
{
    json_t *value;

    if (template_count_bytes(run, node, size) < 0)
        return NULL;
    if (size > TEMPLATE_TEXT_MAX)
        return template_refuse(run, node, "a text that grows too large");
    value = json_stringn(bytes, size);
    return value ? value : template_refuse(run, node, "text that is not UTF-8");
}

int template_push(struct run *run, const struct node *node, json_t *list, json_t *item)
{
    memory_need(item);
    if (template_count(run, node, 1) < 0) {
        json_decref(item);
        return -1;
    }
    if (json_array_size(list) >= TEMPLATE_LIST_MAX) {
        json_decref(item);
        template_refuse(run, node, "a list that grows too long");
        return -1;
    }
    json_add(list, item);
    return 0;
}

json_t *template_look_up(struct run *run, const char *name, size_t size)
{
    for (const struct scope *scope = run->scope; scope; scope = scope->outer) {
        json_t *value = json_object_getn(scope->names, name, size);

        if (value)
            return value;
    }
    return template_member(run->variables, name, size);
}

/* Takes the value over. */
static void set_name(struct run *run, const struct node *name, json_t *value)
{
    if (!run->scope->names)
        run->scope->names = memory_need(json_object());
    if (json_object_setn_new(run->scope->names, name->text, name->size, value) < 0)
        memory_exhausted();
}

/* Sets one name to the value, or several to its items. */
static int set_names(struct run *run, const struct node *node, json_t *value)
{
    AUTO_JSON json_t *items = NULL;
    const struct node *name = node->list;

    if (!name->next) {
        set_name(run, name, json_incref(value));
        return 0;
    }
    if (value == run->missing) {
        template_refuse_missing(run);
        return -1;
    }
    if (!(items = template_items(run, node, value)))
        return -1;
    for (size_t i = 0; i < json_array_size(items) || name; i++, name = name->next) {
        if (!name || i >= json_array_size(items)) {
            template_refuse(run, node, "there are %s names than items", name ? "more" : "fewer");
            return -1;
        }
        set_name(run, name, json_incref(json_array_get(items, i)));
    }
    return 0;
}

static int run_set(struct run *run, const struct node *node)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(TEMPLATE_TEXT_MAX);
    AUTO_JSON json_t *value = NULL;
    struct buffer *out = run->out;
    int result;

    if (node->one) {
        value = template_compute(run, node->one);
        return value ? set_names(run, node, value) : -1;
    }
    run->out = &text;
    result = template_run(run, node->two);
    run->out = out;
    if (result < 0)
        return -1;
    value = template_string(run, node, buffer_text(&text), text.size);
    return value ? set_names(run, node, value) : -1;
}

static int run_if(struct run *run, const struct node *node)
{
    for (const struct node *branch = node->list; branch; branch = branch->next) {
        AUTO_JSON json_t *condition = NULL;

        if (branch->one && !(condition = template_need(run, branch->one)))
            return -1;
        if (!branch->one || template_truth(run, condition))
            return template_run(run, branch->two);
    }
    return 0;
}

/* The items that the loop's own `if` lets through. */
static json_t *filter_items(struct run *run, const struct node *node, const json_t *items)
{
    AUTO_JSON json_t *kept = memory_need(json_array());

    for (size_t i = 0; i < json_array_size(items); i++) {
        json_t *item = json_array_get(items, i);
        AUTO_JSON json_t *condition = NULL;

        if (set_names(run, node, item) < 0 || !(condition = template_need(run, node->four)))
            return NULL;
        if (template_truth(run, condition) && template_push(run, node, kept, json_incref(item)) < 0)
            return NULL;
    }
    return TAKE_POINTER(kept);
}

/* What the body sees as `loop`. */
static json_t *loop_value(const json_t *items, size_t i)
{
    size_t length = json_array_size(items);
    json_t *loop = memory_need(json_object());

    json_put_number(loop, "index", (int64_t)i + 1);
    json_put_number(loop, "index0", (int64_t)i);
    json_put_number(loop, "revindex", (int64_t)(length - i));
    json_put_number(loop, "revindex0", (int64_t)(length - i) - 1);
    json_put_flag(loop, "first", i == 0);
    json_put_flag(loop, "last", i + 1 == length);
    json_put_number(loop, "length", (int64_t)length);
    if (i > 0)
        json_put(loop, "previtem", json_incref(json_array_get(items, i - 1)));
    if (i + 1 < length)
        json_put(loop, "nextitem", json_incref(json_array_get(items, i + 1)));
    return loop;
}

/* One turn of the loop, in names of its own. */
static int run_turn(struct run *run, const struct node *node, const json_t *items, size_t i)
{
    static const struct node loop_name = {.text = "loop", .size = sizeof "loop" - 1};

    if (++run->turns > TEMPLATE_LOOP_MAX) {
        template_refuse(run, node, "the loops do not end: they are stopped after %d turns",
                        (int)TEMPLATE_LOOP_MAX);
        return -1;
    }
    json_decref(run->scope->names);
    run->scope->names = NULL;
    set_name(run, &loop_name, loop_value(items, i));
    if (set_names(run, node, json_array_get(items, i)) < 0)
        return -1;
    return template_run(run, node->two);
}

/* The loop over what was found, in the scope that is open for it. */
static int run_turns(struct run *run, const struct node *node, json_t *value)
{
    AUTO_JSON json_t *all = template_items(run, node->one, value), *items = NULL;

    if (!all)
        return -1;
    items = node->four ? filter_items(run, node, all) : json_incref(all);
    if (!items)
        return -1;
    for (size_t i = 0; i < json_array_size(items); i++) {
        if (run_turn(run, node, items, i) < 0)
            return -1;
    }
    if (json_array_size(items) || !node->three)
        return 0;
    json_decref(run->scope->names);
    run->scope->names = NULL;
    return template_run(run, node->three);
}

static int run_for(struct run *run, const struct node *node)
{
    AUTO_JSON json_t *value = template_need(run, node->one);
    struct scope scope = {.outer = run->scope};
    int result;

    if (!value)
        return -1;
    run->scope = &scope;
    result = run_turns(run, node, value);
    run->scope = scope.outer;
    json_decref(scope.names);
    return result;
}

static int run_print(struct run *run, const struct node *node)
{
    AUTO_JSON json_t *value = template_need(run, node->one);

    return value ? template_print(run, node, value, run->out) : -1;
}

static int run_text(struct run *run, const struct node *node)
{
    if (template_count_bytes(run, node, node->size) < 0)
        return -1;
    if (buffer_append(run->out, node->text, node->size))
        return 0;
    template_refuse(run, node, "what the template makes grows too large");
    return -1;
}

static int run_statement(struct run *run, const struct node *node)
{
    if (template_count(run, node, 1) < 0)
        return -1;
    switch (node->kind) {
    case NODE_TEXT:
        return run_text(run, node);
    case NODE_PRINT:
        return run_print(run, node);
    case NODE_IF:
        return run_if(run, node);
    case NODE_FOR:
        return run_for(run, node);
    default:
        return run_set(run, node);
    }
}

int template_run(struct run *run, const struct node *body)
{
    for (const struct node *node = body->list; node; node = node->next) {
        if (run_statement(run, node) < 0)
            return -1;
    }
    return 0;
}
