/* Lines of authorized_keys; see authorized.h. */
#include "authorized.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/program.h>
#include <support/tree.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER_MODE = 0700, FILE_MODE = 0600, FILE_MAX = 4 << 20 };

static const char file_name[] = "authorized_keys", new_name[] = ".authorized_keys.bootlace";

static bool is_type(const char *word, size_t size)
{
    static const char *const starts[] = {"ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-sha2-"};

    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        if (size > strlen(starts[i]) && strncmp(word, starts[i], strlen(starts[i])) == 0)
            return true;
    }
    return false;
}

/* The end of a line's options: a blank outside of quotes. */
static size_t skip_options(const char *line)
{
    bool quoted = false;
    size_t i;

    for (i = 0; line[i] && (quoted || !strchr(" \t", line[i])); i++) {
        if (line[i] == '\\' && line[i + 1] == '"')
            i++;
        else if (line[i] == '"')
            quoted = !quoted;
    }
    return i;
}

char *authorized_blob(const char *line)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    size_t type, blob;
    const char *word;

    line += strspn(line, " \t");
    if (*line == '#')
        return NULL;
    type = strcspn(line, " \t");
    if (!is_type(line, type)) {
        line += skip_options(line);
        line += strspn(line, " \t");
        type = strcspn(line, " \t");
    }
    word = line + type + strspn(line + type, " \t");
    blob = strspn(word, digits);
    if (!is_type(line, type) || !blob || (word[blob] && !strchr(" \t", word[blob])))
        return NULL;
    return text_format("%.*s %.*s", (int)type, line, (int)blob, word);
}

static bool has_control(const char *line)
{
    for (; *line; line++) {
        if (((unsigned char)*line < 0x20 && *line != '\t') || *line == 0x7f)
            return true;
    }
    return false;
}

int authorized_add(struct authorized_keys *keys, const char *text)
{
    int result = 0;

    for (; *text; text += strspn(text, "\r\n")) {
        size_t size = strcspn(text, "\r\n");
        char *line = text_format("%.*s", (int)size, text), *blob;
        const char *first = line + strspn(line, " \t");

        text += size;
        if (!*first || *first == '#')
            continue;
        blob = size <= AUTHORIZED_LINE_MAX && !has_control(line) ? authorized_blob(line) : NULL;
        if (!blob)
            result = result ? result : -EINVAL;
        else if (keys->count == AUTHORIZED_KEYS_MAX)
            result = -E2BIG;
        else
            keys->lines[keys->count++] = first;
        free(blob);
    }
    return result;
}

/* Where a key with this blob is among keys; their count where it is not. */
static size_t find(const struct authorized_keys *keys, const char *blob)
{
    size_t i;

    for (i = 0; blob && keys && i < keys->count; i++) {
        char *its = authorized_blob(keys->lines[i]);
        bool same = its && strcmp(its, blob) == 0;

        free(its);
        if (same)
            break;
    }
    return i;
}

static void add_line(struct text *out, const char *options, const char *line)
{
    text_add_format(out, "%s%s%s\n", options ? options : "", options ? " " : "", line);
}

bool authorized_merge(const char *text, const struct authorized_keys *keys, const char *options,
                      const struct authorized_keys *old, struct text *out)
{
    bool written[AUTHORIZED_KEYS_MAX] = {false};
    const char *before = text;

    while (*text) {
        size_t size = strcspn(text, "\n");
        char *line = text_format("%.*s", (int)size, text), *blob = authorized_blob(line);
        size_t at = find(keys, blob), gone = find(old, blob);

        if (blob && at < keys->count) {
            if (!written[at])
                add_line(out, options, keys->lines[at]);
            written[at] = true;
        } else if (!blob || !old || gone == old->count) {
            add_line(out, NULL, line);
        }
        free(line);
        free(blob);
        text += size + (text[size] == '\n');
    }
    for (size_t i = 0; i < keys->count; i++) {
        char *blob = authorized_blob(keys->lines[i]);

        if (!written[i] && find(keys, blob) == i)
            add_line(out, options, keys->lines[i]);
        free(blob);
    }
    return strcmp(text_string(out), before) != 0;
}

/* The file's text, "" where there is none. 0, or a negative errno. */
static int read_file(int folder, struct text *text)
{
    int fd = openat(folder, file_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat info;
    ssize_t size = 0;
    int result = fd < 0 ? -errno : 0;

    if (result == 0 && (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode)))
        result = -EINVAL;
    else if (result == 0 && info.st_size > FILE_MAX)
        result = -EFBIG;
    while (result == 0 && text->size < FILE_MAX &&
           (size = read(fd, text_room(text, BUFSIZ), BUFSIZ)) > 0)
        text->size += (size_t)size;
    if (result == 0 && size < 0)
        result = -errno;
    if (fd >= 0)
        close(fd);
    text_add(text, "", 1);
    text->size--;
    return result == -ENOENT ? 0 : result;
}

