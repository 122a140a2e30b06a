/*
 * Bringing a repository to where the settings want it.
 *
 * The other side is asked first what the version is there (git-ls-remote(1)): where dest has just
 * that commit, nothing is fetched and nothing changed. Else dest becomes a repository if it is
 * none, the one ref is fetched, and checked out: a branch as a local branch of the same name,
 * anything else as the commit that it is. Local changes, and commits that the other side does not
 * have, are never lost unless force says so.
 */
#include "repository.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/text.h>
#include <support/tree.h>
#include <time.h>

#include "command.h"

enum { FOLDER_MODE = 0755, RETRY_PAUSE_S = 2 };

/* The ref of the commit that was brought here last: commits up to it are nobody's own. */
#define BROUGHT "refs/bootlace/brought"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static bool is_hash(const char *text)
{
    size_t length = strspn(text, "0123456789abcdefABCDEF");

    return !text[length] && (length == 40 || length == REPOSITORY_HASH_MAX);
}

/* The hash at the beginning of a line, in lower case; false where there is none. */
static bool take_hash(const char *line, char hash[REPOSITORY_HASH_MAX + 1])
{
    size_t length = strspn(line, "0123456789abcdef");

    if (length < 40 || length > REPOSITORY_HASH_MAX)
        return false;
    memcpy(hash, line, length);
    hash[length] = '\0';
    return true;
}

/* Asks git in dest for a commit; "" where there is none. */
static int ask_commit(const struct repository *repository, const char *name,
                      char hash[REPOSITORY_HASH_MAX + 1], const char **why)
{
    char output[COMMAND_OUTPUT_MAX];
    int result = command_ask(repository, true, REPOSITORY_LOCAL_S, output, why,
                             WORDS("rev-parse", "--quiet", "--verify", name));

    if (result < 0)
        return result;
    if (result > 0 || !take_hash(output, hash))
        *hash = '\0';
    return 0;
}

static bool is_repository(const struct repository *repository)
{
    return tree_has(repository->host, text_format("%s/.git", repository->dest));
}

/* The commit of a ref in the other side's list; an annotated tag's own commit is behind ^{}. */
static bool find_ref(const char *list, const char *ref, char hash[REPOSITORY_HASH_MAX + 1])
{
    bool found = false;

    for (const char *line = list; *line;) {
        const char *tab = line + strcspn(line, "\t\n");
        size_t length = strcspn(tab, "\n");

        if (*tab == '\t') {
            const char *name = tab + 1;
            size_t size = length - 1, wanted = strlen(ref);

            if (size >= wanted && strncmp(name, ref, wanted) == 0 &&
                (size == wanted || (size == wanted + 3 && strncmp(name + wanted, "^{}", 3) == 0)))
                found = take_hash(line, hash) || found;
        }
        line = tab + length;
        line += *line == '\n';
    }
    return found;
}

/* Asks the other side for a list of its refs, more than once if it has to be. */
static int ask_list(const struct repository *repository, char *output, const char **why)
{
    const char *name = repository->version ? repository->version : "HEAD";
    const struct timespec pause = {.tv_sec = RETRY_PAUSE_S};
    int result = 0;

    for (unsigned attempt = 0; attempt < REPOSITORY_ATTEMPTS; attempt++) {
        if (attempt)
            nanosleep(&pause, NULL);
        result = command_ask(repository, false, REPOSITORY_ASK_S, output, why,
                             repository->version ? WORDS("ls-remote", "--", repository->url, name,
                                                         text_format("refs/tags/%s^{}", name))
                                                 : WORDS("ls-remote", "--", repository->url, name));
        if (result <= 0)
            break;
    }
    if (result > 0)
        *why = text_format("the repository cannot be read: git ls-remote ended with exit code %d; "
                           "its words are in the step's output",
                           result);
    return result > 0 ? -EIO : result;
}

