/*
 * What package managers print, understood: which package failed and why, and whether another
 * attempt is worth it.
 *
 * They say it for people only, so each has a table of patterns. In a pattern, `*` stands for
 * anything, `{}` for the name of a package (no blank in it, as long as it can be) and `<>` for the
 * reason. A line may match several.
 */
#ifndef BOOTLACE_PACKAGES_SYMPTOM_H
#define BOOTLACE_PACKAGES_SYMPTOM_H

#include <stdbool.h>
#include <stddef.h>
#include <support/text.h>

enum {
    SYMPTOM_BLAMES_MAX = 256,
    SYMPTOM_DETAILS_MAX = 4096, /* bytes of the last lines that are kept */
    SYMPTOM_WORDS_MAX = 512     /* bytes of one reason */
};

enum symptom_kind {
    SYMPTOM_END,
    SYMPTOM_UNKNOWN,      /* no source has the package {}; nothing was installed therefore */
    SYMPTOM_FAILED,       /* the package {}, or the one that is being worked on, failed: <> */
    SYMPTOM_FAILED_BELOW, /* the package {} failed, and the next line says why */
    SYMPTOM_REMARK,       /* the package {} is installed, but: <> */
    SYMPTOM_ABOUT,        /* the package {} is being worked on from here */
    SYMPTOM_ERROR,        /* why all of it failed: <> */
    SYMPTOM_TRANSIENT,    /* it may go well the next time */
    SYMPTOM_STALE,        /* the lists are older than what they list */
    SYMPTOM_LOCKED,       /* another program is at it */
    SYMPTOM_INTERRUPTED   /* an earlier run was cut off, and is to be brought to its end first */
};

struct symptom {
    enum symptom_kind kind;
    const char *pattern;
    const char *words; /* for people, instead of what <> stands for and the line, and with <> in
                        * them replaced; or NULL */
};

struct blame {
    char *package, *why;
    bool unknown, remark;
};

/* What one run of a manager said. */
struct said {
    const struct symptom *symptoms;
    struct blame blames[SYMPTOM_BLAMES_MAX];
    size_t count;
    char *about; /* the package that is being worked on, or NULL */
    char *below; /* the package that the next line is about, or NULL */
    char *error; /* the first one, or NULL */
    bool transient, stale, locked, interrupted;
    struct text last; /* lines */
};

/* Takes a line; a struct said is the context. */
void symptom_take(void *said, const char *line);

void symptom_clear(struct said *said);

/* Whether the line matches; package and why, the caller's, where the pattern has them. */
bool symptom_match(const char *pattern, const char *line, char **package, char **why);

#endif
