/* Finds leftovers below a root, and takes them away; see sweep.h. */
#include "seal/sweep.h"

#include "base/banned.h"
#include "base/buffer.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum { PASSWD_MAX = 4 << 20, HOME_FIELD = 5 };

/* A place in the tree: an open folder, and what it is called there. */
struct place_at {
    int folder;
    const char *path; /* "" is the root */
    unsigned depth;
};

static int open_in_root(int root, const char *path, uint64_t flags)
{
    struct open_how how = {.flags = flags | O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};

    return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

static int open_folder(int folder, const char *name)
{
    return openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

bool sweep_has(int root, const char *path)
{
    AUTO_CLOSE int fd = open_in_root(root, path, O_PATH);
    struct stat info;

    return fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0;
}

/* The names in a folder but "." and "..": an array. They are gathered first, since who removes
 * while reading a folder may miss some. */
static json_t *list_names(int folder)
{
    json_t *names = memory_need(json_array());
    int fd = open_folder(folder, ".");
    DIR *opened = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (fd >= 0 && !opened)
        close(fd);
    while (opened && (entry = readdir(opened))) {
        /* What is no UTF-8 keeps its bytes: names are not for people here. */
        json_t *name = json_stringn_nocheck(entry->d_name, strlen(entry->d_name));

        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            json_add(names, name);
        else
            json_decref(name);
    }
    if (opened)
        closedir(opened);
    return names;
}

/* Removes what a folder holds, and counts on nobody: 0, or an errno. */
static int remove_content(int folder, unsigned depth)
{
    AUTO_JSON json_t *names = list_names(folder);
    struct stat own, info;
    int number = fstat(folder, &own) < 0 ? errno : 0;
    const json_t *item;
    size_t i;

    if (depth > SWEEP_DEPTH_MAX)
        return ELOOP;
    json_array_foreach(names, i, item)
    {
        const char *name = json_string_value(item);
        int failed = 0;

        if (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (S_ISDIR(info.st_mode)) {
            AUTO_CLOSE int inner = info.st_dev == own.st_dev ? open_folder(folder, name) : -1;

            failed = info.st_dev != own.st_dev ? EBUSY
                     : inner < 0               ? errno
                                               : remove_content(inner, depth + 1);
        }
        if (!failed && unlinkat(folder, name, S_ISDIR(info.st_mode) ? AT_REMOVEDIR : 0) < 0)
            failed = errno == ENOENT ? 0 : errno;
        number = number ? number : failed;
    }
    return number;
}

static int remove_one(int folder, const char *name, const struct stat *info, unsigned depth)
{
    AUTO_CLOSE int inner = -1;
    int number;

    if (!S_ISDIR(info->st_mode))
        return unlinkat(folder, name, 0) < 0 && errno != ENOENT ? errno : 0;
    inner = open_folder(folder, name);
    number = inner < 0 ? errno : remove_content(inner, depth + 1);
    if (!number && unlinkat(folder, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        number = errno;
    return number;
}

/* A file with several names may be somebody else's as well: then this name goes alone. */
static int empty_one(int folder, const char *name, const struct stat *info)
{
    AUTO_CLOSE int fd = -1;
    struct stat opened;

    if (info->st_nlink > 1)
        return unlinkat(folder, name, 0) < 0 && errno != ENOENT ? errno : 0;
    fd = openat(folder, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &opened) < 0)
        return errno;
    if (!S_ISREG(opened.st_mode) || opened.st_nlink > 1)
        return EBUSY;
    return ftruncate(fd, 0) < 0 ? errno : 0;
}

static bool is_kept(const struct sweep *sweep, const char *name)
{
    static const char end[] = ".json";
    size_t length = strlen(name), tail = sizeof end - 1;
    AUTO_FREE char *stem = NULL;

    if (json_object_get(sweep->kept, name))
        return true;
    if (length <= tail || strcmp(name + length - tail, end) != 0)
        return false;
    stem = memory_copy_bytes(name, length - tail);
    return json_object_get(sweep->kept, stem);
}

/* An empty log, and a machine-id that says that there is none, are as they should be. */
static bool is_empty(int folder, const char *name, const struct stat *info)
{
    static const char uninitialized[] = "uninitialized\n";
    char text[sizeof uninitialized];
    AUTO_CLOSE int fd = -1;

    if (info->st_size != sizeof uninitialized - 1)
        return info->st_size == 0;
    fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return fd >= 0 && read(fd, text, sizeof text) == info->st_size &&
           memcmp(text, uninitialized, (size_t)info->st_size) == 0;
}

/* In a dry run what an entry before this one removes is there still, for others to match. */
static bool is_gone(const struct sweep *sweep, const char *path)
{
    AUTO_FREE char *above = memory_copy_string(path);
    char *slash;

    do {
        if (json_object_get(sweep->told, above))
            return true;
        slash = strrchr(above, '/');
        *slash = '\0';
    } while (slash > above);
    return false;
}

static void take(const struct sweep *sweep, const struct leftover *leftover,
                 const struct place_at *at, const char *name)
{
    AUTO_FREE char *path = memory_format("%s/%s", at->path, name);
    bool empty = leftover->action == LEFTOVER_EMPTY;
    struct stat info, own;
    int number = 0;

    if (fstatat(at->folder, name, &info, AT_SYMLINK_NOFOLLOW) < 0 || fstat(at->folder, &own) < 0)
        return;
    if (!S_ISREG(info.st_mode) && (empty || leftover->flags & LEFTOVER_FILES))
        return;
    if ((leftover->flags & LEFTOVER_UNLESS_KEPT && is_kept(sweep, name)) ||
        (empty && is_empty(at->folder, name, &info)) || is_gone(sweep, path))
        return;
    if (S_ISDIR(info.st_mode) && info.st_dev != own.st_dev)
        number = EBUSY;
    else if (!sweep->dry_run)
        number = empty ? empty_one(at->folder, name, &info)
                       : remove_one(at->folder, name, &info, at->depth);
    if (sweep->dry_run)
        json_object_set_new_nocheck(sweep->told, path, memory_need(json_true()));
    sweep->tell(sweep->context, leftover, path, number);
}

static void walk(const struct sweep *sweep, const struct leftover *leftover,
                 const struct place_at *at, const char *pattern);

/* Goes on with the pattern in a folder of this one, unless that is another file system's. */
static void walk_into(const struct sweep *sweep, const struct leftover *leftover,
                      const struct place_at *at, const char *name, const char *pattern)
{
    AUTO_CLOSE int folder = open_folder(at->folder, name);
    AUTO_FREE char *path = memory_format("%s/%s", at->path, name);
    const struct place_at next = {.folder = folder, .path = path, .depth = at->depth + 1};
    struct stat own, info;

    if (folder < 0 || at->depth >= SWEEP_DEPTH_MAX || fstat(folder, &info) < 0 ||
        fstat(at->folder, &own) < 0 || info.st_dev != own.st_dev)
        return;
    walk(sweep, leftover, &next, pattern);
}

static bool is_folder(int folder, const char *name)
{
    struct stat info;

    return fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode);
}

/* Everything below, of files: the rest of the pattern here, and the whole of it in each folder. */
static void walk_all(const struct sweep *sweep, const struct leftover *leftover,
                     const struct place_at *at, const char *pattern, const char *rest)
{
    AUTO_JSON json_t *names = list_names(at->folder);
    const json_t *item;
    size_t i;

    json_array_foreach(names, i, item)
    {
        const char *name = json_string_value(item);

        if (is_folder(at->folder, name))
            walk_into(sweep, leftover, at, name, pattern);
        else if (fnmatch(rest, name, 0) == 0)
            take(sweep, leftover, at, name);
    }
}

/* The pattern is relative: "name/na*e". */
static void walk(const struct sweep *sweep, const struct leftover *leftover,
                 const struct place_at *at, const char *pattern)
{
    size_t length = strcspn(pattern, "/");
    AUTO_FREE char *component = memory_copy_bytes(pattern, length);
    const char *rest = pattern[length] ? pattern + length + 1 : NULL;
    AUTO_JSON json_t *names = NULL;
    const json_t *item;
    size_t i;

    if (strcmp(component, "**") == 0 && rest) {
        walk_all(sweep, leftover, at, pattern, rest);
        return;
    }
    if (strpbrk(component, "*?[")) {
        names = list_names(at->folder);
    } else {
        names = memory_need(json_array());
        json_add(names, json_string(component));
    }
    json_array_foreach(names, i, item)
    {
        const char *name = json_string_value(item);

        if (fnmatch(component, name, 0) != 0)
            continue;
        if (rest)
            walk_into(sweep, leftover, at, name, rest);
        else
            take(sweep, leftover, at, name);
    }
}

/* How much of a path names folders, without any pattern: up to the slash behind the last. */
static size_t fixed_part(const char *path)
{
    size_t pattern = strcspn(path, "*?["), length = strlen(path);
    size_t end = pattern < length ? pattern : length;

    while (end && path[end - 1] != '/')
        end--;
    return end;
}

static void sweep_path(const struct sweep *sweep, const struct leftover *leftover)
{
    size_t fixed = fixed_part(leftover->path);
    AUTO_FREE char *folder = memory_copy_bytes(leftover->path, fixed);
    AUTO_CLOSE int fd = open_in_root(sweep->root, folder, O_RDONLY | O_DIRECTORY);

    folder[fixed - 1] = '\0'; /* the slash */
    if (fd >= 0)
        walk(sweep, leftover, &(struct place_at){.folder = fd, .path = folder},
             leftover->path + fixed);
}

static void sweep_homes(const struct sweep *sweep, const struct leftover *leftover,
                        const json_t *homes)
{
    const char *home;
    json_t *ignored;

    json_object_foreach((json_t *)homes, home, ignored)
    {
        AUTO_CLOSE int fd = open_in_root(sweep->root, home, O_RDONLY | O_DIRECTORY);

        if (fd >= 0)
            walk(sweep, leftover, &(struct place_at){.folder = fd, .path = home},
                 leftover->path + strlen("~/"));
    }
}

/* The home of a line of passwd(5), or NULL; the line is cut to pieces. */
static const char *home_of(char *line)
{
    char *field = line;

    for (unsigned i = 0; i < HOME_FIELD && field; i++) {
        field = strchr(field, ':');
        if (field)
            field++;
    }
    if (!field || *field != '/')
        return NULL;
    field[strcspn(field, ":")] = '\0';
    while (strlen(field) > 1 && field[strlen(field) - 1] == '/')
        field[strlen(field) - 1] = '\0';
    /* The root itself is nobody's, whatever an account without a home says. */
    return strcmp(field, "/") == 0 ? NULL : field;
}

/* The homes of all accounts of the tree: an object whose members they are. */
static json_t *find_homes(int root)
{
    AUTO_CLOSE int fd = open_in_root(root, "/etc/passwd", O_RDONLY | O_NONBLOCK);
    AUTO_FREE char *path = memory_format("/proc/self/fd/%d", fd);
    AUTO_BUFFER struct buffer text = BUFFER_INIT(PASSWD_MAX);
    json_t *homes = memory_need(json_object());
    struct error ignored = ERROR_INIT;
    char *line, *rest = NULL;

    if (fd < 0 || file_read(AT_FDCWD, path, &text, &ignored) <= 0 || !text.size)
        return homes;
    for (line = strtok_r(text.bytes, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        const char *home = home_of(line);

        if (home && json_object_size(homes) < SWEEP_HOMES_MAX)
            json_object_set_new_nocheck(homes, home, memory_need(json_true()));
    }
    return homes;
}

void sweep_run(const struct sweep *request, const struct leftover *list, size_t count)
{
    AUTO_JSON json_t *homes = find_homes(request->root);
    AUTO_JSON json_t *told = memory_need(json_object());
    struct sweep own = *request, *sweep = &own;

    own.told = told;

    for (size_t i = 0; i < count; i++) {
        if (list[i].flags & LEFTOVER_AT_REST && !sweep->at_rest)
            continue;
        if (strncmp(list[i].path, "~/", strlen("~/")) == 0)
            sweep_homes(sweep, &list[i], homes);
        else
            sweep_path(sweep, &list[i]);
    }
}
