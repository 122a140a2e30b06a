/* The package lists of a manager; see lists.h. */
#include "lists.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <support/remember.h>
#include <support/text.h>
#include <support/tree.h>
#include <time.h>

enum { HEXADECIMAL = 16 };

static const char name[] = "packages";

uint64_t lists_stamp(const struct work *work)
{
    const char *path = work->manager->lists;
    int fd = path ? tree_open(work->host, path, O_RDONLY | O_DIRECTORY) : -1;
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    struct stat info;
    uint64_t sum = 0;

    while (folder && (entry = readdir(folder))) {
        char digest[REMEMBER_DIGEST_MAX], *text;

        if (fstatat(fd, entry->d_name, &info, 0) < 0 || !S_ISREG(info.st_mode) || !info.st_size)
            continue;
        text = text_format("%s %lld %lld", entry->d_name, (long long)info.st_size,
                           (long long)info.st_mtime);
        remember_digest(digest, (const char *const[]){text}, (size_t[]){strlen(text)}, 1);
        sum += strtoull(digest, NULL, HEXADECIMAL); /* in any order */
        free(text);
    }
    if (folder)
        closedir(folder);
    return sum;
}

static char *stamp_text(const struct work *work)
{
    return text_format("%016" PRIx64, lists_stamp(work));
}

void lists_remember(const struct work *work)
{
    char *stamp = stamp_text(work);
    json_t *state =
        text_need(json_pack("{s:s, s:I}", "lists", stamp, "renewed", (json_int_t)time(NULL)));

    remember_write(work->host, name, state);
    json_decref(state);
    free(stamp);
}

bool lists_are_fresh(const struct work *work)
{
    json_t *state = remember_read(work->host, name);
    const char *remembered = json_string_value(json_object_get(state, "lists"));
    json_int_t age = (json_int_t)time(NULL) - json_integer_value(json_object_get(state, "renewed"));
    char *stamp = stamp_text(work);
    bool fresh = remembered && strcmp(remembered, stamp) == 0 && age >= 0 && age < LISTS_FRESH_S;

    if (remembered) {
        json_object_clear(state);
        remember_write(work->host, name, state);
    }
    json_decref(state);
    free(stamp);
    return fresh;
}
