/* The tree that a module works on; see tree.h. */
#include <support/tree.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { READ_CHUNK = 65536, LINK_MAX_BYTES = 4096 };

bool tree_is_running(const struct bootlace_host *host)
{
    return strcmp(host->root, "/") == 0;
}

int tree_open(const struct bootlace_host *host, const char *path, int flags)
{
    struct open_how how = {.flags = (uint64_t)(unsigned)flags | O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    int root = open(host->root, O_PATH | O_DIRECTORY | O_CLOEXEC), fd, saved;

    if (root < 0)
        return -errno;
    fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    saved = errno;
    close(root);
    return fd < 0 ? -saved : fd;
}

bool tree_has(const struct bootlace_host *host, const char *path)
{
    int fd = tree_open(host, path, O_PATH);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static int read_all(int fd, struct text *out)
{
    size_t before = out->size;

    for (;;) {
        ssize_t count = read(fd, text_room(out, READ_CHUNK), READ_CHUNK);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -errno;
        out->size += (size_t)count;
        out->bytes[out->size] = '\0';
        if (out->size - before > TREE_READ_MAX)
            return -EFBIG;
        if (count == 0)
            return 0;
    }
}

int tree_read(const struct bootlace_host *host, const char *path, struct text *out,
              struct stat *info)
{
    int fd = tree_open(host, path, O_RDONLY | O_NONBLOCK), result;
    struct stat found;

    if (fd < 0)
        return fd;
    if (fstat(fd, &found) < 0)
        result = -errno;
    else if (!S_ISREG(found.st_mode))
        result = -EINVAL;
    else
        result = read_all(fd, out);
    if (info)
        *info = found;
    close(fd);
    return result;
}

/* Puts a link of another name beside it, and renames that over it. */
static int replace_link(int folder, const char *name, const char *target)
{
    char *temporary = text_format("%.200s.bootlace-%d", name, (int)getpid());
    int result = 1;

    if (symlinkat(target, folder, temporary) < 0)
        result = -errno;
    else if (renameat(folder, temporary, folder, name) < 0) {
        result = -errno;
        unlinkat(folder, temporary, 0);
    }
    free(temporary);
    return result;
}

int tree_link(const struct bootlace_host *host, const char *path, const char *target)
{
    char *folder_path = text_format("/%s", path), found[LINK_MAX_BYTES];
    char *slash = strrchr(folder_path, '/');
    const char *name = slash + 1;
    ssize_t size;
    int folder, result;

    *slash = '\0';
    folder = tree_open(host, *folder_path ? folder_path : "/", O_PATH | O_DIRECTORY);
    if (folder < 0) {
        free(folder_path);
        return folder;
    }
    size = readlinkat(folder, name, found, sizeof found);
    if (size >= 0 && (size_t)size == strlen(target) && memcmp(found, target, (size_t)size) == 0)
        result = 0;
    else if (host->dry_run) {
        host->log(host, BOOTLACE_INFO, "would make %s a link to %s", path, target);
        result = 1;
    } else
        result = replace_link(folder, name, target);
    close(folder);
    free(folder_path);
    return result;
}

int tree_put(const struct bootlace_host *host, const char *path, const struct text *content,
             mode_t mode)
{
    const struct bootlace_file how = {.size = sizeof how, .mode = mode};

    return host->put_file(host, path, text_string(content), content->size, &how);
}

/* Whether a line NAME=value of os-release has the word, quoted or not, among others or not. */
static bool line_has(const char *line, const char *name, const char *word)
{
    size_t length = strlen(word);
    const char *end = line + strcspn(line, "\n");

    if (strncmp(line, name, strlen(name)) != 0)
        return false;
    for (line += strlen(name); line < end;) {
        size_t size = strcspn(line, "\"' \t\n");

        if (size == length && strncmp(line, word, length) == 0)
            return true;
        line += size + 1;
    }
    return false;
}

bool tree_is_like(const struct bootlace_host *host, const char *family)
{
    struct text text = {0};
    bool found = false;

    if (tree_read(host, "/etc/os-release", &text, NULL) < 0)
        tree_read(host, "/usr/lib/os-release", &text, NULL);
    for (const char *line = text_string(&text); *line && !found;) {
        found = line_has(line, "ID=", family) || line_has(line, "ID_LIKE=", family);
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    free(text.bytes);
    return found;
}
