/*
 * measure: runs a program and writes what it cost: `measure [--timeout SECONDS] FILE PROGRAM
 * [ARG]…`.
 *
 * FILE gets one line: WALL_US USER_US SYSTEM_US MAX_RSS_KIB STATUS LEFT. Wall is from before the
 * program is started until it has ended. CPU is that of the whole tree of processes: wait4(2) gives
 * a child's with all that it waited for itself, and orphans fall to this program (it is their
 * subreaper); LEFT counts those that still ran at the end. RSS is that of the largest single
 * process. STATUS is the exit code, or 128 plus the signal.
 *
 * It is a small program so that it is quickly forked, and that its own RSS, which a child has until
 * it execs, is below that of any other.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { MICROSECONDS = 1000000, SIGNALLED = 128 };

struct cost {
    int64_t user_us, system_us;
    long max_rss_kib;
};

static pid_t group; /* of the program, for the time limit and for whoever ends this one */

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * MICROSECONDS + now.tv_nsec / 1000;
}

static int64_t timeval_us(struct timeval value)
{
    return (int64_t)value.tv_sec * MICROSECONDS + value.tv_usec;
}

static void add(struct cost *cost, const struct rusage *usage)
{
    cost->user_us += timeval_us(usage->ru_utime);
    cost->system_us += timeval_us(usage->ru_stime);
    if (usage->ru_maxrss > cost->max_rss_kib)
        cost->max_rss_kib = usage->ru_maxrss;
}

static void end_program(int number)
{
    (void)number;
    if (group > 0)
        kill(-group, SIGKILL);
}

/* Starts the program in a process group of its own. */
static bool start(char **argv)
{
    posix_spawnattr_t attributes;
    int error;

    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setpgroup(&attributes, 0);
    error = posix_spawnp(&group, argv[0], NULL, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    if (error != 0)
        fprintf(stderr, "measure: %s: %s\n", argv[0], strerror(error));
    return error == 0;
}

/* Waits for the program itself, reaping orphans on the way; its status. */
static int await_program(struct cost *cost)
{
    for (;;) {
        struct rusage usage;
        int status;
        pid_t pid = wait4(-1, &status, 0, &usage);

        if (pid < 0 && errno == EINTR)
            continue;
        if (pid < 0)
            return EXIT_FAILURE;
        add(cost, &usage);
        if (pid == group)
            return WIFSIGNALED(status) ? SIGNALLED + WTERMSIG(status) : WEXITSTATUS(status);
    }
}

/* Reaps the orphans that have ended; whether others still run. */
static bool reap_orphans(struct cost *cost)
{
    struct rusage usage;
    pid_t pid;

    while ((pid = wait4(-1, NULL, WNOHANG, &usage)) > 0)
        add(cost, &usage);
    return pid == 0;
}

int main(int argc, char **argv)
{
    struct cost cost = {0};
    unsigned limit = 0;
    bool left;
    int64_t begin, wall;
    int status;
    FILE *out;

    if (argc > 2 && strcmp(argv[1], "--timeout") == 0) {
        limit = (unsigned)strtoul(argv[2], NULL, 10);
        argv += 2;
        argc -= 2;
    }
    if (argc < 3) {
        fputs("usage: measure [--timeout SECONDS] FILE PROGRAM [ARG]…\n", stderr);
        return 2;
    }
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    signal(SIGALRM, end_program);
    signal(SIGTERM, end_program);

    begin = now_us();
    if (!start(argv + 2))
        return EXIT_FAILURE;
    alarm(limit);
    status = await_program(&cost);
    wall = now_us() - begin;
    alarm(0);
    left = reap_orphans(&cost);

    out = fopen(argv[1], "w");
    if (out == NULL ||
        fprintf(out, "%lld %lld %lld %ld %d %d\n", (long long)wall, (long long)cost.user_us,
                (long long)cost.system_us, cost.max_rss_kib, status, left) < 0) {
        perror(argv[1]);
        return EXIT_FAILURE;
    }
    return fclose(out) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
