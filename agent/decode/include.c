/*
 * #include and #include-once: addresses, one a line, whose content takes their place.
 *
 * As in cloud-init, an address may stand on the line of the word itself, the word may come again,
 * and other lines that begin with '#' are comments. Here a checksum may follow an address,
 * https://host/file#sha256=<64 hexadecimal digits>, and a name without a scheme is a file of the
 * archive that the text came in.
 *
 * An address may carry a secret behind its '?', or before its '@': neither is ever shown.
 */
#include "base/banned.h"
#include "base/memory.h"
#include "decode/mime_header.h"
#include "decode/piece.h"
#include "decode/sha256.h"
#include "decode/types.h"

#include <ctype.h>
#include <strings.h>

enum { URL_MAX = 4096 };

static const char checksum_mark[] = "sha256=";

/* An include under way. */
struct include {
    struct decoder *decoder;
    const struct piece *piece;
    unsigned line; /* within the piece, from 1 */
    bool once;
};

static int problem(const struct include *include, struct error *error)
{
    error_at(error, NULL, include->line, 0);
    return piece_problem(include->decoder, include->piece, error);
}

static int refuse(const struct include *include, const char *message, const char *hint)
{
    struct error error = ERROR_INIT;

    error_set(&error, ERROR_INPUT, "%s", message);
    error_hint(&error, "%s", hint);
    return problem(include, &error);
}

/* The address without what may be secret: scheme, host and path. */
static char *shown(const char *url)
{
    const char *host = strstr(url, "://");
    size_t scheme = host ? (size_t)(host - url) + strlen("://") : 0;
    const char *rest = url + scheme;
    size_t length = strcspn(rest, "?#"), authority = strcspn(rest, "/?#");
    const char *at = memrchr(rest, '@', authority);
    char *text;

    if (at) {
        length -= (size_t)(at + 1 - rest);
        rest = at + 1;
    }
    text = memory_format("%.*s%.*s", (int)scheme, url, (int)length, rest);
    for (char *c = text; *c; c++) {
        if (iscntrl((unsigned char)*c))
            *c = '?';
    }
    return text;
}

static bool has_scheme(const char *url)
{
    return strncasecmp(url, "http://", strlen("http://")) == 0 ||
           strncasecmp(url, "https://", strlen("https://")) == 0 ||
           strncasecmp(url, "file:///", strlen("file:///")) == 0;
}

/* Cuts the fragment off; *checksum is what it says, or NULL. False: it is no good one. */
static bool take_checksum(char *url, const char **checksum)
{
    char *fragment = strchr(url, '#');

    *checksum = NULL;
    if (!fragment)
        return true;
    *fragment++ = '\0';
    if (strncasecmp(fragment, checksum_mark, strlen(checksum_mark)) != 0)
        return true;
    *checksum = fragment + strlen(checksum_mark);
    return strlen(*checksum) == SHA256_TEXT_MAX - 1 &&
           strspn(*checksum, "0123456789abcdefABCDEF") == SHA256_TEXT_MAX - 1;
}

static bool leads_here(const struct decoder *decoder, const char *url)
{
    for (const struct piece_origin *o = decoder->origin; o; o = o->outer) {
        if (strcmp(o->url, url) == 0)
            return true;
    }
    return false;
}

/* What takes the address' place says for itself what it is. */
static struct piece inner_of(const struct include *include, const char *name,
                             const struct buffer *bytes)
{
    struct piece inner = piece_inner(include->piece, bytes);

    inner.name = name;
    inner.type = inner.fallback = inner.merge_type = inner.launch_index = NULL;
    return inner;
}

/* What was fetched does not see the archive that the address came in. */
static int decode_fetched(const struct include *include, const char *url,
                          const struct buffer *bytes)
{
    struct decoder *decoder = include->decoder;
    const struct piece_origin origin = {.url = url, .outer = decoder->origin};
    const struct piece_files *outer = decoder->files;
    struct piece inner = inner_of(include, NULL, bytes);
    int result;

    decoder->origin = &origin;
    decoder->files = NULL;
    result = decode_piece(decoder, &inner);
    decoder->files = outer;
    decoder->origin = origin.outer;
    return result;
}

