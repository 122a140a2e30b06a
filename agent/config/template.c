/* Templates: rendering a text, and naming what it asks for; see template.h. */
#include "config/template.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "config/template_parts.h"

#include <strings.h>

enum { NAME_MAX_BYTES = 1024 };

/* Skips white space within the line. */
static size_t skip_blanks(const char *text, size_t at)
{
    return at + strspn(text + at, " \t");
}

/* How long the first line is, where it says that this is a template; else 0. */
static size_t header_size(const char *text)
{
    size_t at = skip_blanks(text, strspn(text, "#"));
    size_t end = strcspn(text, "\n");

    if (text[0] != '#' || text[1] != '#' || strncasecmp(text + at, "template", 8) != 0)
        return 0;
    at = skip_blanks(text, at + 8);
    if (text[at] != ':')
        return 0;
    at = skip_blanks(text, at + 1);
    if (strncasecmp(text + at, "jinja", 5) != 0 || skip_blanks(text, at + 5) != end)
        return 0;
    return text[end] ? end + 1 : end;
}

/*
 * The text with new lines that are LF, and without its last one, which Jinja takes away and
 * cloud-init's renderer gives back.
 */
static int prepare(const char *text, size_t size, struct buffer *copy, bool *ends_line,
                   struct template_source *source)
{
    if (size > TEMPLATE_SIZE_MAX)
        return error_set(source->error, ERROR_INPUT, "the template is larger than %d MiB",
                         TEMPLATE_SIZE_MAX >> 20);
    for (size_t at = 0; at < size;) {
        const char *mark = memchr(text + at, '\r', size - at);
        size_t end = mark ? (size_t)(mark - text) : size;

        buffer_append(copy, text + at, end - at);
        if (mark && (end + 1 == size || text[end + 1] != '\n'))
            buffer_append(copy, "\n", 1);
        at = end + 1;
    }
    source->text = buffer_text(copy);
    source->size = copy->size;
    if (memchr(source->text, '\0', source->size))
        return template_fail(source, (size_t)strlen(source->text), "a zero character");
    source->start = header_size(source->text);
    *ends_line = size && text[size - 1] == '\n' && source->size > source->start;
    if (source->size > source->start && source->text[source->size - 1] == '\n')
        source->size--;
    return 0;
}

static int render(const struct template_source *source, const json_t *variables, struct buffer *out)
{
    AUTO_ARENA struct arena arena = {0};
    AUTO_JSON json_t *missing = memory_need(json_object());
    AUTO_JSON json_t *nothing = memory_need(json_object());
    struct scope scope = {0};
    struct run run = {.source = source,
                      .variables = variables,
                      .out = out,
                      .scope = &scope,
                      .missing = missing,
                      .nothing = nothing};
    const struct node *body = template_parse(source, &arena);
    int result = body ? template_run(&run, body) : -1;

    json_decref(scope.names);
    return result;
}

int template_render(const char *text, size_t size, const json_t *variables, struct buffer *out,
                    struct error *error)
{
    AUTO_BUFFER struct buffer copy = BUFFER_INIT(TEMPLATE_SIZE_MAX);
    AUTO_BUFFER struct buffer made = BUFFER_INIT(TEMPLATE_OUTPUT_MAX);
    struct error found = ERROR_INIT;
    struct template_source source = {.error = &found};
    bool ends_line = false;

    if (prepare(text, size, &copy, &ends_line, &source) < 0 ||
        render(&source, variables, &made) < 0) {
        *error = found;
        return -1;
    }
    if ((ends_line && !buffer_append(&made, "\n", 1)) || !buffer_append(out, made.bytes, made.size))
        return error_set(error, ERROR_INPUT, "what the template makes grows too large");
    return 0;
}

/* Names. A walk through the tree in the order of the text, knowing what was set so far. */

struct walk {
    json_t *names;  /* found */
    json_t *seen;   /* the same as a set */
    json_t *locals; /* set by the template so far */
    json_t *trail;  /* the locals in the order in which they were set */
};

static void walk_node(struct walk *walk, const struct node *node);

static void walk_list(struct walk *walk, const struct node *node)
{
    for (; node; node = node->next)
        walk_node(walk, node);
}

/* Adds to the name; false where the rest is only known when the template runs. */
static bool extend(struct buffer *name, const char *part, size_t size)
{
    /* A part with a dot in it cannot be told from two parts: the name ends before it. */
    if (!size || memchr(part, '.', size))
        return false;
    return (!name->size || buffer_append(name, ".", 1)) && buffer_append(name, part, size);
}

