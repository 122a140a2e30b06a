/* Templates: the text as tokens, by the rules of Jinja's lexer; see template.h. */
#include "config/template_parts.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"

/* Tags that stand in the text itself, as against those that are within a tag. */
static const char BLOCK_START[] = "{%", BLOCK_END[] = "%}", COMMENT_END[] = "#}";
enum { TAG_SIZE = 2 };

bool template_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

int template_fail(const struct template_source *source, size_t offset, const char *format, ...)
{
    char message[ERROR_MESSAGE_MAX];
    unsigned line = 1, column = 1;
    va_list arguments;

    if (source->error->kind != ERROR_NONE)
        return -1;
    for (size_t i = 0; i < offset && i < source->size; i++) {
        if (source->text[i] == '\n') {
            line++;
            column = 1;
        } else if ((source->text[i] & 0xc0) != 0x80) {
            column++;
        }
    }
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    error_set(source->error, ERROR_INPUT, "%s", message);
    return error_at(source->error, NULL, line, column);
}

static bool starts_with(const struct lexer *lexer, size_t at, const char *word)
{
    size_t length = strlen(word);

    return lexer->source->size - at >= length &&
           memcmp(lexer->source->text + at, word, length) == 0;
}

static char byte_at(const struct lexer *lexer, size_t at)
{
    return at < lexer->source->size ? lexer->source->text[at] : '\0';
}

static size_t skip_space(const struct lexer *lexer, size_t at)
{
    while (at < lexer->source->size && template_is_space(lexer->source->text[at]))
        at++;
    return at;
}

/* Where the word stands next, or the text's size. */
static size_t find(const struct lexer *lexer, size_t at, const char *word)
{
    const char *text = lexer->source->text;
    const char *found = at < lexer->source->size
                            ? memmem(text + at, lexer->source->size - at, word, strlen(word))
                            : NULL;

    return found ? (size_t)(found - text) : lexer->source->size;
}

/* Where the text's next tag begins: {{, {% or {#. */
static size_t find_tag(const struct lexer *lexer, size_t at)
{
    const char *text = lexer->source->text;
    size_t size = lexer->source->size;

    while (at < size) {
        const char *brace = memchr(text + at, '{', size - at);

        if (!brace)
            return size;
        at = (size_t)(brace - text);
        if (at + 1 < size && strchr("{%#", text[at + 1]))
            return at;
        at++;
    }
    return size;
}

static struct token make_token(const struct lexer *lexer, enum token_kind kind, size_t from,
                               size_t to)
{
    return (struct token){
        .kind = kind, .offset = from, .text = lexer->source->text + from, .size = to - from};
}

static struct token bad_token(const struct lexer *lexer, size_t offset, const char *message)
{
    template_fail(lexer->source, offset, "%s", message);
    return make_token(lexer, TOKEN_BAD, offset, offset);
}

/* Where the text before a tag ends: {%- takes the white space before it away. */
static size_t data_end(const struct lexer *lexer, size_t from, size_t tag)
{
    if (byte_at(lexer, tag + TAG_SIZE) == '-') {
        while (tag > from && template_is_space(lexer->source->text[tag - 1]))
            tag--;
    }
    return tag;
}

/* Where the text goes on behind a tag's end; the sign before the end is given. */
static size_t after_end(const struct lexer *lexer, size_t end, char sign)
{
    if (sign == '-')
        return skip_space(lexer, end);
    if (sign != '+' && byte_at(lexer, end) == '\n')
        return end + 1;
    return end;
}

/*
 * If the tag at that place is {% WORD %}, returns where it ends (before its new line), and its
 * last sign; else 0.
 */
static size_t match_tag(const struct lexer *lexer, size_t at, const char *word, char *sign)
{
    at += TAG_SIZE;
    if (byte_at(lexer, at) == '-' || byte_at(lexer, at) == '+')
        at++;
    at = skip_space(lexer, at);
    if (at > lexer->source->size || !starts_with(lexer, at, word))
        return 0;
    at = skip_space(lexer, at + strlen(word));
    *sign = byte_at(lexer, at);
    if (*sign == '-' || *sign == '+')
        at++;
    return at < lexer->source->size && starts_with(lexer, at, BLOCK_END) ? at + TAG_SIZE : 0;
}

