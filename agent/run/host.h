/*
 * The host table: what a native module may use, made of the same text that an executable module
 * gets and gives (see bootlace-module(7)). It runs in the step's own process, whose descriptors are
 *
 *     0  the input, JSON text      1, 2  the step's log
 *     3  results, JSON lines       4     metadata: a path out, an answer in (SOCK_SEQPACKET)
 */
#ifndef BOOTLACE_RUN_HOST_H
#define BOOTLACE_RUN_HOST_H

#include "base/error.h"

enum host_phase { HOST_RUN, HOST_PREPARE, HOST_STOP, HOST_FORGET };

enum {
    HOST_RESULT_FD = 3,
    HOST_QUERY_FD = 4,
    HOST_PATH_MAX = 512,        /* of a metadata path */
    HOST_ANSWER_MAX = 64 << 10, /* of a metadata item */
    HOST_INPUT_MAX = 64 << 20   /* of a step's input */
};

/* First byte of an answer on the query descriptor. */
enum { HOST_ANSWER_ABSENT = '0', HOST_ANSWER_PRESENT = '1' };

struct host_call {
    const char *path; /* of the shared object */
    const char *name; /* that its description gave */
    enum host_phase phase;
};

/* "run", "prepare", "stop", "forget": how an executable module is called. */
const char *host_phase_name(enum host_phase phase);

/*
 * Opens the module, calls its function with the input from descriptor 0, and writes the result
 * line. The exit code of the process: 0 or 1. A struct host_call is the context.
 */
int host_main(void *context);

#endif