/* Writes the dotted name: 1, 0 where it ends early, -1 where it is none of the variables'. */
static int dotted(struct walk *walk, const struct node *node, struct buffer *name)
{
    int more;

    switch (node->kind) {
    case NODE_NAME:
        if (json_object_getn(walk->locals, node->text, node->size))
            return -1;
        return extend(name, node->text, node->size);
    case NODE_ATTRIBUTE:
        more = dotted(walk, node->one, name);
        return more == 1 ? extend(name, node->text, node->size) : more;
    case NODE_SUBSCRIPT:
        more = dotted(walk, node->one, name);
        if (node->two->kind == NODE_CONST)
            return more == 1 && json_is_string(node->two->value)
                       ? extend(name, json_string_value(node->two->value),
                                json_string_length(node->two->value))
                       : (more == 1 ? 0 : more);
        walk_node(walk, node->two);
        return more == 1 ? 0 : more;
    default:
        walk_node(walk, node);
        return -1;
    }
}

static void walk_name(struct walk *walk, const struct node *node)
{
    AUTO_BUFFER struct buffer name = BUFFER_INIT(NAME_MAX_BYTES);

    if (dotted(walk, node, &name) < 0 || !name.size || json_object_get(walk->seen, name.bytes))
        return;
    json_put_flag(walk->seen, name.bytes, true);
    json_add(walk->names, json_lossy_string(name.bytes, name.size));
}

/* From here on, the names of that list are the template's own. */
static void hide(struct walk *walk, const struct node *name)
{
    for (; name; name = name->next) {
        if (json_object_getn(walk->locals, name->text, name->size))
            continue;
        if (json_object_setn_new(walk->locals, name->text, name->size, json_true()) < 0)
            memory_exhausted();
        json_add(walk->trail, json_stringn(name->text, name->size));
    }
}

/* A body whose own names end with it: it may not run at all, or sees names of its own. */
static void walk_inner(struct walk *walk, const struct node *targets, const struct node *one,
                       const struct node *two)
{
    static const struct node loop_name = {.text = "loop", .size = sizeof "loop" - 1};
    size_t outer = json_array_size(walk->trail);

    if (targets)
        hide(walk, &loop_name);
    hide(walk, targets);
    walk_node(walk, one);
    walk_node(walk, two);
    while (json_array_size(walk->trail) > outer) {
        size_t last = json_array_size(walk->trail) - 1;

        json_object_del(walk->locals, json_string_value(json_array_get(walk->trail, last)));
        json_array_remove(walk->trail, last);
    }
}

static void walk_statement(struct walk *walk, const struct node *node)
{
    switch (node->kind) {
    case NODE_BRANCH:
        walk_node(walk, node->one);
        walk_inner(walk, NULL, node->two, NULL);
        break;
    case NODE_FOR:
        walk_node(walk, node->one);
        walk_inner(walk, node->list, node->four, node->two);
        walk_inner(walk, NULL, node->three, NULL);
        break;
    case NODE_SET:
        walk_node(walk, node->one);
        walk_node(walk, node->two);
        hide(walk, node->list);
        break;
    default:
        walk_list(walk, node->list);
        break;
    }
}

static void walk_node(struct walk *walk, const struct node *node)
{
    if (!node)
        return;
    switch (node->kind) {
    case NODE_BODY:
    case NODE_IF:
    case NODE_BRANCH:
    case NODE_FOR:
    case NODE_SET:
        walk_statement(walk, node);
        break;
    case NODE_NAME:
    case NODE_ATTRIBUTE:
    case NODE_SUBSCRIPT:
        walk_name(walk, node);
        break;
    default:
        walk_node(walk, node->one);
        walk_node(walk, node->two);
        walk_node(walk, node->three);
        walk_node(walk, node->four);
        walk_list(walk, node->list);
        break;
    }
}

int template_names(const char *text, size_t size, json_t **names, struct error *error)
{
    AUTO_BUFFER struct buffer copy = BUFFER_INIT(TEMPLATE_SIZE_MAX);
    AUTO_ARENA struct arena arena = {0};
    struct error found = ERROR_INIT;
    struct template_source source = {.error = &found};
    const struct node *body = NULL;
    struct walk walk;
    bool ends_line;

    if (prepare(text, size, &copy, &ends_line, &source) == 0)
        body = template_parse(&source, &arena);
    if (!body) {
        *error = found;
        return -1;
    }
    walk = (struct walk){.names = memory_need(json_array()),
                         .seen = memory_need(json_object()),
                         .locals = memory_need(json_object()),
                         .trail = memory_need(json_array())};
    walk_node(&walk, body);
    json_decref(walk.seen);
    json_decref(walk.locals);
    json_decref(walk.trail);
    *names = walk.names;
    return 0;
}
