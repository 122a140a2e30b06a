/*
 * The one error object: what was refused, where, why, and what to do.
 *
 * A function that can fail takes a struct error last, leaves it untouched when it succeeds, and
 * fills it in once when it fails. Low layers fill it in and don't log; the verb shows it.
 * A message names things and positions, never a value that may be secret.
 */
#ifndef BOOTLACE_BASE_ERROR_H
#define BOOTLACE_BASE_ERROR_H

#include <stdarg.h>
#include <stddef.h>

/* What went wrong, as far as the exit code tells it: the one table for all commands. */
enum error_kind {
    ERROR_NONE = 0,
    ERROR_STEP = 1,     /* a step failed */
    ERROR_USAGE = 2,    /* the command line is wrong */
    ERROR_INPUT = 3,    /* bad user-data or configuration */
    ERROR_SOURCE = 4,   /* no source answered */
    ERROR_BUSY = 5,     /* not finished: running, or not started */
    ERROR_INTERNAL = 70 /* the machine refused something, or a bug of ours */
};

enum { ERROR_MESSAGE_MAX = 768, ERROR_HINT_MAX = 384, ERROR_WHERE_MAX = 192 };

struct error {
    enum error_kind kind;
    unsigned line;   /* from 1; 0: not known */
    unsigned column; /* from 1; 0: not known */
    char where[ERROR_WHERE_MAX];
    char message[ERROR_MESSAGE_MAX];
    char hint[ERROR_HINT_MAX];
};

/* An error object that says nothing. */
#define ERROR_INIT                                                                                 \
    {                                                                                              \
        .kind = ERROR_NONE                                                                         \
    }

/* Fills in kind and message; returns -1, so that `return error_set(…)` reads well. */
int error_set(struct error *error, enum error_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As error_set, and appends ": " and the text of the errno value. */
int error_errno(struct error *error, enum error_kind kind, int number, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Adds what to do; returns -1. */
int error_hint(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds where: a file's or part's name (may be NULL) and a position (0 where there is none). */
int error_at(struct error *error, const char *where, unsigned line, unsigned column);

/* Forgets what it says. */
void error_clear(struct error *error);

/*
 * The whole as one line, "where:line:column: message (hint)", into a buffer of the caller's that
 * ERROR_TEXT_MAX bytes suffice for. Returns the buffer.
 */
enum { ERROR_TEXT_MAX = ERROR_MESSAGE_MAX + ERROR_HINT_MAX + ERROR_WHERE_MAX + 48 };
char *error_text(const struct error *error, char *text, size_t size);

/* The exit code that belongs to it; 0 where it says nothing. */
int error_exit_code(const struct error *error);

#endif
