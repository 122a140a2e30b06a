/* What package managers print; see symptom.h. */
#include "symptom.h"

#include <stdlib.h>
#include <string.h>

/* Where the marks {} and <> of a pattern are in a line. */
struct places {
    const char *package, *why;
    size_t package_size, why_size;
};

/* Common to all of them: words of libcurl, of the C library, and of HTTP. */
static const struct symptom common[] = {
    {SYMPTOM_TRANSIENT, "*emporary failure*resolv*", NULL},
    {SYMPTOM_TRANSIENT, "*ould not resolve host*", NULL},
    {SYMPTOM_TRANSIENT, "*emporary failure in name resolution*", NULL},
    {SYMPTOM_TRANSIENT, "*ailed to connect to *", NULL},
    {SYMPTOM_TRANSIENT, "*onnection refused*", NULL},
    {SYMPTOM_TRANSIENT, "*onnection reset*", NULL},
    {SYMPTOM_TRANSIENT, "*onnection timed out*", NULL},
    {SYMPTOM_TRANSIENT, "*imeout was reached*", NULL},
    {SYMPTOM_TRANSIENT, "*peration too slow*", NULL},
    {SYMPTOM_TRANSIENT, "*etwork is unreachable*", NULL},
    {SYMPTOM_TRANSIENT, "*o route to host*", NULL},
    {SYMPTOM_TRANSIENT, "*429*Too Many Requests*", NULL},
    {SYMPTOM_TRANSIENT, "*500*Internal Server Error*", NULL},
    {SYMPTOM_TRANSIENT, "*502*Bad Gateway*", NULL},
    {SYMPTOM_TRANSIENT, "*503*Service Unavailable*", NULL},
    {SYMPTOM_TRANSIENT, "*504*Gateway Time*", NULL},
    {SYMPTOM_TRANSIENT, "*tatus code: 429*", NULL},
    {SYMPTOM_TRANSIENT, "*tatus code: 50*", NULL},
    {SYMPTOM_TRANSIENT, "*returned error: 429*", NULL},
    {SYMPTOM_TRANSIENT, "*returned error: 50*", NULL},
    {SYMPTOM_END, NULL, NULL},
};

static bool match(const char *pattern, const char *line, struct places *places);

/* The name of a package, the longest that fits. */
static bool match_package(const char *pattern, const char *line, struct places *places)
{
    size_t size = strcspn(line, " \t");

    for (; size > 0; size--) {
        if (!match(pattern + 2, line + size, places))
            continue;
        places->package = line;
        places->package_size = size;
        return true;
    }
    return false;
}

static bool match_why(const char *pattern, const char *line, struct places *places)
{
    for (const char *end = line;; end++) {
        if (match(pattern + 2, end, places)) {
            places->why = line;
            places->why_size = (size_t)(end - line);
            return true;
        }
        if (!*end)
            return false;
    }
}

static bool match(const char *pattern, const char *line, struct places *places)
{
    for (;; pattern++, line++) {
        if (strncmp(pattern, "{}", 2) == 0)
            return match_package(pattern, line, places);
        if (strncmp(pattern, "<>", 2) == 0)
            return match_why(pattern, line, places);
        if (*pattern == '*') {
            for (; !match(pattern + 1, line, places); line++) {
                if (!*line)
                    return false;
            }
            return true;
        }
        if (*pattern != *line)
            return false;
        if (!*line)
            return true;
    }
}

/* The words without what may be a secret in them: the user and password of a URL. */
static char *copy_words(const char *words, size_t size)
{
    struct text text = {0};
    const char *end = words + (size < SYMPTOM_WORDS_MAX ? size : SYMPTOM_WORDS_MAX);

    while (words < end && (*words == ' ' || *words == '\t'))
        words++;
    while (words < end) {
        bool begins = strncmp(words, "://", 3) == 0;
        const char *host = words + 3;
        size_t user = begins ? strcspn(host, "/@ \t'\"") : 0;

        if (begins && host + user < end && host[user] == '@') {
            text_add_string(&text, "://...");
            words = host + user;
        } else
            text_add(&text, words++, 1);
    }
    text_add(&text, "", 0);
    return text.bytes;
}

