/*
 * Keys of package sources: given, or fetched from a key server by their fingerprint
 * (draft-gallagher-openpgp-hkp, section 3.1) and checked by gpg(1), since a key server answers
 * whatever it likes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <support/http.h>
#include <support/program.h>
#include <support/remember.h>
#include <support/tree.h>

#include "setup.h"

#define BLOCK "-----BEGIN PGP PUBLIC KEY BLOCK-----"
#define STANDARD_SERVER "keyserver.ubuntu.com"

enum {
    GPG_LIMIT_S = 60,
    KEY_MAX = 1 << 20,
    ATTEMPTS = 5,
    FINGERPRINT_DIGITS = 40,
    LONG_ID_DIGITS = 16,
    FINGERPRINT_FIELD = 9, /* of gpg's colon listing, from 0 */
    HKP_PORT = 11371
};

/* The digits of a key's id, without blanks and 0x; NULL: it is none, or too short to name one key.
 */
static char *digits_of(const char *id)
{
    char *made = text_format("%s", id), *to = made;
    size_t size;

    for (const char *at = strncasecmp(id, "0x", 2) == 0 ? id + 2 : id; *at; at++) {
        if (*at != ' ')
            *to++ = *at;
    }
    *to = '\0';
    size = strlen(made);
    if ((size == FINGERPRINT_DIGITS || size == LONG_ID_DIGITS) &&
        strspn(made, "0123456789abcdefABCDEF") == size)
        return made;
    free(made);
    return NULL;
}

/* The URL of a key on a server, which is a name, an http(s) URL, or an hkp(s) one. */
static char *url_of(const char *server, const char *digits)
{
    static const char query[] = "/pks/lookup?op=get&options=mr&search=0x";
    const char *host = strstr(server, "://");
    bool hkp = strncmp(server, "hkp://", strlen("hkp://")) == 0;
    bool plain = strncmp(server, "http://", strlen("http://")) == 0;
    size_t size;

    host = host ? host + strlen("://") : server;
    size = strlen(host);
    while (size && host[size - 1] == '/')
        size--;
    if (hkp && !memchr(host, ':', size))
        return text_format("http://%.*s:%d%s%s", (int)size, host, HKP_PORT, query, digits);
    return text_format("http%s://%.*s%s%s", hkp || plain ? "" : "s", (int)size, host, query,
                       digits);
}

/* The fingerprint in a line of gpg's listing, or NULL. */
static char *fingerprint_of(const char *line, size_t size)
{
    const char *end = line + size, *at = line;

    if (size < 4 || strncmp(line, "fpr:", 4) != 0)
        return NULL;
    for (int field = 0; field < FINGERPRINT_FIELD && at; field++) {
        at = memchr(at, ':', (size_t)(end - at));
        at = at ? at + 1 : NULL;
    }
    return at ? text_format("%.*s", (int)strcspn(at, ":\n"), at) : NULL;
}

static bool ends_with(const char *text, const char *ending)
{
    size_t size = strlen(text), length = strlen(ending);

    return size >= length && strcasecmp(text + size - length, ending) == 0;
}

/* Whether the listing is that of one key, with that id, its own or a subkey's. */
static bool is_key(const char *listing, const char *digits)
{
    unsigned keys = 0;
    bool found = false;

    for (const char *line = listing; *line;) {
        size_t size = strcspn(line, "\n");
        char *fingerprint = fingerprint_of(line, size);

        keys += size > 4 && strncmp(line, "pub:", 4) == 0;
        found = found || (fingerprint && ends_with(fingerprint, digits));
        free(fingerprint);
        line += size + (line[size] == '\n');
    }
    return found && keys == 1;
}

/* Whether the text is the key and nothing else; NULL, or why not. */
static const char *check(struct setup *setup, const struct text *text, const char *digits)
{
    /* With these, it wants a home that is there, and writes nothing into it. */
    static const char *const argv[] = {"gpg",
                                       "--batch",
                                       "--quiet",
                                       "--no-options",
                                       "--no-autostart",
                                       "--no-keyring",
                                       "--no-permission-warning",
                                       "--trust-model=always",
                                       "--homedir=/etc/apt",
                                       "--with-colons",
                                       "--show-keys",
                                       NULL};
    const struct bootlace_host *host = setup->host;
    char *listing = text_need(calloc(1, PROGRAM_OUTPUT_MAX));
    const struct bootlace_program program = {.size = sizeof program,
                                             .argv = argv,
                                             .input = text->bytes,
                                             .input_size = text->size,
                                             .effect = BOOTLACE_READS,
                                             .time_limit = GPG_LIMIT_S,
                                             .capture = listing,
                                             .capture_size = PROGRAM_OUTPUT_MAX};
    struct bootlace_ending ending;
    int result = host->run_program(host, &program, &ending);

    if (result == -ENOENT)
        return "gpg is needed to check the key: give it by `key`, or install gnupg before";
    if (result < 0 || !is_key(listing, digits))
        return "the key server's answer is not just this key";
    return NULL;
}

