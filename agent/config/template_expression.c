/* Templates: expressions as a tree, by the precedence of Jinja's parser; see template.h. */
#include "config/template_parts.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"

#include <errno.h>
#include <math.h>

bool template_adopt(struct parser *parser, struct node *node, const struct node *child)
{
    if (!child)
        return false;
    if (child->depth >= node->depth)
        node->depth = child->depth + 1;
    if (node->depth <= TEMPLATE_DEPTH_MAX)
        return true;
    template_fail(parser->lexer.source, node->offset, "nested too deeply");
    return false;
}

bool template_adopt_item(struct parser *parser, struct node *node, struct node *item)
{
    if (!template_adopt(parser, node, item))
        return false;
    template_append(node, item);
    return true;
}

struct node *template_pair(struct parser *parser, enum node_kind kind,
                           enum template_operator operation, size_t offset, struct node *one,
                           struct node *two)
{
    struct node *node = one && two ? template_node(parser, kind, offset) : NULL;

    if (!node)
        return NULL;
    node->operation = operation;
    node->one = one;
    node->two = two;
    return template_adopt(parser, node, one) && template_adopt(parser, node, two) ? node : NULL;
}

struct node *template_single(struct parser *parser, enum node_kind kind, size_t offset,
                             struct node *one)
{
    struct node *node = one ? template_node(parser, kind, offset) : NULL;

    if (!node)
        return NULL;
    node->one = one;
    return template_adopt(parser, node, one) ? node : NULL;
}

/* Takes the value over. */
static struct node *constant(struct parser *parser, size_t offset, json_t *value)
{
    struct node *node = template_node(parser, NODE_CONST, offset);

    json_add(parser->arena->values, value);
    if (node)
        node->value = value;
    return node;
}

static json_t *integer_value(struct parser *parser, const char *digits)
{
    int base = 10;
    long long value;
    char *end;

    if (digits[0] == '0' && digits[1] && strchr("xXoObB", digits[1])) {
        base = strchr("xX", digits[1]) ? 16 : strchr("oO", digits[1]) ? 8 : 2;
        digits += 2;
    } else if (digits[0] == '0' && strspn(digits, "0") != strlen(digits)) {
        digits = "";
    }
    errno = 0;
    value = strtoll(digits, &end, base);
    if (!*digits || *end || *digits == '-' || *digits == '+')
        template_fail(parser->lexer.source, parser->current.offset, "not a number");
    else if (errno)
        template_fail(parser->lexer.source, parser->current.offset, "the number is too large");
    else
        return json_integer(value);
    return NULL;
}

/* A number token's value; _ parts digits. */
static json_t *number_value(struct parser *parser)
{
    const struct token *token = &parser->current;
    char digits[128];
    size_t count = 0;
    double value;

    for (size_t i = 0; i < token->size && count + 1 < sizeof digits; i++) {
        if (token->text[i] != '_')
            digits[count++] = token->text[i];
    }
    digits[count] = '\0';
    if (token->size >= sizeof digits) {
        template_fail(parser->lexer.source, token->offset, "the number is too large");
        return NULL;
    }
    if (token->kind == TOKEN_INTEGER)
        return integer_value(parser, digits);
    value = strtod(digits, NULL);
    if (isfinite(value))
        return json_real(value);
    template_fail(parser->lexer.source, token->offset, "the number is too large");
    return NULL;
}

struct node *template_parse_number(struct parser *parser)
{
    size_t offset = parser->current.offset;
    json_t *value = number_value(parser);

    template_advance(parser);
    return value ? constant(parser, offset, value) : NULL;
}

/* One text, or several one behind the other, which are one. */
static struct node *parse_string(struct parser *parser)
{
    AUTO_BUFFER struct buffer text = BUFFER_INIT(2 * TEMPLATE_SIZE_MAX);
    size_t offset = parser->current.offset;

    while (parser->current.kind == TOKEN_STRING) {
        AUTO_JSON json_t *value = template_unescape(parser->lexer.source, &parser->current);

        if (!value)
            return NULL;
        buffer_append(&text, json_string_value(value), json_string_length(value));
        template_advance(parser);
    }
    return constant(parser, offset, memory_need(json_stringn(buffer_text(&text), text.size)));
}

static struct node *parse_list(struct parser *parser)
{
    struct node *node = template_node(parser, NODE_LIST, parser->current.offset);

    template_advance(parser);
    if (!node)
        return NULL;
    while (!template_at(parser, "]")) {
        if (node->list && !template_expect(parser, ","))
            return NULL;
        if (template_at(parser, "]"))
            break;
        if (!template_adopt_item(parser, node, template_parse_expression(parser)))
            return NULL;
    }
    template_advance(parser);
    return node;
}

static struct node *parse_dict(struct parser *parser)
{
    struct node *node = template_node(parser, NODE_DICT, parser->current.offset);

