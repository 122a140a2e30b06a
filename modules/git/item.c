/*
 * Reading an item of the list, and refusing what could be more than it says: git takes what begins
 * with '-' for an option, and URLs of the form transport::address for programs to run.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <support/input.h>
#include <support/rights.h>
#include <support/text.h>

#include "repository.h"

enum { OWNER_WHY_MAX = 256 };

static int refuse(const char **why, const char *words)
{
    *why = words;
    return -EINVAL;
}

/* https, http, ssh, git, file, a path, or ssh's short form user@host:path. */
static bool is_address(const char *url)
{
    static const char *const schemes[] = {"https://", "http://", "ssh://", "git://", "file:///"};

    for (const char *c = url; *c; c++) {
        if ((unsigned char)*c <= ' ' || *c == '\x7f')
            return false;
    }
    if (*url == '-' || strstr(url, "::"))
        return false;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        if (strncmp(url, schemes[i], strlen(schemes[i])) == 0)
            return url[strlen(schemes[i])] && url[strlen(schemes[i])] != '-';
    }
    return *url == '/' || (!strstr(url, "://") && strchr(url, ':') && *url != ':');
}

/* A name that git-check-ref-format(1) takes, as far as its characters go; or a commit. */
static bool is_version(const char *version)
{
    for (const char *c = version; *c; c++) {
        if ((unsigned char)*c <= ' ' || strchr("~^:?*[\\\x7f", *c))
            return false;
    }
    return *version && *version != '-' && *version != '/' && !strstr(version, "..") &&
           !strstr(version, "@{") && !strstr(version, "//") && strlen(version) < 256;
}

/* What may stand in ssh's command line, which git gives to a shell, without quotes. */
static bool is_plain_path(const char *path)
{
    return *path == '/' &&
           strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-") ==
               strlen(path);
}

static int find_owner(struct repository *repository, const json_t *item, const char **why)
{
    static char words[OWNER_WHY_MAX];
    struct rights rights = {0};
    int result = rights_read(repository->host, item, "mode", &rights, words, sizeof words);

    *why = words;
    if (result < 0)
        return result;
    if (rights.owner_given && !rights.owner_is_there)
        return refuse(why, text_format("the owner %s is not there", rights_owner_text(&rights)));
    repository->uid = rights.owner;
    repository->gid = rights.group_id;
    return 0;
}

int repository_read(const struct bootlace_host *host, const json_t *item,
                    struct repository *repository, const char **why)
{
    const json_t *depth = json_object_get(item, "depth");

    *repository = (struct repository){.host = host, .submodules = true};
    *why = "its settings are none";
    if (input_text(host, item, "repo", &repository->url) < 0 ||
        input_text(host, item, "dest", &repository->dest) < 0 ||
        input_text(host, item, "version", &repository->version) < 0 ||
        input_text(host, item, "key", &repository->key) < 0 ||
        input_flag(host, item, "submodules", &repository->submodules) < 0 ||
        input_flag(host, item, "force", &repository->force) < 0)
        return -EINVAL;
    if (!repository->url || !is_address(repository->url))
        return refuse(why, "repo is no address that is taken: https, ssh, git, file, or a path");
    if (!repository->dest || *repository->dest != '/' || strstr(repository->dest, "/../"))
        return refuse(why, "dest is no absolute path");
    if (repository->version && !is_version(repository->version))
        return refuse(why, "version is no name of a branch or tag, and no commit");
    if (repository->key && !is_plain_path(repository->key))
        return refuse(why, "key is no absolute path of letters, digits, '.', '_' and '-'");
    if (depth && (!json_is_integer(depth) || json_integer_value(depth) < 0 ||
                  json_integer_value(depth) > REPOSITORY_DEPTH_MAX))
        return refuse(why, "depth is no number of commits");
    repository->depth = (long)json_integer_value(depth);
    return find_owner(repository, item, why);
}