/* Fetches a key; NULL, or why it failed. */
static const char *fetch(struct setup *setup, const char *server, const char *digits,
                         struct text *text)
{
    const struct http_request request = {
        .url = url_of(server, digits), .redirects = 3, .body_max = KEY_MAX, .attempts = ATTEMPTS};
    struct http_answer answer = {0};
    struct http *http = http_new();
    int result = http_fetch(http, &request, &answer);
    const char *why = NULL;

    if (result < 0)
        why = text_format("its key cannot be fetched: %s", answer.why);
    else if (!strstr(text_string(&answer.body), BLOCK))
        why = "the key server's answer is no key";
    else
        text_add(text, answer.body.bytes, answer.body.size);
    http_answer_clear(&answer);
    http_free(http);
    return why ? why : check(setup, text, digits);
}

/* Whether the file is the one that was fetched for that id. */
static bool is_fetched(const struct setup *setup, const char *path, const char *digits)
{
    const json_t *known = json_object_get(json_object_get(setup->state, "keys"), path);
    const char *id = setup_text(known, "id"), *digest = setup_text(known, "digest");
    char now[REMEMBER_DIGEST_MAX];
    struct text text = {0};

    if (!id || !digest || strcmp(id, digits) != 0 || tree_read(setup->host, path, &text, NULL) < 0)
        return false;
    remember_digest(now, (const char *const[]){text_string(&text)}, &text.size, 1);
    return strcmp(now, digest) == 0;
}

static void remember_key(const struct setup *setup, const char *path, const char *digits,
                         const struct text *text)
{
    json_t *keys = json_object_get(setup->state, "keys");
    char digest[REMEMBER_DIGEST_MAX];

    if (!keys) {
        keys = text_need(json_object());
        json_object_set_new(setup->state, "keys", keys);
    }
    remember_digest(digest, (const char *const[]){text_string(text)}, &text->size, 1);
    json_object_set_new(keys, path, text_need(json_pack("{ssss}", "id", digits, "digest", digest)));
}

static int put_fetched(struct setup *setup, const char *path, const json_t *object)
{
    const char *server = setup_text(object, "keyserver");
    char *digits = digits_of(setup_text(object, "keyid"));
    struct text text = {0};
    const char *why;
    int result;

    if (!digits)
        return setup_fail(setup, path,
                          "keyid is no fingerprint: shorter ids than 16 digits name many keys");
    if (is_fetched(setup, path, digits)) {
        outcome_item(&setup->outcome, setup->host, path, 0, -1, NULL);
        return 0;
    }
    if (setup->host->dry_run) {
        outcome_item(&setup->outcome, setup->host, path, 1, -1, "would be fetched");
        return 1;
    }
    why = fetch(setup, server ? server : STANDARD_SERVER, digits, &text);
    if (why)
        return setup_fail(setup, path, why);
    result = setup_put(setup, path, &text, SETUP_FILE_MODE);
    if (result >= 0)
        remember_key(setup, path, digits, &text);
    return result;
}

int key_set_up(struct setup *setup, const char *name, const json_t *object, const char *folder,
               const char **path)
{
    const char *key = setup_text(object, "key");
    struct text text = {0};
    int result;

    if (!key && !setup_text(object, "keyid"))
        return 0;
    *path = text_format("%s/%s.asc", folder, setup_file_name(name));
    if (key && !strstr(key, BLOCK))
        return setup_fail(setup, *path, "key is no ASCII-armored OpenPGP key");
    if (key) {
        text_add_string(&text, key);
        if (text.bytes[text.size - 1] != '\n')
            text_add_string(&text, "\n");
        result = setup_put(setup, *path, &text, SETUP_FILE_MODE);
    } else
        result = put_fetched(setup, *path, object);
    return result < 0 ? result : 1;
}