    template_advance(parser);
    if (!node)
        return NULL;
    while (!template_at(parser, "}")) {
        if (node->list && !template_expect(parser, ","))
            return NULL;
        if (template_at(parser, "}"))
            break;
        if (!template_adopt_item(parser, node, template_parse_expression(parser)) ||
            !template_expect(parser, ":") ||
            !template_adopt_item(parser, node, template_parse_expression(parser)))
            return NULL;
    }
    template_advance(parser);
    return node;
}

static struct node *parse_name(struct parser *parser)
{
    const struct token token = parser->current;
    struct node *node;

    template_advance(parser);
    if (template_token_is(&token, "true") || template_token_is(&token, "True"))
        return constant(parser, token.offset, json_true());
    if (template_token_is(&token, "false") || template_token_is(&token, "False"))
        return constant(parser, token.offset, json_false());
    if (template_token_is(&token, "none") || template_token_is(&token, "None"))
        return constant(parser, token.offset, json_null());
    node = template_node(parser, NODE_NAME, token.offset);
    if (node) {
        node->text = token.text;
        node->size = token.size;
    }
    return node;
}

struct node *template_parse_primary(struct parser *parser)
{
    struct node *node;

    switch (parser->current.kind) {
    case TOKEN_NAME:
        if (template_is_reserved(&parser->current) && !strchr("tfnTFN", *parser->current.text))
            break;
        if (template_at_word(parser, "for") || template_at_word(parser, "not"))
            break;
        return parse_name(parser);
    case TOKEN_STRING:
        return parse_string(parser);
    case TOKEN_INTEGER:
    case TOKEN_FLOAT:
        return template_parse_number(parser);
    case TOKEN_OPERATOR:
        if (template_at(parser, "["))
            return parse_list(parser);
        if (template_at(parser, "{"))
            return parse_dict(parser);
        if (!template_skip(parser, "("))
            break;
        if (template_at(parser, ")")) {
            node = template_node(parser, NODE_LIST, parser->current.offset);
            template_advance(parser);
            return node;
        }
        node = template_parse_tuple(parser, true);
        return node && template_expect(parser, ")") ? node : NULL;
    default:
        break;
    }
    return template_unexpected(parser, "a value");
}

static struct node *parse_unary(struct parser *parser, bool with_filters)
{
    size_t offset = parser->current.offset;
    enum template_operator operation = template_at(parser, "-")   ? OPERATOR_SUBTRACT
                                       : template_at(parser, "+") ? OPERATOR_ADD
                                                                  : OPERATOR_NONE;
    struct node *node;

    if (operation) {
        if (!template_enter(parser))
            return NULL;
        template_advance(parser);
        node = template_single(parser, NODE_UNARY, offset, parse_unary(parser, false));
        if (node)
            node->operation = operation;
        template_leave(parser);
    } else {
        node = template_parse_primary(parser);
    }
    node = template_parse_postfix(parser, node);
    return with_filters ? template_parse_filters(parser, node) : node;
}

/* Which of the operators, given as text and meaning, stands here; it is skipped. */
struct spelling {
    const char *text;
    enum template_operator operation;
};

static enum template_operator skip_operator(struct parser *parser, const struct spelling *spellings)
{
    for (; spellings->text; spellings++) {
        if (template_skip(parser, spellings->text))
            return spellings->operation;
    }
    return OPERATOR_NONE;
}

static struct node *parse_power(struct parser *parser)
{
    static const struct spelling power[] = {{"**", OPERATOR_POWER}, {NULL, OPERATOR_NONE}};
    struct node *left = parse_unary(parser, true);
    size_t offset = parser->current.offset;

    while (left && skip_operator(parser, power)) {
        left = template_pair(parser, NODE_BINARY, OPERATOR_POWER, offset, left,
                             parse_unary(parser, true));
        offset = parser->current.offset;
    }
    return left;
}

static struct node *parse_product(struct parser *parser)
{
    static const struct spelling products[] = {{"*", OPERATOR_MULTIPLY},
                                               {"/", OPERATOR_DIVIDE},
                                               {"//", OPERATOR_FLOOR},
                                               {"%", OPERATOR_MODULO},
                                               {NULL, OPERATOR_NONE}};
    struct node *left = parse_power(parser);
    size_t offset = parser->current.offset;
    enum template_operator operation;

    while (left && (operation = skip_operator(parser, products))) {
        left = template_pair(parser, NODE_BINARY, operation, offset, left, parse_power(parser));
        offset = parser->current.offset;
    }
    return left;
}

static struct node *parse_concat(struct parser *parser)
{
    struct node *first = parse_product(parser), *node;

    if (!first || !template_at(parser, "~"))
        return first;
    node = template_node(parser, NODE_CONCAT, parser->current.offset);
    if (!node || !template_adopt_item(parser, node, first))
        return NULL;
    while (template_skip(parser, "~")) {
        if (!template_adopt_item(parser, node, parse_product(parser)))
            return NULL;
    }
    return node;
}

