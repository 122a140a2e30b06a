/* Folders and files below a top folder; see places.h. */
#include <s3/places.h>

#include <support/remember.h>
#include <support/text.h>
#include <support/tree.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ABOVE_MODE = 0755, GROWING_MODE = 0600, MODE_BITS = 07777 };

static int open_beneath(int top, const char *path, int flags)
{
    struct open_how how = {.flags = (uint64_t)(unsigned)flags | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    int fd = (int)syscall(SYS_openat2, top, path, &how, sizeof how);

    return fd < 0 ? -errno : fd;
}

/* Makes a folder of just that mode and owner, whatever the umask is; that it is there is well. */
static int make_folder(int parent, const char *name, mode_t mode, uid_t owner, gid_t group)
{
    int fd, result = 0;

    if (mkdirat(parent, name, ABOVE_MODE & 0700) < 0)
        return errno == EEXIST ? 0 : -errno;
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (fchown(fd, owner, group) < 0 || fchmod(fd, mode) < 0)
        result = -errno;
    close(fd);
    return result;
}

/* The folders of a path below the root, one after another; the last is the top. */
static int make_top(struct places *places, const struct bootlace_host *host, const char *path)
{
    int current = tree_open(host, "/", O_PATH | O_DIRECTORY), result = current;

    for (const char *end = path; result >= 0 && end[strspn(end, "/")];) {
        const char *name = end + strspn(end, "/");
        size_t size = strcspn(name, "/");
        bool last = !name[size + strspn(name + size, "/")];
        char *so_far, *component;

        end = name + size;
        so_far = text_format("%.*s", (int)(end - path), path);
        component = text_format("%.*s", (int)size, name);
        result = tree_open(host, so_far, O_PATH | O_DIRECTORY);
        if (result == -ENOENT) {
            result = last ? make_folder(current, component, places->folder_mode, places->owner,
                                        places->group)
                          : make_folder(current, component, ABOVE_MODE, 0, 0);
            if (result == 0)
                result = tree_open(host, so_far, O_PATH | O_DIRECTORY);
        }
        free(so_far);
        free(component);
        close(current);
        current = result;
    }
    return result;
}

int places_open(struct places *places, const struct bootlace_host *host, const char *path,
                bool make)
{
    int fd;

    places->uses = 0;
    for (unsigned i = 0; i < PLACES_OPEN_MAX; i++)
        places->open[i] = (struct places_folder){.fd = -1};
    places->top = -1;
    fd = make ? make_top(places, host, path) : tree_open(host, path, O_PATH | O_DIRECTORY);
    if (fd < 0)
        return fd;
    /* One that can be flushed, too. */
    places->top = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    close(fd);
    return places->top < 0 ? -errno : 0;
}

void places_close(struct places *places)
{
    for (unsigned i = 0; i < PLACES_OPEN_MAX; i++) {
        if (places->open[i].path)
            close(places->open[i].fd);
        free(places->open[i].path);
        places->open[i] = (struct places_folder){.fd = -1};
    }
    if (places->top >= 0)
        close(places->top);
    places->top = -1;
}

/* A path that is at most so long, so that what is above it is reached in as many steps. */
static int open_or_make(struct places *places, const char *path, bool make)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    int fd = open_beneath(places->top, path, O_PATH | O_DIRECTORY), parent, result;
    char *above;

    if (fd != -ENOENT || !make)
        return fd;
    above = text_format("%.*s", slash ? (int)(slash - path) : 0, path);
    parent = places_folder(places, above, true);
    result = parent < 0
                 ? parent
                 : make_folder(parent, name, places->folder_mode, places->owner, places->group);
    free(above);
    return result < 0 ? result : open_beneath(places->top, path, O_PATH | O_DIRECTORY);
}

int places_folder(struct places *places, const char *path, bool make)
{
    struct places_folder *oldest = places->open;
    int fd;

    if (places->top < 0)
        return -ENOENT;
    if (!*path)
        return places->top;
    for (unsigned i = 0; i < PLACES_OPEN_MAX; i++) {
        struct places_folder *folder = &places->open[i];

        if (folder->path && strcmp(folder->path, path) == 0) {
            folder->used = ++places->uses;
            return folder->fd;
        }
    }
    fd = open_or_make(places, path, make);
    if (fd < 0)
        return fd;
    for (unsigned i = 1; i < PLACES_OPEN_MAX; i++) {
        if (places->open[i].used < oldest->used)
            oldest = &places->open[i];
    }
    if (oldest->path)
        close(oldest->fd);
    free(oldest->path);
    *oldest = (struct places_folder){text_format("%s", path), fd, ++places->uses};
    return fd;
}

int places_folder_of(struct places *places, const char *path, bool make, const char **name)
{
    const char *slash = strrchr(path, '/');
    char *above = text_format("%.*s", slash ? (int)(slash - path) : 0, path);
    int folder = places_folder(places, above, make);

    *name = slash ? slash + 1 : path;
    free(above);
    return folder;
}

void places_temporary(const char *path, char temporary[PLACES_TEMPORARY_MAX])
{
    const size_t size = strlen(path);
    char digest[REMEMBER_DIGEST_MAX];

    remember_digest(digest, &path, &size, 1);
    snprintf(temporary, PLACES_TEMPORARY_MAX, ".bootlace-%.16s", digest);
}

int places_create(struct places *places, const char *path)
{
    char temporary[PLACES_TEMPORARY_MAX];
    const char *name;
    int folder = places_folder_of(places, path, true, &name), fd;

    if (folder < 0)
        return folder;
    places_temporary(path, temporary);
    for (int attempt = 0; attempt < 2; attempt++) {
        fd = openat(folder, temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    GROWING_MODE);
        if (fd >= 0 || errno != EEXIST)
            break;
        unlinkat(folder, temporary, 0); /* of one that was killed */
    }
    return fd < 0 ? -errno : fd;
}

int places_reopen(struct places *places, const char *path)
{
    char temporary[PLACES_TEMPORARY_MAX];
    struct stat info;
    const char *name;
    int folder = places_folder_of(places, path, false, &name), fd;

    if (folder < 0)
        return folder;
    places_temporary(path, temporary);
    fd = openat(folder, temporary, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ELOOP ? -EPERM : -errno;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == geteuid() &&
        info.st_nlink == 1 && (info.st_mode & MODE_BITS) == GROWING_MODE)
        return fd;
    close(fd);
    return -EPERM;
}

int places_dress(int fd, const struct places_rights *rights)
{
    const struct timespec times[] = {{.tv_nsec = UTIME_NOW}, {.tv_sec = rights->modified}};

    /* The owner first: a change of it takes bits of the mode away. */
    if (fchown(fd, rights->owner, rights->group) < 0 || fchmod(fd, rights->mode) < 0 ||
        futimens(fd, times) < 0)
        return -errno;
    return 0;
}

int places_settle(struct places *places, const char *path)
{
    char temporary[PLACES_TEMPORARY_MAX];
    const char *name;
    int folder = places_folder_of(places, path, false, &name);

    if (folder < 0)
        return folder;
    places_temporary(path, temporary);
    return renameat(folder, temporary, folder, name) < 0 ? -errno : 0;
}

void places_discard(struct places *places, const char *path)
{
    char temporary[PLACES_TEMPORARY_MAX];
    const char *name;
    int folder = places_folder_of(places, path, false, &name);

    places_temporary(path, temporary);
    if (folder >= 0)
        unlinkat(folder, temporary, 0);
}

int places_flush(const struct places *places)
{
    return places->top >= 0 && syncfs(places->top) < 0 ? -errno : 0;
}
