/* The one error object: what was refused, where, why, and what to do. */
#include "base/error.h"

#include "base/banned.h"

int error_set(struct error *error, enum error_kind kind, const char *format, ...)
{
    va_list arguments;

    error_clear(error);
    error->kind = kind;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return -1;
}

int error_errno(struct error *error, enum error_kind kind, int number, const char *format, ...)
{
    va_list arguments;
    size_t length;

    error_clear(error);
    error->kind = kind;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    length = strlen(error->message);
    snprintf(error->message + length, sizeof error->message - length, ": %s", strerror(number));
    return -1;
}

int error_hint(struct error *error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(error->hint, sizeof error->hint, format, arguments);
    va_end(arguments);
    return -1;
}

int error_at(struct error *error, const char *where, unsigned line, unsigned column)
{
    if (where)
        snprintf(error->where, sizeof error->where, "%s", where);
    error->line = line;
    error->column = column;
    return -1;
}

void error_clear(struct error *error)
{
    memset(error, 0, sizeof *error);
}

char *error_text(const struct error *error, char *text, size_t size)
{
    char position[32] = "";

    if (error->line && error->column)
        snprintf(position, sizeof position, "%u:%u: ", error->line, error->column);
    else if (error->line)
        snprintf(position, sizeof position, "%u: ", error->line);
    snprintf(text, size, "%s%s%s%s%s%s%s", error->where, *error->where ? ":" : "",
             *error->where && !*position ? " " : "", position, error->message,
             *error->hint ? "; " : "", error->hint);
    return text;
}

int error_exit_code(const struct error *error)
{
    return (int)error->kind;
}
