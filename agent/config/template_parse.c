/* Templates: statements and bodies as a tree, and the tree's memory; see template.h. */
#include "config/template_parts.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"

enum { CHUNK_NODES = 128 };

struct arena_chunk {
    struct arena_chunk *older;
    struct node nodes[CHUNK_NODES];
};

void template_arena_free(struct arena *arena)
{
    while (arena->chunks) {
        struct arena_chunk *chunk = arena->chunks;

        arena->chunks = chunk->older;
        free(chunk);
    }
    json_decref(arena->values);
    arena->values = NULL;
}

struct node *template_node(struct parser *parser, enum node_kind kind, size_t offset)
{
    struct arena *arena = parser->arena;
    struct node *node;

    if (++arena->nodes > TEMPLATE_NODES_MAX) {
        template_fail(parser->lexer.source, offset, "the template is too large");
        return NULL;
    }
    if (!arena->chunks || arena->used == CHUNK_NODES) {
        struct arena_chunk *chunk = memory_zeroed(1, sizeof *chunk);

        chunk->older = arena->chunks;
        arena->chunks = chunk;
        arena->used = 0;
    }
    node = &arena->chunks->nodes[arena->used++];
    node->kind = kind;
    node->offset = offset;
    node->depth = 1;
    return node;
}

void template_append(struct node *node, struct node *item)
{
    if (node->last)
        node->last->next = item;
    else
        node->list = item;
    node->last = item;
}

void template_advance(struct parser *parser)
{
    parser->current = parser->next;
    if (parser->next.kind != TOKEN_END && parser->next.kind != TOKEN_BAD)
        parser->next = template_token(&parser->lexer);
}

bool template_enter(struct parser *parser)
{
    if (parser->nesting >= TEMPLATE_DEPTH_MAX) {
        template_fail(parser->lexer.source, parser->current.offset, "nested too deeply");
        return false;
    }
    parser->nesting++;
    return true;
}

void template_leave(struct parser *parser)
{
    parser->nesting--;
}

bool template_token_is(const struct token *token, const char *text)
{
    return token->size == strlen(text) && memcmp(token->text, text, token->size) == 0;
}

bool template_at(const struct parser *parser, const char *operation)
{
    return parser->current.kind == TOKEN_OPERATOR && template_token_is(&parser->current, operation);
}

bool template_at_word(const struct parser *parser, const char *word)
{
    return parser->current.kind == TOKEN_NAME && template_token_is(&parser->current, word);
}

bool template_skip(struct parser *parser, const char *operation)
{
    bool is_there = template_at(parser, operation);

    if (is_there)
        template_advance(parser);
    return is_there;
}

bool template_skip_word(struct parser *parser, const char *word)
{
    bool is_there = template_at_word(parser, word);

    if (is_there)
        template_advance(parser);
    return is_there;
}

struct node *template_unexpected(struct parser *parser, const char *expected)
{
    const struct token *token = &parser->current;

    switch (token->kind) {
    case TOKEN_NAME:
    case TOKEN_OPERATOR:
        template_fail(parser->lexer.source, token->offset, "\"%.*s\" where %s is expected",
                      (int)(token->size > 64 ? 64 : token->size), token->text, expected);
        break;
    case TOKEN_BLOCK_END:
    case TOKEN_PRINT_END:
        template_fail(parser->lexer.source, token->offset, "the tag ends where %s is expected",
                      expected);
        break;
    case TOKEN_END:
        template_fail(parser->lexer.source, token->offset, "the template ends where %s is expected",
                      expected);
        break;
    default:
        template_fail(parser->lexer.source, token->offset, "a value where %s is expected",
                      expected);
        break;
    }
    return NULL;
}

bool template_expect(struct parser *parser, const char *operation)
{
    char words[8];

    if (template_skip(parser, operation))
        return true;
    snprintf(words, sizeof words, "\"%s\"", operation);
    template_unexpected(parser, words);
    return false;
}

bool template_expect_kind(struct parser *parser, enum token_kind kind, const char *words)
{
    if (parser->current.kind == kind) {
        template_advance(parser);
        return true;
    }
    template_unexpected(parser, words);
    return false;
}

/* Names that mean a value: nothing can be set to them. */
bool template_is_reserved(const struct token *token)
{
    static const char *const words[] = {"true", "false", "none", "True", "False",
                                        "None", "and",   "or",   "not",  "in",
                                        "is",   "if",    "else", "elif", "for"};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (template_token_is(token, words[i]))
            return true;
    }
    return false;
}

/* Names to set: a, or a, b, or (a, b). They become the node's list. */
static bool parse_targets(struct parser *parser, struct node *node)
{
    bool in_brackets = template_skip(parser, "(");

    do {
        struct node *name;

        if (parser->current.kind != TOKEN_NAME || template_is_reserved(&parser->current)) {
            template_unexpected(parser, "a name to set");
            return false;
        }
        name = template_node(parser, NODE_NAME, parser->current.offset);
        if (!name)
            return false;
        name->text = parser->current.text;
        name->size = parser->current.size;
        template_append(node, name);
        template_advance(parser);
    } while (template_skip(parser, ","));
    return !in_brackets || template_expect(parser, ")");
}

static struct node *parse_body(struct parser *parser, const char *const *ends, size_t opened);

static bool end_tag(struct parser *parser)
{
    return template_expect_kind(parser, TOKEN_BLOCK_END, "the tag's end");
}

static struct node *parse_if(struct parser *parser)
{
    static const char *const ends[] = {"elif", "else", "endif", NULL};
    static const char *const last[] = {"endif", NULL};
    size_t offset = parser->current.offset;
    struct node *node = template_node(parser, NODE_IF, offset);
    bool is_else = false;