/* In the place of what is there, whole at once. */
static int write_file(int folder, const struct authorized_home *home, const struct text *text)
{
    const char *rest = text_string(text);
    size_t left = text->size;
    int result = 0, fd;

    unlinkat(folder, new_name, 0);
    fd = openat(folder, new_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (fd < 0)
        return -errno;
    while (result == 0 && left) {
        ssize_t size = write(fd, rest, left);

        if (size < 0) {
            result = -errno;
        } else {
            rest += size;
            left -= (size_t)size;
        }
    }
    if (result == 0 &&
        (fchmod(fd, FILE_MODE) < 0 || fchown(fd, home->owner, home->group) < 0 || fsync(fd) < 0))
        result = -errno;
    close(fd);
    if (result == 0 && renameat(folder, new_name, folder, file_name) < 0)
        result = -errno;
    if (result < 0)
        unlinkat(folder, new_name, 0);
    return result;
}

/*
 * Files are reached with these rights from here on, by this process alone (setfsuid(2)): neither a
 * name that the user has made of another's file nor a folder that is moved away meanwhile leads to
 * more than the user has.
 */
static int become(uid_t owner, gid_t group)
{
    if (owner != 0 && setgroups(0, NULL) < 0)
        return -errno;
    setfsgid(group);
    setfsuid(owner);
    /* Both return what held before, and nothing of a failure; no number is -1. */
    return (uid_t)setfsuid((uid_t)-1) == owner && (gid_t)setfsgid((gid_t)-1) == group ? 0 : -EPERM;
}

/* Whether a folder is the user's, who may do there what is to be done, or root's: then the user
 * cannot change it, and root does it. */
static int take_rights(int folder, const struct authorized_home *home)
{
    struct stat info;

    if (fstat(folder, &info) < 0)
        return -errno;
    if (info.st_uid == home->owner)
        return become(home->owner, home->group);
    return info.st_uid == 0 ? 0 : -EPERM;
}

static void give_back_rights(void)
{
    (void)become(0, 0);
}

/* HOME/.ssh, made where wanted. A descriptor, or a negative errno: -EPERM where it is somebody
 * else's. */
static int open_folder(const struct bootlace_host *host, const struct authorized_home *home,
                       bool make)
{
    int at = tree_open(host, home->home, O_RDONLY | O_DIRECTORY | O_CLOEXEC), folder, result;
    bool made = false;

    if (at < 0)
        return at;
    result = take_rights(at, home);
    if (result == 0 && make)
        made = mkdirat(at, ".ssh", FOLDER_MODE) == 0;
    folder =
        result < 0 ? result : openat(at, ".ssh", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (result == 0 && folder < 0)
        folder = -errno;
    if (folder >= 0 && made && fchown(folder, home->owner, home->group) < 0) {
        result = -errno;
        close(folder);
        folder = result;
    }
    give_back_rights();
    close(at);
    return folder;
}

/* What the file holds, and, where it is not to stay so, what it is made. 1, 0, or a negative errno.
 */
static int merge_file(const struct bootlace_host *host, int folder,
                      const struct authorized_home *home, const struct authorized_keys *keys,
                      const char *options, const struct authorized_keys *old)
{
    struct text text = {0}, merged = {0};
    int result = folder < 0 ? 0 : take_rights(folder, home);

    if (result == 0 && folder >= 0)
        result = read_file(folder, &text);
    if (result == 0 && authorized_merge(text_string(&text), keys, options, old, &merged)) {
        result = host->dry_run || folder < 0 ? 0 : write_file(folder, home, &merged);
        result = result < 0 ? result : 1;
    }
    give_back_rights();
    return result;
}

/* Where SELinux enforces, sshd reads only what is labelled as its own. */
static void label(const struct bootlace_host *host, const struct authorized_home *home)
{
    const char *const argv[] = {"restorecon", "-R", text_format("%s/.ssh", home->home), NULL};
    const char *why;

    if (tree_is_running(host) && access("/sys/fs/selinux/enforce", F_OK) == 0 &&
        program_change(host, argv, NULL, PROGRAM_LIMIT_S, &why) < 0)
        host->log(host, BOOTLACE_WARNING, "%s/.ssh: %s", home->home, why);
}

int authorized_write(const struct bootlace_host *host, const struct authorized_home *home,
                     const struct authorized_keys *keys, const char *options,
                     const struct authorized_keys *old, const char **why)
{
    int folder = open_folder(host, home, keys->count && !host->dry_run);
    int result = folder == -ENOENT && (!keys->count || host->dry_run) ? 0 : folder;

    if (result >= 0)
        result = merge_file(host, folder, home, keys, options, old);
    if (result > 0 && host->dry_run)
        host->log(host, BOOTLACE_INFO, "would write %s/.ssh/%s", home->home, file_name);
    if (folder >= 0)
        close(folder);
    if (result < 0) {
        *why = text_format("%s/.ssh/%s cannot be written: %s", home->home, file_name,
                           result == -EPERM || result == -ELOOP
                               ? "it, or its folder, is a link or somebody else's"
                               : strerror(-result));
        return result;
    }
    if (result && !host->dry_run)
        label(host, home);
    return result;
}