bool symptom_match(const char *pattern, const char *line, char **package, char **why)
{
    struct places places = {0};

    *package = *why = NULL;
    if (!match(pattern, line, &places))
        return false;
    if (places.package)
        *package = text_format("%.*s", (int)places.package_size, places.package);
    if (places.why)
        *why = copy_words(places.why, places.why_size);
    return true;
}

static void blame(struct said *said, const char *package, const char *why, bool unknown,
                  bool remark)
{
    if (said->count == SYMPTOM_BLAMES_MAX)
        return;
    said->blames[said->count++] =
        (struct blame){text_format("%s", package), text_format("%s", why), unknown, remark};
}

static void take_words(struct said *said, const struct symptom *symptom, const char *package,
                       const char *why)
{
    if (!package)
        package = said->about;
    switch (symptom->kind) {
    case SYMPTOM_UNKNOWN:
    case SYMPTOM_FAILED:
    case SYMPTOM_REMARK:
        if (package)
            blame(said, package, why, symptom->kind == SYMPTOM_UNKNOWN,
                  symptom->kind == SYMPTOM_REMARK);
        break;
    case SYMPTOM_FAILED_BELOW:
        free(said->below);
        said->below = package ? text_format("%s", package) : NULL;
        break;
    case SYMPTOM_ABOUT:
        free(said->about);
        said->about = package ? text_format("%s", package) : NULL;
        break;
    default:
        /* The first one has the reason, those behind it say what that led to. */
        if (!said->error)
            said->error = text_format("%s", why);
    }
}

/* The reason in words: those of the table, with <> in them replaced; or what <> stands for; or the
 * line. */
static char *make_why(const struct symptom *symptom, const char *found, const char *line)
{
    const char *mark = symptom->words ? strstr(symptom->words, "<>") : NULL;

    if (mark && found)
        return text_format("%.*s%s%s", (int)(mark - symptom->words), symptom->words, found,
                           mark + 2);
    if (symptom->words || found)
        return text_format("%s", symptom->words ? symptom->words : found);
    return copy_words(line, strlen(line));
}

static void take_symptom(struct said *said, const struct symptom *symptom, const char *line)
{
    char *package, *found, *why;

    if (!symptom_match(symptom->pattern, line, &package, &found))
        return;
    said->transient |= symptom->kind == SYMPTOM_TRANSIENT;
    said->stale |= symptom->kind == SYMPTOM_STALE;
    said->locked |= symptom->kind == SYMPTOM_LOCKED;
    said->interrupted |= symptom->kind == SYMPTOM_INTERRUPTED;
    why = make_why(symptom, found, line);
    if (symptom->kind < SYMPTOM_TRANSIENT)
        take_words(said, symptom, package, why);
    free(package);
    free(found);
    free(why);
}

/* Keeps the last lines, up to a limit. */
static void keep(struct said *said, const char *line)
{
    char *shown = copy_words(line, strlen(line));
    struct text *last = &said->last;

    text_add_format(last, "%s\n", shown);
    free(shown);
    if (last->size > SYMPTOM_DETAILS_MAX) {
        const char *from = strchr(last->bytes + last->size - SYMPTOM_DETAILS_MAX, '\n') + 1;
        size_t left = last->size - (size_t)(from - last->bytes);

        memmove(last->bytes, from, left + 1);
        last->size = left;
    }
}

void symptom_take(void *context, const char *line)
{
    struct said *said = context;

    keep(said, line);
    if (said->below) {
        char *why = copy_words(line, strlen(line));

        blame(said, said->below, why, false, false);
        free(why);
        free(said->below);
        said->below = NULL;
    }
    for (const struct symptom *one = said->symptoms; one && one->kind; one++)
        take_symptom(said, one, line);
    for (const struct symptom *one = common; one->kind; one++)
        take_symptom(said, one, line);
}

void symptom_clear(struct said *said)
{
    const struct symptom *symptoms = said->symptoms;

    for (size_t i = 0; i < said->count; i++) {
        free(said->blames[i].package);
        free(said->blames[i].why);
    }
    free(said->about);
    free(said->below);
    free(said->error);
    free(said->last.bytes);
    *said = (struct said){.symptoms = symptoms};
}