/* Goes behind a comment; false and an error where it is not closed. */
static bool skip_comment(struct lexer *lexer, size_t tag)
{
    size_t from = tag + TAG_SIZE, end;

    if (byte_at(lexer, from) == '-' || byte_at(lexer, from) == '+')
        from++;
    end = find(lexer, from, COMMENT_END);
    if (end == lexer->source->size) {
        template_fail(lexer->source, tag, "a comment that is not closed by #}");
        if (tag && lexer->source->text[tag - 1] == '$')
            error_hint(lexer->source->error,
                       "a shell's ${#...} is written {%% raw %%}${#...}{%% endraw %%} here");
        return false;
    }
    lexer->at = after_end(lexer, end + TAG_SIZE, end > from ? lexer->source->text[end - 1] : ' ');
    return true;
}

/* What stands between {% raw %} and {% endraw %}. */
static struct token raw_token(struct lexer *lexer, size_t tag, size_t from)
{
    for (size_t at = from; at < lexer->source->size; at++) {
        char sign = ' ';
        size_t end;

        at = find(lexer, at, BLOCK_START);
        end = at < lexer->source->size ? match_tag(lexer, at, "endraw", &sign) : 0;
        if (!end)
            continue;
        lexer->at = after_end(lexer, end, sign);
        return make_token(lexer, TOKEN_DATA, from, data_end(lexer, from, at));
    }
    return bad_token(lexer, tag, "raw is not closed by {% endraw %}");
}

/* In the text: the text up to the next tag, or what that tag begins. */
static struct token data_token(struct lexer *lexer)
{
    while (lexer->at < lexer->source->size) {
        size_t from = lexer->at, tag = find_tag(lexer, from), end = data_end(lexer, from, tag), raw;
        char sign = ' ';

        if (end > from) {
            lexer->at = tag;
            return make_token(lexer, TOKEN_DATA, from, end);
        }
        if (byte_at(lexer, tag + 1) == '#') {
            if (!skip_comment(lexer, tag))
                return make_token(lexer, TOKEN_BAD, tag, tag);
            continue;
        }
        if (tag == lexer->source->size)
            break;
        raw = byte_at(lexer, tag + 1) == '%' ? match_tag(lexer, tag, "raw", &sign) : 0;
        if (raw && sign != '+')
            return raw_token(lexer, tag, sign == '-' ? skip_space(lexer, raw) : raw);
        lexer->tag = tag;
        lexer->mode = byte_at(lexer, tag + 1) == '%' ? LEXER_BLOCK : LEXER_PRINT;
        lexer->at = tag + TAG_SIZE;
        if (byte_at(lexer, lexer->at) == '-' || byte_at(lexer, lexer->at) == '+')
            lexer->at++;
        return make_token(lexer, lexer->mode == LEXER_BLOCK ? TOKEN_BLOCK : TOKEN_PRINT, tag,
                          tag + TAG_SIZE);
    }
    lexer->at = lexer->source->size;
    return make_token(lexer, TOKEN_END, lexer->at, lexer->at);
}

/* Whether the tag ends here; brackets that are open keep it open. */
static bool end_token(struct lexer *lexer, struct token *token)
{
    const char *end = lexer->mode == LEXER_BLOCK ? BLOCK_END : "}}";
    size_t at = lexer->at;
    char sign = byte_at(lexer, at);
    bool is_block = lexer->mode == LEXER_BLOCK;

    if (lexer->depth)
        return false;
    if (sign == '-' || (is_block && sign == '+'))
        at++;
    if (!starts_with(lexer, at, end))
        return false;
    *token =
        make_token(lexer, is_block ? TOKEN_BLOCK_END : TOKEN_PRINT_END, lexer->at, at + TAG_SIZE);
    at += TAG_SIZE;
    if (is_block)
        lexer->at = after_end(lexer, at, sign);
    else
        lexer->at = sign == '-' ? skip_space(lexer, at) : at;
    lexer->mode = LEXER_DATA;
    return true;
}

