/* Templates: what stands behind a value: attributes, subscripts, calls, filters and tests. */
#include "config/template_parts.h"

#include "base/banned.h"

/* Where the reader finds what there is. */
static const char MANUAL[] = "bootlace-user-data(5) lists what templates know";

/* Puts a named argument at its place; those between stay absent. */
static bool place_named(struct parser *parser, const struct template_entry *entry,
                        struct node **slots, unsigned *count)
{
    const struct token token = parser->current;

    template_advance(parser);
    template_advance(parser);
    for (unsigned i = 0; i < TEMPLATE_NAMED_MAX && entry->named[i]; i++) {
        if (!template_token_is(&token, entry->named[i]))
            continue;
        if (slots[i]) {
            template_fail(parser->lexer.source, token.offset, "the argument \"%.*s\" stands twice",
                          (int)token.size, token.text);
            return false;
        }
        slots[i] = template_parse_expression(parser);
        *count = *count > i + 1 ? *count : i + 1;
        return slots[i] != NULL;
    }
    template_fail(parser->lexer.source, token.offset, "%s has no argument \"%.*s\"", entry->name,
                  (int)(token.size > 64 ? 64 : token.size), token.text);
    return false;
}

/* The arguments in brackets, up to the closing one; how many, or -1. */
static int collect_arguments(struct parser *parser, const struct template_entry *entry,
                             struct node **slots)
{
    unsigned count = 0;
    bool is_named = false, is_first = true;

    while (!template_at(parser, ")")) {
        if (!is_first && !template_expect(parser, ","))
            return -1;
        if (template_at(parser, ")"))
            break;
        is_first = false;
        if (parser->current.kind == TOKEN_NAME && parser->next.kind == TOKEN_OPERATOR &&
            template_token_is(&parser->next, "=")) {
            is_named = true;
            if (!place_named(parser, entry, slots, &count))
                return -1;
            continue;
        }
        if (is_named)
            return template_fail(parser->lexer.source, parser->current.offset,
                                 "an argument without a name behind one with a name");
        if (count >= entry->most)
            return template_fail(parser->lexer.source, parser->current.offset,
                                 entry->most ? "%s takes at most %u arguments"
                                             : "%s takes no arguments",
                                 entry->name, entry->most);
        if (!(slots[count++] = template_parse_expression(parser)))
            return -1;
    }
    template_advance(parser);
    return (int)count;
}

/* Puts the arguments into the node's list and looks at their number. */
static bool take_arguments(struct parser *parser, struct node *node, struct node **slots, int given)
{
    for (int i = 0; i < given; i++) {
        struct node *item = slots[i] ? slots[i] : template_node(parser, NODE_ABSENT, node->offset);

        if (!template_adopt_item(parser, node, item))
            return false;
    }
    for (unsigned i = 0; i < node->entry->least; i++) {
        if (!slots[i]) {
            template_fail(parser->lexer.source, node->offset, "%s needs %u argument%s",
                          node->entry->name, node->entry->least,
                          node->entry->least == 1 ? "" : "s");
            return false;
        }
    }
    return true;
}

/* A call of the entry on the subject (NULL for a function); its arguments may stand in brackets. */
static struct node *parse_call(struct parser *parser, enum node_kind kind,
                               const struct template_entry *entry, size_t offset,
                               struct node *subject)
{
    struct node *slots[TEMPLATE_ARGUMENTS_MAX] = {NULL};
    struct node *node = template_node(parser, kind, offset);
    int given = 0;

    if (!node)
        return NULL;
    node->entry = entry;
    node->one = subject;
    if (subject && !template_adopt(parser, node, subject))
        return NULL;
    if (template_skip(parser, "("))
        given = collect_arguments(parser, entry, slots);
    return given >= 0 && take_arguments(parser, node, slots, given) ? node : NULL;
}

static struct node *unknown(struct parser *parser, const char *what, const struct token *token)
{
    if (parser->lexer.source->error->kind == ERROR_NONE) {
        template_fail(parser->lexer.source, token->offset, "the %s \"%.*s\" is not known here",
                      what, (int)(token->size > 64 ? 64 : token->size), token->text);
        error_hint(parser->lexer.source->error, "%s", MANUAL);
    }
    return NULL;
}

/* What stands behind a dot: an attribute, a method that is called, or an item's number. */
static struct node *parse_attribute(struct parser *parser, struct node *one)
{
    const struct token token = parser->current;
    struct node *node;