static int fetch(const struct include *include, const char *url, const char *checksum)
{
    AUTO_BUFFER struct buffer bytes = BUFFER_INIT(DECODE_INCLUDE_SIZE_MAX);
    const struct decode_setup *setup = include->decoder->setup;
    decode_fetch *get = include->once && setup->fetch_once ? setup->fetch_once : setup->fetch;
    AUTO_FREE char *label = shown(url);
    char digest[SHA256_TEXT_MAX];
    struct error error = ERROR_INIT, failure = ERROR_INIT;

    if (!get) {
        error_set(&error, ERROR_INPUT, "%s is not fetched here", label);
        error_hint(&error, "what it holds was not looked at");
        error_at(&error, NULL, include->line, 0);
        return piece_warning(include->decoder, include->piece, &error);
    }
    if (get(setup->context, url, &bytes, &failure) < 0) {
        error_set(&error, failure.kind, "%s: %s", label, failure.message);
        error_hint(&error, "%s", failure.hint);
        return problem(include, &error);
    }
    if (checksum &&
        strcasecmp(sha256_text(buffer_text(&bytes), bytes.size, digest), checksum) != 0) {
        error_set(&error, ERROR_INPUT, "%s is not what its checksum says (%zu bytes, sha256 %s)",
                  label, bytes.size, digest);
        error_hint(&error, "it was changed, or the checksum is another file's");
        return problem(include, &error);
    }
    if (piece_charge(include->decoder, include->piece, bytes.size) < 0)
        return -1;
    return decode_fetched(include, url, &bytes);
}

static int include_url(const struct include *include, char *url)
{
    struct decoder *decoder = include->decoder;
    struct error error = ERROR_INIT;
    const char *checksum;

    if (!take_checksum(url, &checksum))
        return refuse(include, "the checksum behind an address is no SHA-256",
                      "#sha256= is followed by 64 hexadecimal digits");
    if (leads_here(decoder, url)) {
        AUTO_FREE char *label = shown(url);

        error_set(&error, ERROR_INPUT, "%s includes itself", label);
        return problem(include, &error);
    }
    if (++decoder->includes > DECODE_INCLUDES_MAX) {
        error_set(&error, ERROR_INPUT, "more than %d addresses are included", DECODE_INCLUDES_MAX);
        problem(include, &error);
        return -1;
    }
    return fetch(include, url, checksum);
}

static int include_file(const struct include *include, const char *name)
{
    struct decoder *decoder = include->decoder;
    const struct piece_origin origin = {.url = name, .outer = decoder->origin};
    static const struct buffer nothing = BUFFER_INIT(0);
    AUTO_FREE char *label = piece_label(name);
    struct piece inner = inner_of(include, label, &nothing);
    int result;

    if (leads_here(decoder, name))
        return refuse(include, "a file of the archive includes itself", "remove the line");
    decoder->origin = &origin;
    result = bundle_take(decoder, &inner, name);
    decoder->origin = origin.outer;
    if (result > 0)
        return refuse(include, "an included address is none that is understood",
                      "known are http://, https:// and file:///, and in an archive its files");
    return result;
}

static int include_address(const struct include *include, char *address)
{
    if (strlen(address) > URL_MAX)
        return refuse(include, "an included address is too long",
                      "at most 4096 characters are taken");
    for (const char *c = address; *c; c++) {
        if ((unsigned char)*c <= ' ' || *c == '\x7f')
            return refuse(include, "an included address has a blank in it",
                          "one address a line; %20 stands for a blank");
    }
    return has_scheme(address) ? include_url(include, address) : include_file(include, address);
}

/* A line: *line moves behind the word that it may begin with, which says how to go on. */
static void take_word(struct include *include, const char **line, size_t *length)
{
    static const struct {
        const char *word;
        bool once;
    } words[] = {{"#include-once", true}, {"#include", false}};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        size_t size = strlen(words[i].word);

        if (*length >= size && strncasecmp(*line, words[i].word, size) == 0) {
            include->once = words[i].once;
            *line += size;
            *length -= size;
            return;
        }
    }
}

int include_decode(struct decoder *decoder, const struct piece *piece)
{
    struct include include = {.decoder = decoder,
                              .piece = piece,
                              .once = piece->type && strcmp(piece->type, TYPE_INCLUDE_ONCE) == 0};
    const char *end = piece->bytes + piece->size;

    for (const char *at = piece->bytes; at < end;) {
        size_t whole = mime_line(at, (size_t)(end - at)), length = whole;
        const char *line = at;

        include.line++;
        take_word(&include, &line, &length);
        while (length && isspace((unsigned char)*line)) {
            line++;
            length--;
        }
        while (length && isspace((unsigned char)line[length - 1]))
            length--;
        if (length && *line != '#') {
            AUTO_FREE char *address = memory_copy_bytes(line, length);

            if (memchr(line, '\0', length))
                refuse(&include, "an included address has a zero byte in it", "is it text?");
            else if (include_address(&include, address) < 0)
                return -1;
        }
        at += whole;
    }
    return 0;
}