/* The end of digits that single _ may part. */
static size_t digits_end(const struct lexer *lexer, size_t at)
{
    while (is_digit(byte_at(lexer, at)) ||
           (byte_at(lexer, at) == '_' && is_digit(byte_at(lexer, at + 1))))
        at++;
    return at;
}

static struct token number_token(struct lexer *lexer)
{
    size_t from = lexer->at, at = digits_end(lexer, from), power;
    enum token_kind kind = TOKEN_INTEGER;
    bool after_dot = from && lexer->source->text[from - 1] == '.';
    char second = byte_at(lexer, from + 1);

    if (byte_at(lexer, from) == '0' && second && strchr("xXoObB", second)) {
        at = from + 2;
        while (is_name_start(byte_at(lexer, at)) || is_digit(byte_at(lexer, at)))
            at++;
    } else if (!after_dot) {
        if (byte_at(lexer, at) == '.' && is_digit(byte_at(lexer, at + 1))) {
            kind = TOKEN_FLOAT;
            at = digits_end(lexer, at + 1);
        }
        if (byte_at(lexer, at) == 'e' || byte_at(lexer, at) == 'E') {
            power = at + 1;
            if (byte_at(lexer, power) == '+' || byte_at(lexer, power) == '-')
                power++;
            if (is_digit(byte_at(lexer, power))) {
                kind = TOKEN_FLOAT;
                at = digits_end(lexer, power);
            }
        }
    }
    lexer->at = at;
    return make_token(lexer, kind, from, at);
}

static struct token string_token(struct lexer *lexer)
{
    size_t from = lexer->at;
    char quote = lexer->source->text[from];

    for (size_t at = from + 1; at < lexer->source->size; at++) {
        if (lexer->source->text[at] == '\\') {
            at++;
        } else if (lexer->source->text[at] == quote) {
            lexer->at = at + 1;
            return make_token(lexer, TOKEN_STRING, from, at + 1);
        }
    }
    return bad_token(lexer, from, "a text that is not closed by its quote");
}

/* Keeps the account of brackets; false and an error where they don't match. */
static bool count_bracket(struct lexer *lexer, char c)
{
    static const char openers[] = "([{", closers[] = ")]}";
    const char *opener = strchr(openers, c);

    if (opener && c) {
        if (lexer->depth >= sizeof lexer->brackets) {
            template_fail(lexer->source, lexer->at, "nested too deeply");
            return false;
        }
        lexer->brackets[lexer->depth++] = closers[opener - openers];
        return true;
    }
    if (!strchr(closers, c))
        return true;
    if (!lexer->depth || lexer->brackets[lexer->depth - 1] != c) {
        if (lexer->depth)
            template_fail(lexer->source, lexer->at, "\"%c\" where \"%c\" is expected", c,
                          lexer->brackets[lexer->depth - 1]);
        else
            template_fail(lexer->source, lexer->at, "\"%c\" that closes nothing", c);
        return false;
    }
    lexer->depth--;
    return true;
}

static struct token operator_token(struct lexer *lexer)
{
    static const char *const doubles[] = {"//", "**", "==", "!=", ">=", "<="};
    size_t from = lexer->at;
    char c = lexer->source->text[from];

    for (size_t i = 0; i < ARRAY_SIZE(doubles); i++) {
        if (starts_with(lexer, from, doubles[i])) {
            lexer->at += 2;
            return make_token(lexer, TOKEN_OPERATOR, from, lexer->at);
        }
    }
    if (!strchr("+-/*%~[](){}><=.:|,;", c))
        return bad_token(lexer, from, "a character that does not belong into a tag");
    if (!count_bracket(lexer, c))
        return make_token(lexer, TOKEN_BAD, from, from);
    lexer->at++;
    return make_token(lexer, TOKEN_OPERATOR, from, lexer->at);
}

