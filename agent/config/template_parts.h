/*
 * What the template engine's files share: tokens, the tree, and the state of a run.
 *
 * text -> template_lex.c (tokens) -> template_parse.c, template_expression.c,
 * template_postfix.c (tree) ->
 * template_eval.c (statements, names), template_compute.c and template_calculate.c (expressions),
 * template_value.c and template_json.c (how values look and compare), template_filters.c,
 * template_lists.c, template_methods.c, template_tests.c (what expressions can call).
 */
#ifndef BOOTLACE_CONFIG_TEMPLATE_PARTS_H
#define BOOTLACE_CONFIG_TEMPLATE_PARTS_H

#include "config/template.h"

#include <stdbool.h>
#include <stdint.h>

enum { TEMPLATE_ARGUMENTS_MAX = 8, TEMPLATE_NAMED_MAX = 3 };

/* The text as it is read: new lines are LF, no zero characters. */
struct template_source {
    const char *text;
    size_t size;
    size_t start; /* what stands before is no part of the template */
    struct error *error;
};

/* Sets the error, unless there is one already, with the line and column of that offset. -1. */
int template_fail(const struct template_source *source, size_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Tokens. */

enum token_kind {
    TOKEN_BAD, /* the error is set */
    TOKEN_END,
    TOKEN_DATA,
    TOKEN_PRINT,     /* {{ */
    TOKEN_PRINT_END, /* }} */
    TOKEN_BLOCK,     /* {% */
    TOKEN_BLOCK_END, /* %} */
    TOKEN_NAME,
    TOKEN_INTEGER,
    TOKEN_FLOAT,
    TOKEN_STRING, /* with its quotes */
    TOKEN_OPERATOR
};

struct token {
    enum token_kind kind;
    size_t offset;
    const char *text; /* within the source */
    size_t size;
};

enum lexer_mode { LEXER_DATA, LEXER_PRINT, LEXER_BLOCK };

struct lexer {
    const struct template_source *source;
    size_t at;
    size_t tag; /* where the tag that is open began */
    enum lexer_mode mode;
    unsigned depth;
    char brackets[TEMPLATE_DEPTH_MAX]; /* what closes the open ones */
};

struct token template_token(struct lexer *lexer);

/* The value of a string token's inside, escapes resolved: a new value, or NULL and an error. */
json_t *template_unescape(const struct template_source *source, const struct token *token);

bool template_is_space(char c);

/* The tree. */

enum node_kind {
    NODE_BODY,      /* list: statements */
    NODE_TEXT,      /* text */
    NODE_PRINT,     /* one */
    NODE_IF,        /* list: NODE_BRANCH */
    NODE_BRANCH,    /* one: the condition, NULL for else; two: the body */
    NODE_FOR,       /* list: the names; one: what to go through; two: body; three: else; four: if */
    NODE_SET,       /* list: the names; one: the value, or two: the body */
    NODE_CONST,     /* value */
    NODE_NAME,      /* text */
    NODE_LIST,      /* list */
    NODE_DICT,      /* list: key, value, key, value … */
    NODE_ATTRIBUTE, /* one; text */
    NODE_SUBSCRIPT, /* one; two */
    NODE_SLICE,     /* one; two, three, four: from, to, step, each may be NULL */
    NODE_UNARY,     /* operation; one */
    NODE_BINARY,    /* operation; one, two */
    NODE_CONCAT,    /* list */
    NODE_COMPARE,   /* one; list: NODE_OPERAND */
    NODE_OPERAND,   /* operation; one */
    NODE_AND,       /* one, two */
    NODE_OR,        /* one, two */
    NODE_NOT,       /* one */
    NODE_CONDITION, /* one if two else three, which may be NULL */
    NODE_FILTER,    /* one; entry; list: the arguments */
    NODE_TEST,      /* one; entry; list */
    NODE_METHOD,    /* one; entry; list */
    NODE_FUNCTION,  /* entry; list */
    NODE_ABSENT     /* an argument that is not given, before one that is */
};

enum template_operator {
    OPERATOR_NONE,
    OPERATOR_ADD,
    OPERATOR_SUBTRACT,
    OPERATOR_MULTIPLY,
    OPERATOR_DIVIDE,
    OPERATOR_FLOOR,
    OPERATOR_MODULO,
    OPERATOR_POWER,
    OPERATOR_EQUAL,
    OPERATOR_UNEQUAL,
    OPERATOR_LESS,
    OPERATOR_LESS_EQUAL,
    OPERATOR_GREATER,
    OPERATOR_GREATER_EQUAL,
    OPERATOR_IN,
    OPERATOR_NOT_IN
};

struct template_entry;

struct node {
    enum node_kind kind;
    enum template_operator operation;
    unsigned depth;
    size_t offset;
    const char *text; /* within the source */
    size_t size;
    json_t *value; /* the arena owns it */
    const struct template_entry *entry;
    struct node *one, *two, *three, *four;
    struct node *list, *last, *next;
};

/* The memory of a tree. */
struct arena {
    struct arena_chunk *chunks;
    size_t used; /* of the newest chunk */
    size_t nodes;
    json_t *values;
};

#define AUTO_ARENA __attribute__((cleanup(template_arena_free)))
void template_arena_free(struct arena *arena);

struct parser {
    struct lexer lexer;
    struct token current, next;
    struct arena *arena;
    unsigned nesting;
};

/* The tree of a text, or NULL and an error. */
struct node *template_parse(const struct template_source *source, struct arena *arena);

/* For the parser's two files: NULL or false where the error is set. */
struct node *template_node(struct parser *parser, enum node_kind kind, size_t offset);
struct node *template_parse_expression(struct parser *parser);
struct node *template_parse_tuple(struct parser *parser, bool with_condition);
bool template_enter(struct parser *parser);
void template_leave(struct parser *parser);
void template_append(struct node *node, struct node *item);
void template_advance(struct parser *parser);
bool template_at(const struct parser *parser, const char *operation);
bool template_at_word(const struct parser *parser, const char *word);
bool template_skip(struct parser *parser, const char *operation);
bool template_skip_word(struct parser *parser, const char *word);
bool template_token_is(const struct token *token, const char *text);

/* Says that something else was expected where the parser stands; NULL. */
struct node *template_unexpected(struct parser *parser, const char *expected);
bool template_expect(struct parser *parser, const char *operation);
bool template_expect_kind(struct parser *parser, enum token_kind kind, const char *words);
bool template_is_reserved(const struct token *token);
struct node *template_parse_or(struct parser *parser);
struct node *template_parse_primary(struct parser *parser);
struct node *template_parse_number(struct parser *parser);

/* What may stand behind a value: .name [item] (call), and behind that |filter and is test. */
struct node *template_parse_postfix(struct parser *parser, struct node *node);
struct node *template_parse_filters(struct parser *parser, struct node *node);

/* Give a node its child: the tree stays so low that recursion through it is bounded. */
bool template_adopt(struct parser *parser, struct node *node, const struct node *child);
bool template_adopt_item(struct parser *parser, struct node *node, struct node *item);

/* A node with one child, or with two; NULL where one of them is. */
struct node *template_single(struct parser *parser, enum node_kind kind, size_t offset,
                             struct node *one);
struct node *template_pair(struct parser *parser, enum node_kind kind,
                           enum template_operator operation, size_t offset, struct node *one,
                           struct node *two);

/* A run. */

struct scope {
    struct scope *outer;
    json_t *names; /* NULL until one is set */
};

struct run {
    const struct template_source *source;
    const json_t *variables;
    struct buffer *out;
    struct scope *scope;
    size_t steps, turns;
    json_t *missing; /* stands for a variable that is not there: whoever uses it fails */
    json_t *nothing; /* what an inline if without else gives: it prints as nothing */
    const struct node *missing_node;
};

/* A call of a filter, test, method or function: the arguments not given are NULL. */
struct call {
    struct run *run;
    const struct node *node;
    json_t *subject;
    json_t *arguments[TEMPLATE_ARGUMENTS_MAX];
    size_t count;
};

/* A new value, or NULL and an error. */
typedef json_t *template_function(struct call *call);

struct template_entry {
    const char *name;
    template_function *function;
    unsigned least, most;                  /* arguments */
    const char *named[TEMPLATE_NAMED_MAX]; /* what the first ones are called */
    bool undefined;                        /* the subject may be missing */
};

/* NULL where there is none of that name. */
const struct template_entry *template_find_filter(const char *name, size_t size);
const struct template_entry *template_find_list_filter(const char *name, size_t size);
const struct template_entry *template_find_test(const char *name, size_t size);
const struct template_entry *template_find_method(const char *name, size_t size);
const struct template_entry *template_find_function(const char *name, size_t size);
const struct template_entry *template_find(const struct template_entry *entries, size_t count,
                                           const char *name, size_t size);

int template_run(struct run *run, const struct node *body);

/* The value of an expression, a new reference, which may be run->missing or run->nothing. */
json_t *template_compute(struct run *run, const struct node *node);

/* As template_compute, but what is missing is an error. */
json_t *template_need(struct run *run, const struct node *node);

/* The value that a name has, borrowed, or NULL. */
json_t *template_look_up(struct run *run, const char *name, size_t size);

/* A mapping's value of that key, as it stands or with operators read as _; borrowed, or NULL. */
json_t *template_member(const json_t *object, const char *name, size_t size);

/* Counts steps; -1 and an error where there are too many. */
int template_count(struct run *run, const struct node *node, size_t steps);
int template_count_bytes(struct run *run, const struct node *node, size_t bytes);

/* Counts a value that is looked through: by its bytes, items or keys. */
int template_count_value(struct run *run, const struct node *node, const json_t *value);

/* Sets an error at the node; NULL. */
json_t *template_refuse(struct run *run, const struct node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "the variable … is not there", with what to do; NULL. */
json_t *template_refuse_missing(struct run *run);

/* A text of those bytes, counted and limited: a new value, or NULL and an error. */
json_t *template_string(struct run *run, const struct node *node, const char *bytes, size_t size);

/* Takes the item over; -1 and an error where the list grows too long. */
int template_push(struct run *run, const struct node *node, json_t *list, json_t *item);

/* Values. */

/* Appends the value as it is printed (str), or as it stands in a list (repr). */
int template_print(struct run *run, const struct node *node, const json_t *value,
                   struct buffer *out);
int template_print_json(struct run *run, const struct node *node, const json_t *value, int indent,
                        unsigned depth, struct buffer *out);

/* What the value prints as: its own where it is a text; new value. */
json_t *template_text(struct run *run, const struct node *node, json_t *value);

bool template_truth(const struct run *run, const json_t *value);
const char *template_kind(const struct run *run, const json_t *value);

/* 1, 0, -1: equal, not, error. */
int template_equal(struct run *run, const struct node *node, const json_t *a, const json_t *b,
                   unsigned depth);

/* Sets order to below, equal to or above 0; -1 and an error where they have no order. */
int template_order(struct run *run, const struct node *node, const json_t *a, const json_t *b,
                   int *order);

/* 1, 0, -1: whether the container has the item. */
int template_contains(struct run *run, const struct node *node, const json_t *container,
                      const json_t *item);

/* -1 and an error where the value is nested more than so many levels. */
int template_check_depth(struct run *run, const struct node *node, const json_t *value,
                         unsigned levels);

/* A list of what a loop goes through: items, keys, characters. A new value, or NULL and an error.
 */
json_t *template_items(struct run *run, const struct node *node, json_t *value);

/* Numbers: truth values are 0 and 1. */
struct number {
    bool real;
    json_int_t integer;
    double value; /* always set */
};
bool template_number(const json_t *value, struct number *number);
json_t *template_real(struct run *run, const struct node *node, double value);
json_t *template_calculate(struct run *run, const struct node *node,
                           enum template_operator operation, json_t *left, json_t *right);

/* UTF-8: characters, and the offset of the character of that number. */
size_t template_length(const char *text, size_t size);
size_t template_offset(const char *text, size_t size, size_t character);

/* The subject without white space, or the characters of the first argument, at its ends. */
json_t *template_strip(struct call *call, const json_t *subject, bool left, bool right);

/* Arguments of a call: -1 and an error where one is given that is of another kind. */
int template_integer_argument(struct call *call, size_t index, json_int_t *number);
bool template_flag_argument(const struct call *call, size_t index, bool fallback);
int template_text_argument(struct call *call, size_t index, const char **text);

#endif
