/*
 * imds_items.c: the tree of files behind the metadata service's answers.
 *
 * The tree is laid out as the service is, below `latest`, and read anew for each request, so that a
 * test can change it while the service runs. A folder is answered with its listing. Three things
 * differ between the tree and the service:
 *  - a versioned path (/2021-07-15/…, /1.0/…) is read from `latest`;
 *  - a login key's folder is `public-keys/0=my-key`: listed so, but asked for as `public-keys/0`;
 *  - names that begin with a dot are not served (a test's temporary files).
 */
#define _GNU_SOURCE
#include "imds.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char LATEST[] = "latest";
static const char KEYS[] = "latest/meta-data/public-keys";
static const char USER_DATA[] = "latest/user-data";

/* What GET / lists: the versions of the service that its clients ask for by name, and `latest`. */
static const char VERSIONS[] = "1.0\n2007-01-19\n2008-02-01\n2009-04-04\n2011-01-01\n2014-11-05\n"
                               "2016-09-02\n2018-09-24\n2021-03-23\n2021-07-15\nlatest";

static bool is_version(const char *text, size_t size)
{
    static const char FORM[] = "dddd-dd-dd";

    if (size == strlen(LATEST) && memcmp(text, LATEST, size) == 0)
        return true;
    if (size == strlen("1.0") && memcmp(text, "1.0", size) == 0)
        return true;
    if (size != strlen(FORM))
        return false;
    for (size_t i = 0; i < size; i++)
        if (FORM[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != FORM[i])
            return false;
    return true;
}

/*
 * Turns a request's path into one below the root, with `latest` for its version. A slash at its end
 * is taken off, and said. False: no such path can be there.
 */
static bool to_relative(const char *path, char relative[IMDS_MAX_PATH], bool *slash)
{
    const char *rest = path + 1;
    size_t version = strcspn(rest, "/");
    int size;

    if (!is_version(rest, version) || strstr(path, "//") != NULL || strstr(path, "/.") != NULL)
        return false;
    size = snprintf(relative, IMDS_MAX_PATH, "%s%s", LATEST, rest + version);
    if (size < 0 || size >= IMDS_MAX_PATH)
        return false;
    *slash = relative[size - 1] == '/';
    if (*slash)
        relative[size - 1] = '\0';
    return true;
}

/* The folder that an open descriptor, which it takes over, is of. */
static DIR *open_listing(int fd)
{
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);

    if (dir == NULL && fd >= 0)
        close(fd);
    return dir;
}

/* Finds the folder `N=…` among the keys; the length of N, or 0. */
static size_t key_folder(int root, const char *index, char name[NAME_MAX + 1])
{
    size_t digits = strspn(index, "0123456789");
    DIR *dir = open_listing(openat(root, KEYS, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    size_t found = 0;

    for (struct dirent *entry; dir != NULL && digits > 0 && (entry = readdir(dir)) != NULL;) {
        if (strncmp(entry->d_name, index, digits) != 0 || entry->d_name[digits] != '=')
            continue;
        memcpy(name, entry->d_name, strlen(entry->d_name) + 1);
        found = digits;
        break;
    }
    if (dir != NULL)
        closedir(dir);
    return found;
}

/* Puts the folder's true name in the place of a key's number. False: there is no such key. */
static bool resolve_key(int root, char relative[IMDS_MAX_PATH])
{
    size_t prefix = strlen(KEYS);
    char name[NAME_MAX + 1];
    char rest[IMDS_MAX_PATH];
    const char *index;
    size_t digits;
    int size;

    if (strncmp(relative, KEYS, prefix) != 0 || relative[prefix] != '/')
        return true;
    index = relative + prefix + 1;
    digits = key_folder(root, index, name);
    if (digits == 0 || (index[digits] != '/' && index[digits] != '\0'))
        return false;
    memcpy(rest, index + digits, strlen(index + digits) + 1);
    size = snprintf(relative, IMDS_MAX_PATH, "%s/%s%s", KEYS, name, rest);
    return size > 0 && size < IMDS_MAX_PATH;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* The names of a folder, each with a `/` where `slashes` asks for it and it is a folder. */
static char **read_names(DIR *dir, bool slashes, size_t *count)
{
    char **names = NULL;

    *count = 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        struct stat status;
        char **more;
        bool folder;

        if (!not_hidden(entry) || fstatat(dirfd(dir), entry->d_name, &status, 0) != 0)
            continue;
        folder = slashes && S_ISDIR(status.st_mode);
        more = reallocarray(names, *count + 1, sizeof(*names));
        if (more == NULL)
            break;
        names = more;
        if (asprintf(&names[*count], "%s%s", entry->d_name, folder ? "/" : "") < 0)
            break;
        (*count)++;
    }
    return names;
}

/* As EC2 lists: a name a line, in order, no line end after the last. */
static int read_folder(int fd, bool slashes, struct imds_item *item)
{
    DIR *dir = open_listing(fd);
    size_t count;
    char **names;
    FILE *out;

    if (dir == NULL)
        return 500;
    names = read_names(dir, slashes, &count);
    closedir(dir);
    if (count > 0)
        qsort(names, count, sizeof(*names), compare_names);
    out = open_memstream(&item->data, &item->size);
    for (size_t i = 0; i < count; i++) {
        if (out != NULL)
            fprintf(out, "%s%s", i == 0 ? "" : "\n", names[i]);
        free(names[i]);
    }
    free(names);
    return out != NULL && fclose(out) == 0 ? 200 : 500;
}

static int read_file(int fd, size_t size, struct imds_item *item)
{
    item->data = malloc(size + 1);
    if (item->data == NULL)
        return 500;
    while (item->size < size) {
        ssize_t got = read(fd, item->data + item->size, size - item->size);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return 500;
        if (got == 0)
            break;
        item->size += (size_t)got;
    }
    return 200;
}

/* Reads what an open descriptor, which it takes over, is of. */
static int read_open(int fd, const char *relative, struct imds_item *item)
{
    struct stat status;
    int result = 404;

    if (fstat(fd, &status) != 0) {
        close(fd);
        return 500;
    }
    item->modified = status.st_mtime;
    if (S_ISDIR(status.st_mode)) {
        /* EC2 shows folders as such below `latest/…` only, and a key's folder not at all. */
        bool slashes = strcmp(relative, LATEST) != 0 && strcmp(relative, KEYS) != 0;

        return read_folder(fd, slashes, item);
    }
    if (S_ISREG(status.st_mode))
        result = status.st_size > IMDS_MAX_BODY ? 500 : read_file(fd, (size_t)status.st_size, item);
    close(fd);
    return result;
}

static int read_versions(struct imds_item *item)
{
    item->data = strdup(VERSIONS);
    if (item->data == NULL)
        return 500;
    item->size = strlen(VERSIONS);
    return 200;
}

int imds_item_read(int root, const char *path, struct imds_item *item)
{
    char relative[IMDS_MAX_PATH];
    bool slash;
    int result;
    int fd;

    *item = (struct imds_item){.modified = time(NULL)};
    if (strcmp(path, "/") == 0)
        return read_versions(item);
    if (!to_relative(path, relative, &slash) || !resolve_key(root, relative))
        return 404;
    /* A slash at the end asks for a folder. O_NONBLOCK: a FIFO must not hold up the service. */
    fd = openat(root, relative, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (slash ? O_DIRECTORY : 0));
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG ? 404 : 500;
    item->is_user_data = strcmp(relative, USER_DATA) == 0;
    result = read_open(fd, relative, item);
    if (result != 200) {
        free(item->data);
        item->data = NULL;
        item->size = 0;
    }
    return result;
}
