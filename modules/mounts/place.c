/* A place at which something is mounted; see place.h. */
#include "place.h"

#include <errno.h>
#include <libmount.h>
#include <stdlib.h>
#include <string.h>
#include <support/program.h>
#include <support/tree.h>
#include <sys/stat.h>

enum { MOUNT_WORDS_MAX = 512, FOLDER_MODE = 0755, TABLE_MODE = 0644 };

static const char table_path[] = "/etc/fstab";
static const char swaps_path[] = "/proc/swaps";

bool place_is_target(const char *target)
{
    if (*target != '/')
        return false;
    for (const char *at = target; *at;) {
        size_t size = strcspn(++at, "/");

        if ((size == 1 && *at == '.') || (size == 2 && strncmp(at, "..", 2) == 0))
            return false;
        at += size;
    }
    return true;
}

char *place_source(const char *target)
{
    struct libmnt_table *table = mnt_new_table_from_file("/proc/self/mountinfo");
    struct libmnt_fs *mounted =
        table ? mnt_table_find_target(table, target, MNT_ITER_BACKWARD) : NULL;
    const char *source = mounted ? mnt_fs_get_source(mounted) : NULL;
    char *real = source ? realpath(source, NULL) : NULL;

    if (mounted && !real)
        real = text_format("%s", source ? source : "none");
    mnt_unref_table(table);
    return real;
}

/* The table with the line in it; what table_set() returns. */
static int plan_line(const struct bootlace_host *host, const struct table_line *line,
                     struct text *changed, const char **why)
{
    struct text table = {0};
    int result = tree_read(host, table_path, &table, NULL);

    if (result < 0 && result != -ENOENT) {
        *why = text_format("%s cannot be read: %s", table_path, strerror(-result));
        return result;
    }
    return table_set(text_string(&table), line, changed, why);
}

static int make_folders(const char *path)
{
    char *copy = text_format("%s", path);
    int result = 0;

    for (char *slash = strchr(copy + 1, '/'); result == 0; slash = strchr(slash + 1, '/')) {
        if (slash)
            *slash = '\0';
        if (mkdir(copy, FOLDER_MODE) < 0 && errno != EEXIST)
            result = -errno;
        if (!slash)
            break;
        *slash = '/';
    }
    free(copy);
    return result;
}

static int mount_now(const struct place *place, const char **why)
{
    const struct table_line *line = &place->line;
    struct libmnt_context *context = text_need(mnt_new_context());
    char words[MOUNT_WORDS_MAX] = "";
    int result;

    mnt_context_set_source(context, place->device ? place->device : line->source);
    mnt_context_set_target(context, line->target);
    if (strcmp(line->type, "auto") != 0)
        mnt_context_set_fstype(context, line->type);
    mnt_context_set_options(context, line->options);
    result = mnt_context_mount(context);
    if (result || !mnt_context_get_status(context)) {
        mnt_context_get_excode(context, result, words, sizeof words);
        *why = text_format("cannot be mounted at %s: %s", line->target,
                           *words ? words : "mount(2) says no more");
        result = result < 0 ? result : result > 0 ? -result : -EIO;
    }
    mnt_free_context(context);
    return result;
}

static int mount_at(const struct bootlace_host *host, const struct place *place, const char **why)
{
    const struct table_line *line = &place->line;
    char *there = place_source(line->target);
    int result;

    if (there && (!place->device || strcmp(there, place->device) == 0)) {
        free(there);
        return 0;
    }
    if (there) {
        *why = text_format("%s is mounted at %s", there, line->target);
        free(there);
        return -EBUSY;
    }
    if (host->dry_run) {
        host->log(host, BOOTLACE_INFO, "would mount %s at %s", line->source, line->target);
        return 1;
    }
    result = make_folders(line->target);
    if (result < 0) {
        *why = text_format("%s cannot be made: %s", line->target, strerror(-result));
        return result;
    }
    result = mount_now(place, why);
    return result < 0 ? result : 1;
}

static bool is_swapped_on(const char *path)
{
    struct libmnt_table *table = mnt_new_table();
    char *real = realpath(path, NULL);
    bool on = mnt_table_parse_swaps(table, swaps_path) == 0 &&
              mnt_table_find_srcpath(table, real ? real : path, MNT_ITER_FORWARD);

    free(real);
    mnt_unref_table(table);
    return on;
}

static int swap_on(const struct bootlace_host *host, const struct place *place, const char **why)
{
    const char *path = place->device ? place->device : place->line.source;
    const char *const argv[] = {"swapon", path, NULL};
    int result;

    if (is_swapped_on(path))
        return 0;
    result = program_change(host, argv, NULL, PROGRAM_LIMIT_S, why);
    if (result < 0)
        *why = text_format("swap cannot be switched on: %s", *why);
    return result < 0 ? result : 1;
}

int place_take(const struct bootlace_host *host, const struct place *place, const char **why)
{
    const struct table_line *line = &place->line;
    bool swap = strcmp(line->type, "swap") == 0;
    struct text table = {0};
    int now = 0, planned = plan_line(host, line, &table, why), written = 0;

    /* What cannot be mounted gets no line, which would be in the way of every boot. */
    if (planned >= 0 && mnt_match_options(line->options, "+noauto") != 1)
        now = swap ? swap_on(host, place, why) : mount_at(host, place, why);
    if (planned < 0 || now < 0)
        return planned < 0 ? planned : now;
    if (planned)
        written = tree_put(host, table_path, &table, TABLE_MODE);
    if (written < 0)
        *why = text_format("%s cannot be written: %s", table_path, strerror(-written));
    return written < 0 ? written : written || now;
}
