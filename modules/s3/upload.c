/* Files and trees copied to S3; see upload.h. */
#include <s3/upload.h>

#include <s3/hashing.h>
#include <s3/object.h>
#include <s3/pattern.h>
#include <s3/put.h>
#include <support/text.h>
#include <support/tree.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEPTH_MAX = 128, NS_PER_S = 1000000000 };

/* A name in a folder; in the order of keys, in which a folder's name ends with a slash. */
struct name {
    char *text;
    mode_t kind;
};

struct names {
    struct name *list;
    size_t count, room;
};

/* Whether the object is what the file is already; its ETag then. */
static char *find_same(struct copy *copy, int fd, const struct stat *info, const char *path,
                       const char *key)
{
    const struct record_line *line = record_find(&copy->record, path);
    struct object object = {.key = text_format("%s", key)};
    struct checksum expected, sum;
    char *why = NULL, *etag = NULL;
    int64_t modified_ns = info->st_mtim.tv_sec * (int64_t)NS_PER_S + info->st_mtim.tv_nsec;
    bool same = false;

    if (copy->item->if_changed && object_ask(copy->aws, copy->item, &object, &why) == 0 &&
        object.size == (uint64_t)info->st_size) {
        same = line && strcmp(line->etag, object.etag) == 0 && line->size == info->st_size &&
               line->modified_ns == modified_ns;
        if (!same && checksum_of_etag(object.etag, &expected))
            same = hashing_file(fd, object.size, CHECKSUM_MD5, &sum) == 0 &&
                   checksum_equal(&sum, &expected);
        if (same)
            etag = text_format("%s", object.etag);
    }
    free(why);
    object_clear(&object);
    return etag;
}

static void put_one(struct copy *copy, int fd, const struct stat *info, const char *path,
                    const char *key)
{
    char *etag = find_same(copy, fd, info, path, key), *why = NULL;
    bool same = etag != NULL;
    int result = 0;

    if (!same && copy->host->dry_run)
        copy->host->log(copy->host, BOOTLACE_INFO, "would copy %s%s%s to s3://%s/%s",
                        copy->item->path, copy->item->tree ? "/" : "", copy->item->tree ? path : "",
                        copy->item->bucket, key);
    else if (!same)
        result = put_file(copy, fd, (uint64_t)info->st_size, key, &etag, &why);
    if (result < 0)
        copy_fail(copy, copy->item->tree ? path : "", -result, why);
    else if (same)
        copy->unchanged++;
    else {
        copy->copied++;
        copy->bytes += (uint64_t)info->st_size;
    }
    if (etag)
        record_add(&copy->record, path, etag, info->st_size,
                   info->st_mtim.tv_sec * (int64_t)NS_PER_S + info->st_mtim.tv_nsec);
    free(etag);
    free(why);
}

/* An open file, and its end. */
static void take_file(struct copy *copy, int fd, const char *path, const char *key)
{
    struct stat info;

    copy->seen++;
    if (fd < 0)
        copy_fail(copy, copy->item->tree ? path : "", -fd, NULL);
    else if (fstat(fd, &info) < 0)
        copy_fail(copy, copy->item->tree ? path : "", errno, NULL);
    else if (!S_ISREG(info.st_mode))
        copy_fail(copy, copy->item->tree ? path : "", EINVAL,
                  S_ISDIR(info.st_mode) ? "it is a directory; write a slash at its end to copy all "
                                          "that is below"
                                        : "it is no regular file");
    else if (strlen(key) > ITEM_KEY_MAX)
        copy_fail(copy, path, ENAMETOOLONG, "its key would have more than 1024 bytes");
    else
        put_one(copy, fd, &info, path, key);
    if (fd >= 0)
        close(fd);
}

