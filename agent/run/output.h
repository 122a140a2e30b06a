/*
 * What a step prints: taken from its pipe, cut into lines, and given on, line by line, to the
 * output log and to standard error (the journal and the console at boot, the terminal by hand).
 * The last lines are kept for the record.
 */
#ifndef BOOTLACE_RUN_OUTPUT_H
#define BOOTLACE_RUN_OUTPUT_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    OUTPUT_LINE_MAX = 8192,   /* a longer line is cut into several */
    OUTPUT_TAIL_MAX = 4096,   /* of the last lines, in bytes */
    OUTPUT_TAIL_LINES = 25,   /* and in lines */
    OUTPUT_LOG_MAX = 64 << 20 /* of one step in the log; the rest is read and dropped */
};

struct output {
    const char *step; /* borrowed */
    int fd;           /* the pipe's end, non-blocking; -1 once it is at its end */
    int log_fd;       /* of the output log, or -1; borrowed */
    int copy_fd;      /* of a file that gets the lines alone, or -1; borrowed */
    bool show;        /* on standard error, too */
    bool journal;     /* which is the journal's */
    struct buffer line;
    struct buffer tail;
    struct buffer to_log, to_copy, to_show; /* whole lines, not yet written */
    uint64_t logged;
};

void output_init(struct output *output, const char *step, int fd, int log_fd, int copy_fd,
                 bool show);

/* Takes what there is without waiting; closes fd at the end of the output. */
void output_take(struct output *output);

/*
 * The step's process is gone: takes what there is. Where something that it started still holds the
 * pipe, a keeper process goes on writing that to the log, so that a daemon that prints is neither
 * lost nor ended by SIGPIPE.
 */
void output_finish(struct output *output);

/* The last lines, as many as OUTPUT_TAIL_*; valid until output_free. */
const char *output_tail(const struct output *output);

void output_free(struct output *output);

#endif