    while (node) {
        struct node *branch = template_node(parser, NODE_BRANCH, parser->current.offset);

        template_advance(parser);
        if (!branch || (!is_else && !(branch->one = template_parse_tuple(parser, false))))
            return NULL;
        if (!end_tag(parser) || !(branch->two = parse_body(parser, is_else ? last : ends, offset)))
            return NULL;
        template_append(node, branch);
        if (template_skip_word(parser, "endif"))
            return end_tag(parser) ? node : NULL;
        is_else = template_at_word(parser, "else");
    }
    return NULL;
}

static struct node *parse_for(struct parser *parser)
{
    static const char *const ends[] = {"else", "endfor", NULL};
    static const char *const last[] = {"endfor", NULL};
    size_t offset = parser->current.offset;
    struct node *node = template_node(parser, NODE_FOR, offset);

    template_advance(parser);
    if (!node || !parse_targets(parser, node))
        return NULL;
    if (!template_skip_word(parser, "in"))
        return template_unexpected(parser, "\"in\"");
    if (!(node->one = template_parse_tuple(parser, false)))
        return NULL;
    if (template_skip_word(parser, "if") && !(node->four = template_parse_expression(parser)))
        return NULL;
    if (!end_tag(parser) || !(node->two = parse_body(parser, ends, offset)))
        return NULL;
    if (template_skip_word(parser, "else") &&
        (!end_tag(parser) || !(node->three = parse_body(parser, last, offset))))
        return NULL;
    template_advance(parser);
    return end_tag(parser) ? node : NULL;
}

static struct node *parse_set(struct parser *parser)
{
    static const char *const last[] = {"endset", NULL};
    size_t offset = parser->current.offset;
    struct node *node = template_node(parser, NODE_SET, offset);

    template_advance(parser);
    if (!node || !parse_targets(parser, node))
        return NULL;
    if (template_skip(parser, "=")) {
        node->one = template_parse_tuple(parser, true);
        return node->one && end_tag(parser) ? node : NULL;
    }
    if (node->list != node->last)
        return template_unexpected(parser, "\"=\"");
    if (!end_tag(parser) || !(node->two = parse_body(parser, last, offset)))
        return NULL;
    template_advance(parser);
    return end_tag(parser) ? node : NULL;
}

static struct node *unknown_tag(struct parser *parser)
{
    const struct token *token = &parser->current;

    if (token->kind != TOKEN_NAME)
        return template_unexpected(parser, "a tag's name");
    if (parser->lexer.source->error->kind == ERROR_NONE) {
        bool is_end = strncmp(token->text, "end", 3) == 0 || strncmp(token->text, "el", 2) == 0;

        template_fail(parser->lexer.source, token->offset,
                      is_end ? "the tag \"%.*s\" does not belong here"
                             : "the tag \"%.*s\" is not known here",
                      (int)(token->size > 64 ? 64 : token->size), token->text);
        error_hint(parser->lexer.source->error,
                   "there are if, elif, else, for, set and raw, each with its end");
    }
    return NULL;
}

/* A statement, the parser being at its tag's name. */
static struct node *parse_block(struct parser *parser)
{
    if (template_at_word(parser, "if"))
        return parse_if(parser);
    if (template_at_word(parser, "for"))
        return parse_for(parser);
    if (template_at_word(parser, "set"))
        return parse_set(parser);
    return unknown_tag(parser);
}

static bool at_one_of(const struct parser *parser, const char *const *words)
{
    for (; words && *words; words++) {
        if (template_at_word(parser, *words))
            return true;
    }
    return false;
}

static struct node *parse_print(struct parser *parser)
{
    struct node *node = template_node(parser, NODE_PRINT, parser->current.offset);

    template_advance(parser);
    if (!node || !(node->one = template_parse_tuple(parser, true)))
        return NULL;
    return template_expect_kind(parser, TOKEN_PRINT_END, "the tag's end") ? node : NULL;
}

static struct node *parse_text(struct parser *parser)
{
    struct node *node = template_node(parser, NODE_TEXT, parser->current.offset);

    if (!node)
        return NULL;
    node->text = parser->current.text;
    node->size = parser->current.size;
    template_advance(parser);
    return node;
}

/* Fills the body until one of the ends; false and an error. */
static bool fill_body(struct parser *parser, struct node *body, const char *const *ends,
                      size_t opened)
{
    for (;;) {
        struct node *node;

        switch (parser->current.kind) {
        case TOKEN_DATA:
            node = parse_text(parser);
            break;
        case TOKEN_PRINT:
            node = parse_print(parser);
            break;
        case TOKEN_BLOCK:
            template_advance(parser);
            if (at_one_of(parser, ends))
                return true;
            node = parse_block(parser);
            break;
        case TOKEN_END:
            if (!ends)
                return true;
            template_fail(parser->lexer.source, opened, "the tag is not closed by its end");
            return false;
        default:
            return template_unexpected(parser, "text or a tag") != NULL;
        }
        if (!node)
            return false;
        template_append(body, node);
    }
}

/* Statements until one of the ends, whose name is the current token then; NULL: the text's end. */
static struct node *parse_body(struct parser *parser, const char *const *ends, size_t opened)
{
    struct node *body = template_node(parser, NODE_BODY, parser->current.offset);
    bool is_well;

    if (!body || !template_enter(parser))
        return NULL;
    is_well = fill_body(parser, body, ends, opened);
    template_leave(parser);
    return is_well ? body : NULL;
}

struct node *template_parse(const struct template_source *source, struct arena *arena)
{
    struct parser parser = {.lexer = {.source = source, .at = source->start}, .arena = arena};

    arena->values = memory_need(json_array());
    parser.next = template_token(&parser.lexer);
    template_advance(&parser);
    return parse_body(&parser, NULL, 0);
}
