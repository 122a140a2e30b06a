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
    return strcmp(host->root, "/") == 0 && !(BOOTLACE_HAS(host, bake) && host->bake);
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

/* The folder that holds the path's last name, which *name is then; or a negative errno. */
static int open_folder_of(const struct bootlace_host *host, const char *path, char **name)
{
    char *folder_path = text_format("/%s", path);
    char *slash = strrchr(folder_path, '/');
    int folder;

    *slash = '\0';
    folder = tree_open(host, *folder_path ? folder_path : "/", O_PATH | O_DIRECTORY);
    *name = text_format("%s", slash + 1);
    free(folder_path);
    return folder;
}

int tree_link(const struct bootlace_host *host, const char *path, const char *target)
{
    char found[LINK_MAX_BYTES], *name;
    int folder = open_folder_of(host, path, &name), result = folder;

    if (folder >= 0) {
        ssize_t size = readlinkat(folder, name, found, sizeof found);

        if (size >= 0 && (size_t)size == strlen(target) && memcmp(found, target, (size_t)size) == 0)
            result = 0;
        else if (host->dry_run) {
            host->log(host, BOOTLACE_INFO, "would make %s a link to %s", path, target);
            result = 1;
        } else
            result = replace_link(folder, name, target);
        close(folder);
    }
    free(name);
    return result;
}

int tree_remove(const struct bootlace_host *host, const char *path)
{
    struct stat info;
    char *name;
    int folder = open_folder_of(host, path, &name), result = folder == -ENOENT ? 0 : folder;

    if (folder >= 0) {
        if (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) < 0)
            result = errno == ENOENT ? 0 : -errno;
        else if (host->dry_run) {
            host->log(host, BOOTLACE_INFO, "would remove %s", path);
            result = 1;
        } else
            result = unlinkat(folder, name, 0) < 0 ? -errno : 1;
        close(folder);
    }
    free(name);
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

/* Adds os-release, wherever it is (os-release(5)). */
static void read_release(const struct bootlace_host *host, struct text *text)
{
    if (tree_read(host, "/etc/os-release", text, NULL) < 0)
        tree_read(host, "/usr/lib/os-release", text, NULL);
}

char *tree_release(const struct bootlace_host *host, const char *name)
{
    char *key = text_format("\n%s=", name), *value;
    struct text text = {0};
    const char *found;

    text_add_string(&text, "\n");
    read_release(host, &text);
    found = strstr(text.bytes, key);
    found = found ? found + strlen(key) : "";
    found += *found == '"' || *found == '\'';
    value = text_format("%.*s", (int)strcspn(found, "\"'\n"), found);
    free(text.bytes);
    free(key);
    return value;
}

bool tree_is_like(const struct bootlace_host *host, const char *family)
{
    struct text text = {0};
    bool found = false;

    read_release(host, &text);
    for (const char *line = text_string(&text); *line && !found;) {
        found = line_has(line, "ID=", family) || line_has(line, "ID_LIKE=", family);
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    free(text.bytes);
    return found;
}
