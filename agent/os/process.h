/*
 * Child processes: started by argument vector, with named descriptors and nothing else inherited.
 */
#ifndef BOOTLACE_OS_PROCESS_H
#define BOOTLACE_OS_PROCESS_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PROCESS_FDS_MAX = 5 };

/* In which process group, or session, a child runs. */
enum process_group { PROCESS_OWN_GROUP, PROCESS_SAME_GROUP, PROCESS_OWN_SESSION };

/* A child: either argv is executed, or function is called in a fork and its result the exit code.
 */
struct process_start {
    const char *const *argv; /* argv[0] is a path */
    int (*function)(void *context);
    void *context;
    const char *const *environment; /* "NAME=value" over ours; NULL-ended or NULL */
    const char *folder;             /* working folder; NULL = ours */
    enum process_group group;
    bool dies_with_us;        /* killed when this process ends, however that happens */
    int fds[PROCESS_FDS_MAX]; /* its descriptors 0, 1, 2, …; -1 = /dev/null (0..2), closed (3..) */
};

/*
 * Starts the child, with default signals and no descriptors but those given. Returns its id and
 * puts a pidfd (close-on-exec) into *pidfd, or -1 and an error; then errno says why, too (ENOENT,
 * EACCES, ENOEXEC, … of execve(2)).
 */
pid_t process_start(const struct process_start *start, int *pidfd, struct error *error);

/* The path of a program that is looked up in PATH; the caller frees. NULL: there is none. */
char *process_find(const char *name);

/* Signals the whole group of a child; that it is gone already is no error. */
void process_kill_group(pid_t pid, int signal);

/* A child that is run to its end, its output taken. */
struct process_capture {
    const char *const *argv;
    int (*function)(void *context);
    void *context;
    struct buffer *out;       /* its standard output; more than fits is an error */
    struct buffer *complaint; /* its standard error, as much as fits; may be NULL */
    int64_t limit_ms;
};

/*
 * Returns its exit code (128 + signal where one ended it), or -1 and an error. It and
 * its group are ended when the limit is over.
 */
int process_capture(const struct process_capture *capture, struct error *error);

/* A descriptor to read bytes from, from their beginning: an anonymous file; or -1 and an error. */
int process_input(const void *bytes, size_t size, struct error *error);

/*
 * When a process was started, in the kernel's ticks since boot (proc(5), stat, field 22): with its
 * id it names it beyond doubt. 0 where there is none, or it cannot be seen.
 */
uint64_t process_started(pid_t pid);

/* Whether a process of this id, started then, still is; anybody may ask. */
bool process_is_alive(pid_t pid, uint64_t started);

/* Orphans among our descendants become our children: who waits for a group sees its end at once. */
void process_adopt_orphans(void);

/* Lets no core dump and no tracer show what may hold secrets (prctl(2), PR_SET_DUMPABLE). */
void process_hide_memory(void);

#endif