/* Finds out which commit is wanted, and by which name it is fetched. */
static int find_wanted(struct repository *repository, const char **why)
{
    const char *version = repository->version;
    char output[COMMAND_OUTPUT_MAX], *branch = text_format("refs/heads/%s", version ? version : "");
    char *tag = text_format("refs/tags/%s", version ? version : "");
    int result;

    if (version && is_hash(version)) {
        snprintf(repository->ref, sizeof repository->ref, "%s", version);
        for (size_t i = 0; version[i]; i++)
            repository->after[i] = (char)tolower((unsigned char)version[i]);
        return 0;
    }
    result = ask_list(repository, output, why);
    if (result < 0)
        return result;
    if (!version && find_ref(output, "HEAD", repository->after)) {
        snprintf(repository->ref, sizeof repository->ref, "HEAD");
    } else if (version && find_ref(output, branch, repository->after)) {
        snprintf(repository->ref, sizeof repository->ref, "%s", branch);
        snprintf(repository->branch, sizeof repository->branch, "%s", version);
    } else if (version && find_ref(output, tag, repository->after)) {
        snprintf(repository->ref, sizeof repository->ref, "%s", tag);
    } else {
        *why = version ? text_format("the repository has neither a branch nor a tag %s; a commit "
                                     "is given by its whole hash",
                                     version)
                       : "the repository is empty";
        return -ENOENT;
    }
    return 0;
}

/* Whether dest has files of somebody else's: it is there, no repository, and not empty. */
static int check_dest(const struct repository *repository, const char **why)
{
    const char *const argv[] = {"find", repository->dest, "-mindepth", "1", "-maxdepth",
                                "1",    "-print",         "-quit",     NULL};
    char output[COMMAND_OUTPUT_MAX];
    struct bootlace_program program = {.size = sizeof program,
                                       .argv = argv,
                                       .effect = BOOTLACE_READS,
                                       .time_limit = REPOSITORY_LOCAL_S,
                                       .capture = output,
                                       .capture_size = sizeof output};
    struct bootlace_ending ending;

    if (!tree_has(repository->host, repository->dest))
        return 0;
    if (repository->host->run_program(repository->host, &program, &ending) == 0 && !*output)
        return 0;
    *why = "dest has files and is no repository: they are not overwritten";
    return -ENOTEMPTY;
}

/* Makes dest an empty repository of the owner's. */
static int begin(const struct repository *repository, const char **why)
{
    const char *const argv[] = {"install", "-d",
                                "-o",      text_format("%u", (unsigned)repository->uid),
                                "-g",      text_format("%u", (unsigned)repository->gid),
                                "--",      repository->dest,
                                NULL};
    struct bootlace_program program = {.size = sizeof program,
                                       .argv = argv,
                                       .effect = BOOTLACE_CHANGES,
                                       .time_limit = REPOSITORY_LOCAL_S};
    struct bootlace_ending ending;
    int result = repository->host->run_program(repository->host, &program, &ending);

    if (result < 0 || ending.exit_code != 0) {
        *why = "dest cannot be made; the words are in the step's output";
        return result < 0 ? result : -EIO;
    }
    return command_change(repository, REPOSITORY_LOCAL_S, why, WORDS("init", "--quiet", "."));
}

static int set_remote(const struct repository *repository, const char **why)
{
    char output[COMMAND_OUTPUT_MAX];
    int result = command_ask(repository, true, REPOSITORY_LOCAL_S, output, why,
                             WORDS("remote", "get-url", "origin"));

    if (result < 0)
        return result;
    output[strcspn(output, "\n")] = '\0';
    if (result == 0 && strcmp(output, repository->url) == 0)
        return 0;
    return command_change(
        repository, REPOSITORY_LOCAL_S, why,
        WORDS("remote", result == 0 ? "set-url" : "add", "origin", repository->url));
}

