/* inside: runs programs in a tree that is not running, and tells how each ended. */
#include <bootlace/module.h>

#include <stdio.h>
#include <string.h>

enum { CAPTURE_MAX = 256 };

static void probe(const struct bootlace_host *host, const char *item,
                  struct bootlace_program program)
{
    char output[CAPTURE_MAX] = "", words[CAPTURE_MAX];
    struct bootlace_ending ending = {0};
    int result;

    program.size = sizeof program;
    program.capture = program.detach ? NULL : output;
    program.capture_size = sizeof output;
    result = host->run_program(host, &program, &ending);
    output[strcspn(output, "\n")] = '\0';
    if (result < 0)
        snprintf(words, sizeof words, "%s", strerror(-result));
    else if (ending.timed_out)
        snprintf(words, sizeof words, "timed out");
    else if (ending.signal)
        snprintf(words, sizeof words, "signal %d", ending.signal);
    else if (ending.exit_code)
        snprintf(words, sizeof words, "exit %d", ending.exit_code);
    else
        snprintf(words, sizeof words, "%s", output);
    host->item(host, item, "unchanged", -1, words);
}

static int run(const struct bootlace_host *host, const char *input)
{
    const char *const root[] = {"sh", "-c", ". /etc/os-release; echo $VERSION_ID", NULL};
    const char *const code[] = {"sh", "-c", "exit 7", NULL};
    const char *const kill[] = {"sh", "-c", "kill -9 $$", NULL};
    const char *const daemon[] = {
        "sh", "-c", "setsid sleep 4711 </dev/null >/dev/null 2>&1 & echo started", NULL};
    const char *const absent[] = {"no-such-program", NULL};
    const char *const sleeper[] = {"sleep", "100", NULL};
    const char *const offline[] = {"printenv", "SYSTEMD_OFFLINE", NULL};
    const char *const outside[] = {"sh", "-c", "test -e /proc/self/fd/3 || echo outside", NULL};

    (void)input;
    probe(host, "root", (struct bootlace_program){.argv = root});
    probe(host, "code", (struct bootlace_program){.argv = code});
    probe(host, "signal", (struct bootlace_program){.argv = kill});
    probe(host, "daemon", (struct bootlace_program){.argv = daemon});
    probe(host, "absent", (struct bootlace_program){.argv = absent});
    probe(host, "detached", (struct bootlace_program){.argv = sleeper, .detach = 1});
    probe(host, "offline", (struct bootlace_program){.argv = offline});
    probe(host, "outside", (struct bootlace_program){.argv = outside, .outside = 1});
    probe(host, "limit", (struct bootlace_program){.argv = sleeper, .time_limit = 1});
    return 0;
}

static const char *const keys[] = {"inside", NULL};

const struct bootlace_module bootlace_module = {
    .size = sizeof bootlace_module,
    .interface = BOOTLACE_INTERFACE,
    .name = "inside",
    .version = "1",
    .summary = "tells how programs in an image end",
    .keys = keys,
    .flags = BOOTLACE_BAKEABLE,
    .run = run,
};
