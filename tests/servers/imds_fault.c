/*
 * imds_fault.c: what is to go wrong with which requests: the --fault options.
 *
 *     [METHOD ]GLOB:KIND[=ARGUMENTS][@FIRST-LAST]
 *
 * The kind begins at the first `:` that a kind's name follows, so that globs may hold colons (the
 * MAC addresses in paths do). All faults that hit a request act on it together, in the order of the
 * command line: slow and trickle go with any other, and of two that set the same thing the later
 * wins.
 */
#define _GNU_SOURCE
#include "imds.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct imds_fault_kind {
    const char *name;
    const char *arguments; /* for --help; NULL: it takes none */
    const char *help;
    /* Reads the arguments in fault->text; NULL where the text itself is the argument. */
    bool (*read)(struct imds_fault *fault);
    void (*apply)(const struct imds_fault *fault, struct imds_effects *effects);
};

/* ---- arguments ---- */

/* Reads a whole number with an optional k, M or G (of 1024); the end of it, or NULL. */
static const char *read_number(const char *text, long long *number)
{
    static const char UNITS[] = "kMG";
    const char *unit;
    char *end;

    if (strchr("+-0123456789", text[0]) == NULL || text[0] == '\0')
        return NULL;
    errno = 0;
    *number = strtoll(text, &end, 10);
    if (errno != 0 || end == text)
        return NULL;
    unit = *end == '\0' ? NULL : strchr(UNITS, *end);
    if (unit != NULL) {
        for (const char *at = UNITS; at <= unit; at++)
            if (__builtin_mul_overflow(*number, 1024, number))
                return NULL;
        end++;
    }
    return end;
}

/* Where the arguments end: at the end of the text, or at the `@` of the window. */
static bool at_end(const struct imds_fault *fault, const char *at)
{
    return at == fault->text + fault->text_size;
}

static bool read_signed(struct imds_fault *fault)
{
    const char *end = read_number(fault->text, &fault->number);

    return end != NULL && at_end(fault, end);
}

static bool read_count(struct imds_fault *fault)
{
    return read_signed(fault) && fault->number >= 0;
}

/* NNN[,retry-after=SECONDS][,empty] */
static bool read_status(struct imds_fault *fault)
{
    static const char RETRY[] = ",retry-after=";
    static const char EMPTY[] = ",empty";
    const char *at = read_number(fault->text, &fault->number);

    fault->second = -1;
    if (at == NULL || fault->number < 200 || fault->number > 599)
        return false;
    if (strncmp(at, RETRY, strlen(RETRY)) == 0) {
        at = read_number(at + strlen(RETRY), &fault->second);
        if (at == NULL || fault->second < 0)
            return false;
    }
    if (strncmp(at, EMPTY, strlen(EMPTY)) == 0) {
        fault->flag = true;
        at += strlen(EMPTY);
    }
    return at_end(fault, at);
}

/* BYTES/MS */
static bool read_trickle(struct imds_fault *fault)
{
    const char *at = read_number(fault->text, &fault->number);

    if (at == NULL || *at != '/' || fault->number < 1)
        return false;
    at = read_number(at + 1, &fault->second);
    return at != NULL && fault->second >= 0 && at_end(fault, at);
}

/* BYTES[,unannounced] */
static bool read_huge(struct imds_fault *fault)
{
    static const char UNANNOUNCED[] = ",unannounced";
    const char *at = read_number(fault->text, &fault->number);

    if (at == NULL || fault->number < 1)
        return false;
    if (strncmp(at, UNANNOUNCED, strlen(UNANNOUNCED)) == 0) {
        fault->flag = true;
        at += strlen(UNANNOUNCED);
    }
    return at_end(fault, at);
}

static bool read_text(struct imds_fault *fault)
{
    /* It becomes part of a header: a line end in it would be another fault than was asked for. */
    return fault->text_size > 0 && memchr(fault->text, '\n', fault->text_size) == NULL;
}

/* ---- effects ---- */

static void add_header(struct imds_effects *effects, const char *name, const char *value,
                       size_t value_size)
{
    size_t used = strlen(effects->headers);

    /* What does not fit is left out whole: half a header would be another fault. */
    if (used + strlen(name) + value_size + strlen("\r\n") >= sizeof(effects->headers))
        return;
    snprintf(effects->headers + used, sizeof(effects->headers) - used, "%s%.*s\r\n", name,
             (int)value_size, value);
}