/* One ref, or where the other side gives no commit by its hash, everything. */
static int fetch(const struct repository *repository, const char **why)
{
    const char *target = *repository->branch ? text_format("+%s:refs/remotes/origin/%s",
                                                           repository->ref, repository->branch)
                                             : repository->ref;
    const char *depth = text_format("--depth=%ld", repository->depth);
    char hash[REPOSITORY_HASH_MAX + 1];
    int result;

    if (repository->depth)
        result = command_change(repository, REPOSITORY_FETCH_S, why,
                                WORDS("fetch", "--quiet", "--no-tags", "--no-recurse-submodules",
                                      depth, "--", "origin", target));
    else
        result = command_change(repository, REPOSITORY_FETCH_S, why,
                                WORDS("fetch", "--quiet", "--tags", "--force",
                                      "--no-recurse-submodules", "--", "origin", target));
    if (result == 0 || !is_hash(repository->ref))
        return result;
    result = command_change(repository, REPOSITORY_FETCH_S, why,
                            WORDS("fetch", "--quiet", "--tags", "--no-recurse-submodules", "--",
                                  "origin", "+refs/heads/*:refs/remotes/origin/*"));
    if (result < 0)
        return result;
    result = ask_commit(repository, text_format("%s^{commit}", repository->after), hash, why);
    if (result == 0 && !*hash) {
        *why = "the repository does not have that commit";
        result = -ENOENT;
    }
    return result;
}

/* Whether moving would lose what is here alone: changed files, or commits. */
static int check_local(const struct repository *repository, const char **why)
{
    char output[COMMAND_OUTPUT_MAX];
    int result;

    if (!*repository->before || repository->force)
        return 0;
    result = command_ask(
        repository, true, REPOSITORY_LOCAL_S, output, why,
        WORDS("status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all"));
    if (result == 0 && *output) {
        *why = "files in dest were changed: they stay, unless force: true gives them up";
        return -EBUSY;
    }
    if (result < 0)
        return result;
    result = command_ask(repository, true, REPOSITORY_LOCAL_S, output, why,
                         WORDS("rev-list", "--max-count=1", repository->before, "--not",
                               repository->after, "--remotes", "--tags", "--glob=refs/bootlace/*"));
    if (result == 0 && *output) {
        *why = "dest has commits that the repository does not have: they stay, unless force: "
               "true gives them up";
        return -EBUSY;
    }
    return result < 0 ? result : 0;
}

static int check_out(const struct repository *repository, const char **why)
{
    const char *commit = repository->after;
    const char *force = repository->force ? "--force" : "--quiet";
    int result;

    if (*repository->branch)
        result = command_change(repository, REPOSITORY_LOCAL_S, why,
                                WORDS("checkout", "--quiet", force, "--no-recurse-submodules", "-B",
                                      repository->branch, "--no-track", commit));
    else
        result = command_change(
            repository, REPOSITORY_LOCAL_S, why,
            WORDS("checkout", "--quiet", force, "--no-recurse-submodules", "--detach", commit));
    if (result == 0 && repository->submodules &&
        tree_has(repository->host, text_format("%s/.gitmodules", repository->dest)))
        result = command_change(repository, REPOSITORY_FETCH_S, why,
                                WORDS("submodule", "--quiet", "update", "--init", "--recursive",
                                      force[2] == 'f' ? "--force" : "--checkout"));
    if (result == 0)
        result = command_change(repository, REPOSITORY_LOCAL_S, why,
                                WORDS("update-ref", BROUGHT, commit));
    return result;
}

static int move(struct repository *repository, const char **why)
{
    int result = is_repository(repository) ? 0 : begin(repository, why);

    if (result == 0)
        result = set_remote(repository, why);
    if (result == 0)
        result = fetch(repository, why);
    if (result == 0)
        result = check_local(repository, why);
    if (result == 0)
        result = check_out(repository, why);
    return result < 0 ? result : 1;
}

static int bring(struct repository *repository, const char **why)
{
    int result = find_wanted(repository, why);

    if (result < 0)
        return result;
    if (is_repository(repository))
        result = ask_commit(repository, "HEAD^{commit}", repository->before, why);
    else
        result = check_dest(repository, why);
    if (result < 0)
        return result;
    if (strcmp(repository->before, repository->after) == 0)
        return 0;
    if (repository->host->dry_run) {
        repository->host->log(repository->host, BOOTLACE_INFO, "would bring %s to %s",
                              repository->dest, repository->after);
        return 1;
    }
    return move(repository, why);
}

int repository_bring(struct repository *repository, const char **why)
{
    int result = command_prepare(repository, why);

    if (result == 0)
        result = bring(repository, why);
    command_clear(repository);
    return result;
}