    if (token.kind == TOKEN_INTEGER)
        return template_pair(parser, NODE_SUBSCRIPT, OPERATOR_NONE, token.offset, one,
                             template_parse_number(parser));
    if (token.kind != TOKEN_NAME)
        return template_unexpected(parser, "a name or a number");
    template_advance(parser);
    if (template_at(parser, "(")) {
        const struct template_entry *entry = template_find_method(token.text, token.size);

        return entry ? parse_call(parser, NODE_METHOD, entry, token.offset, one)
                     : unknown(parser, "method", &token);
    }
    node = template_single(parser, NODE_ATTRIBUTE, token.offset, one);
    if (node) {
        node->text = token.text;
        node->size = token.size;
    }
    return node;
}

/* What may stand in a subscript, or nothing before : and ]. */
static bool parse_bound(struct parser *parser, struct node *node, struct node **bound)
{
    if (template_at(parser, ":") || template_at(parser, "]"))
        return true;
    *bound = template_parse_expression(parser);
    return template_adopt(parser, node, *bound);
}

static struct node *parse_subscript(struct parser *parser, struct node *one)
{
    size_t offset = parser->current.offset;
    struct node *from = NULL, *node;

    if (template_at(parser, "]"))
        return template_unexpected(parser, "a subscript");
    if (!template_at(parser, ":")) {
        from = template_parse_expression(parser);
        if (template_skip(parser, "]"))
            return template_pair(parser, NODE_SUBSCRIPT, OPERATOR_NONE, offset, one, from);
        if (!from)
            return NULL;
    }
    node = template_single(parser, NODE_SLICE, offset, one);
    if (!node || (from && !template_adopt(parser, node, from)) || !template_expect(parser, ":"))
        return NULL;
    node->two = from;
    if (!parse_bound(parser, node, &node->three))
        return NULL;
    if (template_skip(parser, ":") && !parse_bound(parser, node, &node->four))
        return NULL;
    return template_expect(parser, "]") ? node : NULL;
}

struct node *template_parse_postfix(struct parser *parser, struct node *node)
{
    while (node) {
        const struct template_entry *entry;
        const struct token token = {.text = node->text, .size = node->size, .offset = node->offset};

        if (template_skip(parser, ".")) {
            node = parse_attribute(parser, node);
        } else if (template_skip(parser, "[")) {
            node = parse_subscript(parser, node);
        } else if (template_at(parser, "(")) {
            if (node->kind != NODE_NAME)
                return template_unexpected(parser, "an operator or the tag's end");
            entry = template_find_function(node->text, node->size);
            if (!entry)
                return unknown(parser, "function", &token);
            node = parse_call(parser, NODE_FUNCTION, entry, node->offset, NULL);
        } else {
            break;
        }
    }
    return node;
}

/* Behind `is`: a test, perhaps with not, and its argument with or without brackets. */
static struct node *parse_test(struct parser *parser, struct node *subject, size_t offset)
{
    bool is_negated = template_skip_word(parser, "not");
    const struct token token = parser->current;
    const struct template_entry *entry;
    struct node *node;

    if (!template_expect_kind(parser, TOKEN_NAME, "a test's name"))
        return NULL;
    entry = template_find_test(token.text, token.size);
    if (!entry)
        return unknown(parser, "test", &token);
    if (entry->most && !template_at(parser, "(")) {
        struct node *argument = template_parse_postfix(parser, template_parse_primary(parser));

        node = argument ? template_single(parser, NODE_TEST, token.offset, subject) : NULL;
        if (!node || !template_adopt_item(parser, node, argument))
            return NULL;
        node->entry = entry;
    } else {
        node = parse_call(parser, NODE_TEST, entry, token.offset, subject);
    }
    return is_negated ? template_single(parser, NODE_NOT, offset, node) : node;
}

struct node *template_parse_filters(struct parser *parser, struct node *node)
{
    while (node) {
        size_t offset = parser->current.offset;

        if (template_skip(parser, "|")) {
            const struct token token = parser->current;
            const struct template_entry *entry;

            if (!template_expect_kind(parser, TOKEN_NAME, "a filter's name"))
                return NULL;
            entry = template_find_filter(token.text, token.size);
            if (!entry || template_at(parser, "."))
                return unknown(parser, "filter", &token);
            node = parse_call(parser, NODE_FILTER, entry, token.offset, node);
        } else if (template_skip_word(parser, "is")) {
            node = parse_test(parser, node, offset);
        } else {
            break;
        }
    }
    return node;
}