static int compare_names(const void *one, const void *other)
{
    const struct name *left = one, *right = other;
    size_t at = 0;
    unsigned char a, b;

    while (left->text[at] && left->text[at] == right->text[at])
        at++;
    a = (unsigned char)(left->text[at] ? left->text[at] : S_ISDIR(left->kind) ? '/' : '\0');
    b = (unsigned char)(right->text[at] ? right->text[at] : S_ISDIR(right->kind) ? '/' : '\0');
    return a < b ? -1 : a > b;
}

static void add_name(struct names *names, int folder, const char *text)
{
    struct stat info;

    if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0 ||
        fstatat(folder, text, &info, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    if (names->count == names->room) {
        names->room = names->room ? 2 * names->room : 64;
        names->list = text_need(realloc(names->list, names->room * sizeof *names->list));
    }
    names->list[names->count++] = (struct name){text_format("%s", text), info.st_mode & S_IFMT};
}

/* The names in a folder, in order. The descriptor is closed. */
static int read_names(int folder, struct names *names)
{
    DIR *stream = fdopendir(folder);
    const struct dirent *entry;

    if (!stream) {
        int error = errno;

        close(folder);
        return -error;
    }
    while ((entry = readdir(stream)))
        add_name(names, folder, entry->d_name);
    closedir(stream);
    qsort(names->list, names->count, sizeof *names->list, compare_names);
    return 0;
}

static void walk(struct copy *copy, int folder, const char *above, unsigned depth);

static void take_name(struct copy *copy, int folder, const char *path, const struct name *name,
                      unsigned depth)
{
    int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
    int fd = S_ISDIR(name->kind) || S_ISREG(name->kind)
                 ? openat(folder, name->text, flags | (S_ISDIR(name->kind) ? O_DIRECTORY : 0))
                 : -1;
    int number = errno;
    char *key;

    if (!S_ISDIR(name->kind) && !S_ISREG(name->kind)) {
        copy->host->log(copy->host, BOOTLACE_INFO, "%s is no regular file: not copied", path);
        return;
    }
    if (S_ISDIR(name->kind) && fd >= 0) {
        walk(copy, fd, path, depth + 1);
        return;
    }
    if (fd < 0 || pattern_wanted(copy->item->include, copy->item->exclude, path)) {
        key = text_format("%s%s", copy->item->key, path);
        take_file(copy, fd < 0 ? -number : fd, path, key);
        free(key);
    } else
        close(fd);
}

/* All that is below a folder, which is closed. */
static void walk(struct copy *copy, int folder, const char *above, unsigned depth)
{
    struct names names = {0};
    int again = fcntl(folder, F_DUPFD_CLOEXEC, 0);
    int result = depth > DEPTH_MAX ? -ELOOP : again < 0 ? -errno : read_names(folder, &names);

    if (depth > DEPTH_MAX || again < 0)
        close(folder);
    if (result < 0)
        copy_fail(copy, above, -result, depth > DEPTH_MAX ? "it is too deep" : NULL);
    for (size_t i = 0; i < names.count; i++) {
        char *path = text_format("%s%s%s", above, *above ? "/" : "", names.list[i].text);

        if (!copy_is_ended())
            take_name(copy, again, path, &names.list[i], depth);
        free(path);
        free(names.list[i].text);
    }
    free(names.list);
    if (again >= 0)
        close(again);
}

void upload(struct copy *copy)
{
    const struct item *item = copy->item;
    int flags = O_RDONLY | O_NONBLOCK | (item->tree ? O_DIRECTORY : 0);
    int fd = tree_open(copy->host, item->path, flags), result;

    if (fd < 0) {
        copy_fail(copy, "", -fd, NULL);
        return;
    }
    record_open(&copy->record, copy->state, item->digest, !copy->host->dry_run);
    if (item->tree)
        walk(copy, fd, "", 0);
    else
        take_file(copy, fd, strrchr(item->path, '/') + 1, item->key);
    result = record_close(&copy->record, copy->failed == 0);
    if (result < 0)
        copy->host->log(copy->host, BOOTLACE_WARNING, "%s: what was copied cannot be recorded: %s",
                        item->label, strerror(-result));
}