static void apply_status(const struct imds_fault *fault, struct imds_effects *effects)
{
    char seconds[32];

    effects->status = (int)fault->number;
    effects->empty = fault->flag;
    if (fault->second < 0)
        return;
    snprintf(seconds, sizeof(seconds), "%lld", fault->second);
    add_header(effects, "Retry-After: ", seconds, strlen(seconds));
}

static void apply_header(const struct imds_fault *fault, struct imds_effects *effects)
{
    add_header(effects, "", fault->text, fault->text_size);
}

static void apply_redirect(const struct imds_fault *fault, struct imds_effects *effects)
{
    effects->status = 302;
    add_header(effects, "Location: ", fault->text, fault->text_size);
}

static void apply_silence(const struct imds_fault *fault, struct imds_effects *effects)
{
    (void)fault;
    effects->outcome = IMDS_SILENCE;
}

static void apply_reset(const struct imds_fault *fault, struct imds_effects *effects)
{
    (void)fault;
    effects->outcome = IMDS_RESET;
}

static void apply_close(const struct imds_fault *fault, struct imds_effects *effects)
{
    (void)fault;
    effects->outcome = IMDS_CLOSE;
}

static void apply_garbage(const struct imds_fault *fault, struct imds_effects *effects)
{
    (void)fault;
    effects->outcome = IMDS_GARBAGE;
}

static void apply_slow(const struct imds_fault *fault, struct imds_effects *effects)
{
    effects->slow_ms = fault->number;
}

static void apply_trickle(const struct imds_fault *fault, struct imds_effects *effects)
{
    effects->drip_bytes = (size_t)fault->number;
    effects->drip_ms = fault->second;
}

static void apply_truncate(const struct imds_fault *fault, struct imds_effects *effects)
{
    effects->truncated = true;
    effects->truncate_at = (size_t)fault->number;
}

static void apply_length(const struct imds_fault *fault, struct imds_effects *effects)
{
    effects->length_shift = fault->number;
}

static void apply_huge(const struct imds_fault *fault, struct imds_effects *effects)
{
    effects->huge = (unsigned long long)fault->number;
    effects->unannounced = fault->flag;
}

static void apply_expire(const struct imds_fault *fault, struct imds_effects *effects)
{
    (void)fault;
    effects->forget_tokens = true;
}

static void apply_say_close(const struct imds_fault *fault, struct imds_effects *effects)
{
    (void)fault;
    effects->say_close = true;
}

static void apply_hang_up(const struct imds_fault *fault, struct imds_effects *effects)
{
    (void)fault;
    effects->just_close = true;
}

static const struct imds_fault_kind KINDS[] = {
    {"status", "NNN[,retry-after=SECONDS][,empty]",
     "this status with an XHTML body (200, too), or with none", read_status, apply_status},
    {"header", "NAME: VALUE", "one header more", read_text, apply_header},
    {"redirect", "URL", "302 to there", read_text, apply_redirect},
    {"silence", NULL, "the request is read and never answered", NULL, apply_silence},
    {"reset", NULL, "the connection is reset", NULL, apply_reset},
    {"close", NULL, "the connection is closed without an answer", NULL, apply_close},
    {"garbage", NULL, "an answer that is no HTTP, then closed", NULL, apply_garbage},
    {"slow", "MS", "the answer begins so many milliseconds later", read_count, apply_slow},
    {"trickle", "BYTES/MS", "the body in drips of BYTES, one every MS", read_trickle,
     apply_trickle},
    {"truncate", "N", "Content-Length says all, N bytes of the body come, then closed", read_count,
     apply_truncate},
    {"length", "+N|-N", "Content-Length is wrong by that; the connection stays open", read_signed,
     apply_length},
    {"huge", "BYTES[,unannounced]",
     "a body of so many bytes; unannounced: without Content-Length, ended by closing", read_huge,
     apply_huge},
    {"expire", NULL, "all tokens are forgotten before the request is judged", NULL, apply_expire},
    {"connection-close", NULL, "answered with `Connection: close`, then closed", NULL,
     apply_say_close},
    {"hang-up", NULL, "answered as if the connection stayed open, then closed", NULL,
     apply_hang_up},
};

enum { KIND_COUNT = sizeof(KINDS) / sizeof(KINDS[0]) };