struct token template_token(struct lexer *lexer)
{
    struct token token;
    char c;

    if (lexer->mode == LEXER_DATA)
        return data_token(lexer);
    lexer->at = skip_space(lexer, lexer->at);
    c = byte_at(lexer, lexer->at);
    if (lexer->at >= lexer->source->size)
        return bad_token(lexer, lexer->tag, "a tag that is not closed");
    if (end_token(lexer, &token))
        return token;
    if (is_digit(c))
        return number_token(lexer);
    if (c == '"' || c == '\'')
        return string_token(lexer);
    if (is_name_start(c)) {
        size_t from = lexer->at;

        while (is_name_start(byte_at(lexer, lexer->at)) || is_digit(byte_at(lexer, lexer->at)))
            lexer->at++;
        return make_token(lexer, TOKEN_NAME, from, lexer->at);
    }
    return operator_token(lexer);
}

/* Appends a character as UTF-8; false for what is no character. */
static bool append_character(struct buffer *out, unsigned long code)
{
    char bytes[4];
    size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char marks[] = {0, 0, 0xc0, 0xe0, 0xf0};

    if (!code || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return false;
    for (size_t i = size; i-- > 1; code >>= 6)
        bytes[i] = (char)(0x80 | (code & 0x3f));
    bytes[0] = (char)(marks[size] | code);
    return buffer_append(out, bytes, size);
}

/* A numeric escape, \x41 \u00e9 \U0001f600 \101: how many bytes behind the \ it takes, or 0. */
static size_t numeric_escape(const char *text, size_t left, struct buffer *out)
{
    bool octal = *text >= '0' && *text <= '7';
    size_t start = octal ? 0 : 1;
    size_t wanted = octal ? 3 : *text == 'x' ? 2 : *text == 'u' ? 4 : 8;
    char digits[9] = "";
    size_t count = 0;

    while (count < wanted && start + count < left &&
           strchr(octal ? "01234567" : "0123456789abcdefABCDEF", text[start + count])) {
        digits[count] = text[start + count];
        count++;
    }
    if ((!octal && count != wanted) ||
        !append_character(out, strtoul(digits, NULL, octal ? 8 : 16)))
        return 0;
    return start + count;
}

/* The escape behind a \ : how many bytes it takes, or 0 for one that is not known. */
static size_t resolve_escape(const char *text, size_t left, struct buffer *out)
{
    static const char letters[] = "ntrabfv\\'\"", values[] = "\n\t\r\a\b\f\v\\'\"";
    const char *letter = strchr(letters, *text);

    if (letter && *text) {
        buffer_append(out, values + (letter - letters), 1);
        return 1;
    }
    if (*text == '\n')
        return 1;
    if (strchr("xuU01234567", *text))
        return numeric_escape(text, left, out);
    if (*text == 'N')
        return 0;
    buffer_append(out, "\\", 1);
    buffer_append(out, text, 1);
    return 1;
}

json_t *template_unescape(const struct template_source *source, const struct token *token)
{
    AUTO_BUFFER struct buffer out = BUFFER_INIT(2 * TEMPLATE_SIZE_MAX);
    size_t end = token->size - 1;
    json_t *value;

    for (size_t i = 1; i < end;) {
        size_t taken = 1;

        if (token->text[i] != '\\')
            buffer_append(&out, token->text + i, 1);
        else if ((taken = resolve_escape(token->text + i + 1, end - i - 1, &out)) > 0)
            taken++;
        if (!taken) {
            template_fail(source, token->offset + i, "an escape that is not known here");
            return NULL;
        }
        i += taken;
    }
    value = json_stringn(buffer_text(&out), out.size);
    if (!value)
        template_fail(source, token->offset, "text that is not UTF-8");
    return value;
}
