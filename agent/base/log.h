/*
 * The agent's own log: one line an event, to /var/log/bootlace.log and standard error.
 *
 * Only verbs and the schedule of a run log; low layers return errors. Under systemd standard error
 * is the journal's, and each line carries its priority there (sd-daemon(3), "<N>").
 */
#ifndef BOOTLACE_BASE_LOG_H
#define BOOTLACE_BASE_LOG_H

#include "base/error.h"

#include <stdbool.h>

/* The values of syslog(3). */
enum log_level {
    LOG_LEVEL_ERROR = 3,
    LOG_LEVEL_WARNING = 4,
    LOG_LEVEL_INFO = 6,
    LOG_LEVEL_DEBUG = 7
};

/* Opens the file (0640, group adm where there is one); without it, standard error alone. */
void log_open(const char *path);

/* Shows lines up to this level on standard error; the file gets LOG_LEVEL_INFO always. */
void log_show(enum log_level level);

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_error_object(const struct error *error);
void log_warning_object(const struct error *error);

/* Whether standard error is the journal's (systemd.exec(5), $JOURNAL_STREAM). */
bool log_to_journal(void);

/* The descriptor of a log file, made 0640 root:adm, or -1. */
int log_open_file(const char *path);

#endif