static struct node *parse_sum(struct parser *parser)
{
    static const struct spelling sums[] = {
        {"+", OPERATOR_ADD}, {"-", OPERATOR_SUBTRACT}, {NULL, OPERATOR_NONE}};
    struct node *left = parse_concat(parser);
    size_t offset = parser->current.offset;
    enum template_operator operation;

    while (left && (operation = skip_operator(parser, sums))) {
        left = template_pair(parser, NODE_BINARY, operation, offset, left, parse_concat(parser));
        offset = parser->current.offset;
    }
    return left;
}

static enum template_operator skip_comparison(struct parser *parser)
{
    static const struct spelling comparisons[] = {
        {"==", OPERATOR_EQUAL},      {"!=", OPERATOR_UNEQUAL}, {"<", OPERATOR_LESS},
        {"<=", OPERATOR_LESS_EQUAL}, {">", OPERATOR_GREATER},  {">=", OPERATOR_GREATER_EQUAL},
        {NULL, OPERATOR_NONE}};

    if (template_skip_word(parser, "in"))
        return OPERATOR_IN;
    if (template_at_word(parser, "not") && parser->next.kind == TOKEN_NAME &&
        template_token_is(&parser->next, "in")) {
        template_advance(parser);
        template_advance(parser);
        return OPERATOR_NOT_IN;
    }
    return skip_operator(parser, comparisons);
}

static struct node *parse_comparison(struct parser *parser)
{
    struct node *first = parse_sum(parser), *node = NULL;
    size_t offset = parser->current.offset;
    enum template_operator operation;

    while (first && (operation = skip_comparison(parser))) {
        struct node *operand;

        if (!node && !(node = template_single(parser, NODE_COMPARE, offset, first)))
            return NULL;
        operand = template_single(parser, NODE_OPERAND, offset, parse_sum(parser));
        if (!operand || !template_adopt_item(parser, node, operand))
            return NULL;
        operand->operation = operation;
        offset = parser->current.offset;
    }
    return node ? node : first;
}

static struct node *parse_not(struct parser *parser)
{
    size_t offset = parser->current.offset;
    struct node *node;

    if (!template_at_word(parser, "not"))
        return parse_comparison(parser);
    if (!template_enter(parser))
        return NULL;
    template_advance(parser);
    node = template_single(parser, NODE_NOT, offset, parse_not(parser));
    template_leave(parser);
    return node;
}

static struct node *parse_and(struct parser *parser)
{
    struct node *left = parse_not(parser);
    size_t offset = parser->current.offset;

    while (left && template_skip_word(parser, "and")) {
        left = template_pair(parser, NODE_AND, OPERATOR_NONE, offset, left, parse_not(parser));
        offset = parser->current.offset;
    }
    return left;
}

struct node *template_parse_or(struct parser *parser)
{
    struct node *left = parse_and(parser);
    size_t offset = parser->current.offset;

    while (left && template_skip_word(parser, "or")) {
        left = template_pair(parser, NODE_OR, OPERATOR_NONE, offset, left, parse_and(parser));
        offset = parser->current.offset;
    }
    return left;
}

/* VALUE if CONDITION else OTHER. */
static struct node *parse_condition(struct parser *parser)
{
    struct node *node = template_parse_or(parser);

    while (node && template_at_word(parser, "if")) {
        size_t offset = parser->current.offset;
        struct node *then = node;

        template_advance(parser);
        node = template_pair(parser, NODE_CONDITION, OPERATOR_NONE, offset,
                             template_parse_or(parser), then);
        if (!node || !template_skip_word(parser, "else"))
            continue;
        node->three = template_parse_expression(parser);
        if (!template_adopt(parser, node, node->three))
            return NULL;
    }
    return node;
}

struct node *template_parse_expression(struct parser *parser)
{
    struct node *node;

    if (!template_enter(parser))
        return NULL;
    node = parse_condition(parser);
    template_leave(parser);
    return node;
}

/* One expression, or several with commas between, which are a list. */
struct node *template_parse_tuple(struct parser *parser, bool with_condition)
{
    struct node *node =
        with_condition ? template_parse_expression(parser) : template_parse_or(parser);
    struct node *list;

    if (!node || !template_at(parser, ","))
        return node;
    list = template_node(parser, NODE_LIST, node->offset);
    if (!list || !template_adopt_item(parser, list, node))
        return NULL;
    while (template_skip(parser, ",")) {
        if (parser->current.kind == TOKEN_PRINT_END || parser->current.kind == TOKEN_BLOCK_END ||
            template_at(parser, ")") || template_at_word(parser, "if"))
            break;
        node = with_condition ? template_parse_expression(parser) : template_parse_or(parser);
        if (!template_adopt_item(parser, list, node))
            return NULL;
    }
    return list;
}
