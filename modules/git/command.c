/* git(1) run for a repository; see command.h. */
#include "command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <support/text.h>
#include <support/tree.h>
#include <unistd.h>

enum { KEY_MODE = 0600, PREFIX_WORDS = 20 };

int command_prepare(struct repository *repository, const char **why)
{
    const struct bootlace_host *host = repository->host;
    const char *key = repository->key;
    struct text text = {0};
    int result;

    if (key && repository->uid) {
        const struct bootlace_file how = {.size = sizeof how,
                                          .mode = KEY_MODE,
                                          .owner = repository->uid,
                                          .group = repository->gid};

        result = tree_read(host, key, &text, NULL);
        if (result < 0) {
            *why = text_format("the key cannot be read: %s", strerror(-result));
            return result;
        }
        repository->key_copy = text_format("/tmp/bootlace-git-key-%d", (int)getpid());
        result = host->put_file(host, repository->key_copy, text.bytes, text.size, &how);
        explicit_bzero(text.bytes, text.size);
        free(text.bytes);
        if (result < 0) {
            *why = text_format("the key cannot be copied for its owner: %s", strerror(-result));
            return result;
        }
        key = repository->key_copy;
    } else if (key && !tree_has(host, key)) {
        *why = "the key is not there";
        return -ENOENT;
    }
    repository->ssh = text_format("ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new "
                                  "-o ConnectTimeout=20%s%s",
                                  key ? " -o IdentitiesOnly=yes -i " : "", key ? key : "");
    return 0;
}

void command_clear(struct repository *repository)
{
    if (repository->key_copy)
        tree_remove(repository->host, repository->key_copy);
    free(repository->key_copy);
    repository->key_copy = NULL;
}

/* The command line up to git's own command. */
static size_t put_prefix(const struct repository *repository, bool inside, const char **argv)
{
    size_t count = 0;

    if (repository->uid) {
        argv[count++] = "setpriv";
        argv[count++] = text_format("--reuid=%u", (unsigned)repository->uid);
        argv[count++] = text_format("--regid=%u", (unsigned)repository->gid);
        argv[count++] = "--init-groups";
        argv[count++] = "--";
    }
    argv[count++] = "git";
    if (inside) {
        argv[count++] = "-C";
        argv[count++] = repository->dest;
    }
    argv[count++] = "-c";
    argv[count++] = "core.hooksPath=/dev/null";
    argv[count++] = "-c";
    argv[count++] = "core.fsmonitor=false";
    argv[count++] = "-c";
    argv[count++] = "advice.detachedHead=false";
    return count;
}

static int run(const struct repository *repository, struct bootlace_program *program, bool inside,
               const char **why, const char *const *words)
{
    const struct bootlace_host *host = repository->host;
    const char *argv[PREFIX_WORDS + COMMAND_WORDS_MAX + 1] = {NULL};
    const char *const variables[] = {"GIT_TERMINAL_PROMPT=0",
                                     "GIT_ALLOW_PROTOCOL=https:http:ssh:git:file",
                                     "GIT_CONFIG_NOSYSTEM=1",
                                     "GIT_CONFIG_GLOBAL=/dev/null",
                                     "LC_ALL=C",
                                     text_format("GIT_SSH_COMMAND=%s", repository->ssh),
                                     NULL};
    size_t count = put_prefix(repository, inside, argv);
    struct bootlace_ending ending;
    int result;

    for (size_t i = 0; words[i] && i < COMMAND_WORDS_MAX; i++)
        argv[count++] = words[i];
    program->size = sizeof *program;
    program->argv = argv;
    program->environ_add = variables;
    result = host->run_program(host, program, &ending);
    if (result == -ENOENT)
        *why = "git is not installed; packages: [git] brings it";
    else if (result < 0)
        *why = text_format("git cannot be run: %s", strerror(-result));
    else if (ending.timed_out)
        *why = text_format("git %s took longer than %u s", words[0], program->time_limit);
    else if (ending.signal)
        *why = text_format("git %s was ended by signal %d", words[0], ending.signal);
    if (result < 0 || ending.timed_out || ending.signal)
        return result < 0 ? result : ending.timed_out ? -ETIMEDOUT : -EIO;
    return ending.exit_code;
}

int command_ask(const struct repository *repository, bool inside, unsigned limit_s, char *output,
                const char **why, const char *const *words)
{
    struct bootlace_program program = {.effect = BOOTLACE_READS,
                                       .time_limit = limit_s,
                                       .capture = output,
                                       .capture_size = output ? COMMAND_OUTPUT_MAX : 0};

    return run(repository, &program, inside, why, words);
}

int command_change(const struct repository *repository, unsigned limit_s, const char **why,
                   const char *const *words)
{
    struct bootlace_program program = {.effect = BOOTLACE_CHANGES, .time_limit = limit_s};
    int result = run(repository, &program, true, why, words);

    if (result <= 0)
        return result;
    *why = text_format("git %s ended with exit code %d; its words are in the step's output",
                       words[0], result);
    return -EIO;
}