void imds_fault_help(FILE *out)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        char form[64];

        snprintf(form, sizeof(form), "%s%s%s", KINDS[i].name, KINDS[i].arguments == NULL ? "" : "=",
                 KINDS[i].arguments == NULL ? "" : KINDS[i].arguments);
        fprintf(out, "  %-40s %s\n", form, KINDS[i].help);
    }
}

/* ---- reading a fault ---- */

/* The kind whose name `text` begins with, ended by its argument, its window or the text's end. */
static const struct imds_fault_kind *find_kind(const char *text)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        size_t size = strlen(KINDS[i].name);

        if (strncmp(text, KINDS[i].name, size) == 0 &&
            (text[size] == '=' || text[size] == '@' || text[size] == '\0'))
            return &KINDS[i];
    }
    return NULL;
}

/* N, N-, -N or N-M: digits and dashes, as find_window() found them. */
static bool read_window(const char *text, struct imds_fault *fault)
{
    const char *dash = strchr(text, '-');

    fault->first = dash == text ? 1 : strtoul(text, NULL, 10);
    if (dash == NULL)
        fault->last = fault->first;
    else
        fault->last = dash[1] == '\0' ? ULONG_MAX : strtoul(dash + 1, NULL, 10);
    if (dash != NULL && strchr(dash + 1, '-') != NULL)
        return false;
    return fault->first >= 1 && fault->last >= fault->first;
}

/* The `@` of the window in the kind's text: the last one that only digits and a dash follow. */
static const char *find_window(const char *text)
{
    const char *at = strrchr(text, '@');

    if (at == NULL || at[1] == '\0' || at[1 + strspn(at + 1, "0123456789-")] != '\0')
        return NULL;
    return at;
}

/* [METHOD ]GLOB, of `size` bytes. */
static bool read_pattern(const char *text, size_t size, struct imds_fault *fault)
{
    const char *space = memchr(text, ' ', size);

    if (space != NULL) {
        size_t method = (size_t)(space - text);

        if (method == 0 || method >= sizeof(fault->method))
            return false;
        memcpy(fault->method, text, method);
        size -= method + 1;
        text = space + 1;
    }
    if (size == 0 || size >= sizeof(fault->glob))
        return false;
    memcpy(fault->glob, text, size);
    return true;
}

const char *imds_fault_parse(const char *spec, struct imds_fault *fault)
{
    const char *colon;
    const char *window;
    size_t name;

    *fault = (struct imds_fault){.first = 1, .last = ULONG_MAX};
    for (colon = strchr(spec, ':'); colon != NULL; colon = strchr(colon + 1, ':')) {
        fault->kind = find_kind(colon + 1);
        if (fault->kind != NULL)
            break;
    }
    if (fault->kind == NULL)
        return "no known kind of fault in it";
    if (!read_pattern(spec, (size_t)(colon - spec), fault))
        return "no path, or too long a one, before the kind";

    name = strlen(fault->kind->name);
    fault->text = colon + 1 + name;
    window = find_window(fault->text);
    fault->text_size = window == NULL ? strlen(fault->text) : (size_t)(window - fault->text);
    if (window != NULL && !read_window(window + 1, fault))
        return "no such range of requests after the @";
    if (fault->kind->read == NULL)
        return fault->text_size == 0 ? NULL : "that kind takes no argument";
    if (fault->text[0] != '=')
        return "that kind needs an argument";
    fault->text++;
    fault->text_size--;
    return fault->kind->read(fault) ? NULL : "that kind takes other arguments";
}

/* ---- hitting a request ---- */

static bool matches(const struct imds_fault *fault, const struct imds_request *request)
{
    if (fault->method[0] != '\0' && strcmp(fault->method, request->method) != 0)
        return false;
    return fnmatch(fault->glob, request->path, 0) == 0;
}

static void add_name(struct imds_effects *effects, const char *name)
{
    size_t used = strlen(effects->names);

    snprintf(effects->names + used, sizeof(effects->names) - used, "%s%s", used == 0 ? "" : ",",
             name);
}

void imds_faults_collect(struct imds_faults *faults, const struct imds_request *request,
                         struct imds_effects *effects)
{
    for (size_t i = 0; i < faults->count; i++) {
        struct imds_fault *fault = &faults->list[i];

        if (!matches(fault, request))
            continue;
        fault->seen++;
        if (fault->seen < fault->first || fault->seen > fault->last)
            continue;
        fault->kind->apply(fault, effects);
        add_name(effects, fault->kind->name);
    }
}
