/* An archive fetched and unpacked; see extract.h. */
#include <s3/extract.h>

#include <s3/fetch.h>
#include <s3/merge.h>
#include <s3/object.h>
#include <s3/store.h>
#include <s3/unpack.h>
#include <support/text.h>
#include <support/tree.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WHY_MAX = 512, STAGE_MODE = 0700, NAME_SIZE = 64 };

/* What the child process tells at its end. */
struct report {
    int result;
    uint64_t entries, bytes;
    char why[WHY_MAX];
};

struct work {
    struct copy *copy;
    struct object object;
    bool is_there;           /* the folder that the archive is unpacked into */
    char archive[NAME_SIZE]; /* names in copy->target's top */
    char stage[NAME_SIZE];
    struct report report;
};

/* The plug-in is in the folder beside that of this module, …/bootlace/modules/s3.so. */
static char *plugin_path(void)
{
    Dl_info info;
    char *path, *slash;

    if (!dladdr((void *)(uintptr_t)&bootlace_module, &info) || !info.dli_fname)
        return NULL;
    path = text_format("%s", info.dli_fname);
    for (int i = 0; i < 2; i++) {
        slash = strrchr(path, '/');
        if (!slash)
            return NULL;
        *slash = '\0';
    }
    return text_format("%s/plugins/unpack.so", path);
}

/* In the child: what it does there cannot reach anything outside of the stage. */
static void unpack_here(const struct work *work, int archive, int stage, struct report *report)
{
    const struct item *item = work->copy->item;
    struct unpack unpack = {.archive = archive,
                            .archive_size = work->object.size,
                            .strip = item->strip,
                            .owner = item->rights.owner,
                            .group = item->rights.group_id,
                            .mode_given = item->rights.mode_given,
                            .mode = item->rights.mode,
                            .folder_mode = item->folder_mode};
    char *path = plugin_path();
    void *plugin = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    unpack_function *function =
        plugin ? (unpack_function *)(uintptr_t)dlsym(plugin, UNPACK_FUNCTION) : NULL;

    report->result = -ENOSYS;
    if (!function) {
        snprintf(report->why, sizeof report->why, "unpack.so cannot be opened: %s", dlerror());
        return;
    }
    umask(0);
    if (fchdir(stage) < 0 || (chroot(".") < 0 && errno != EPERM)) {
        report->result = -errno;
        return;
    }
    report->result = function(&unpack, report->why, sizeof report->why);
    report->entries = unpack.entries;
    report->bytes = unpack.bytes;
}

static void run_child(const struct work *work, int archive, int stage, int out)
{
    struct report report = {0};

    unpack_here(work, archive, stage, &report);
    if (write(out, &report, sizeof report) != (ssize_t)sizeof report)
        _exit(EXIT_FAILURE);
    _exit(EXIT_SUCCESS);
}

/* Reads the report, which is smaller than a pipe; false where the child ended without one. */
static bool read_report(int in, pid_t child, struct report *report)
{
    ssize_t size;
    int status = 0;

    do {
        if (copy_is_ended())
            kill(child, SIGKILL);
        size = read(in, report, sizeof *report);
    } while (size < 0 && errno == EINTR);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    report->why[WHY_MAX - 1] = '\0';
    return size == (ssize_t)sizeof *report;
}

static int unpack_archive(struct work *work, int archive, int stage)
{
    int ends[2], result;
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    fflush(NULL);
    child = fork();
    if (child == 0)
        run_child(work, archive, stage, ends[1]);
    result = child < 0 ? -errno : 0;
    close(ends[1]);
    if (result == 0 && !read_report(ends[0], child, &work->report)) {
        snprintf(work->report.why, sizeof work->report.why, "the process that unpacks %s",
                 copy_is_ended() ? "was told to end" : "crashed");
        work->report.result = -EIO;
    }
    close(ends[0]);
    return result < 0 ? result : work->report.result;
}

/* Opens the folder in which archive and stage are: the place itself, or the one above. */
static int open_work(struct work *work)
{
    struct copy *copy = work->copy;
    const struct item *item = copy->item;
    int fd = tree_open(copy->host, item->path, O_PATH | O_DIRECTORY), result;
    const size_t size = strlen(item->path);
    const char *path = item->path;
    char digest[REMEMBER_DIGEST_MAX], *above;

    if (fd >= 0)
        close(fd);
    else if (fd != -ENOENT)
        return fd;
    work->is_there = fd >= 0;
    above = text_format("%s", item->path);
    if (!work->is_there)
        strrchr(above, '/')[1] = '\0';
    copy->target = (struct places){.folder_mode = 0755};
    result =
        places_open(&copy->target, copy->host, above, !copy->host->dry_run && !copy->preparing);
    remember_digest(digest, &path, &size, 1);
    snprintf(work->archive, NAME_SIZE, ".bootlace-%.16s.archive", digest);
    snprintf(work->stage, NAME_SIZE, ".bootlace-%.16s.unpacked", digest);
    free(above);
    return result == -ENOENT && (copy->host->dry_run || copy->preparing) ? 0 : result;
}

static void fail(struct work *work, int result)
{
    copy_fail(work->copy, "", -result,
              *work->report.why   ? work->report.why
              : result == -ENOSPC ? "the disk is full"
                                  : NULL);
}

/* Makes the stage, and all of the archive in it. */
static int fill_stage(struct work *work, int *stage)
{
    int top = work->copy->target.top, archive, result;

    merge_remove(top, work->stage);
    if (mkdirat(top, work->stage, STAGE_MODE) < 0)
        return -errno;
    *stage = openat(top, work->stage, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    archive = openat(top, work->archive, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    result = *stage < 0 || archive < 0 ? -errno : unpack_archive(work, archive, *stage);
    if (archive >= 0)
        close(archive);
    return result == 0 && syncfs(top) < 0 ? -errno : result;
}

/* Moves what is unpacked to where it belongs. */
static int move_stage(struct work *work, int stage)
{
    const struct item *item = work->copy->item;
    int top = work->copy->target.top;

    if (work->is_there)
        return merge_into(stage, top, work->report.why, sizeof work->report.why);
    if (fchown(stage, item->rights.owner, item->rights.group_id) < 0 ||
        fchmod(stage, item->folder_mode) < 0 ||
        renameat(top, work->stage, top, strrchr(item->path, '/') + 1) < 0)
        return -errno;
    return 0;
}

static void unpack_and_move(struct work *work)
{
    struct copy *copy = work->copy;
    int stage = -1, result = fill_stage(work, &stage);
    char *size;

    if (result == 0)
        result = move_stage(work, stage);
    if (stage >= 0)
        close(stage);
    if (result < 0)
        fail(work, result);
    if (result < 0 || work->is_there)
        merge_remove(copy->target.top, work->stage);
    unlinkat(copy->target.top, work->archive, 0);
    if (result < 0)
        return;
    fsync(copy->target.top);
    size = copy_size_text(work->report.bytes);
    copy->host->log(copy->host, BOOTLACE_INFO, "%s: %llu entries unpacked, %s", copy->item->label,
                    (unsigned long long)work->report.entries, size);
    free(size);
}

/* Fetches the archive, and unpacks it. */
static void fetch_and_unpack(struct work *work)
{
    struct copy *copy = work->copy;
    struct object object = work->object;
    struct fetch *fetch = fetch_new(copy);
    char name[REMEMBER_DIGEST_MAX];

    object.key = text_format("%s", work->object.key);
    object.etag = text_format("%s", work->object.etag);
    if (copy->preparing)
        store_name(copy, &object, name);
    fetch_add(fetch, &object, copy->preparing ? name : work->archive, true);
    fetch_finish(fetch);
    fetch_free(fetch);
    if (!copy->failed && !copy->preparing)
        unpack_and_move(work);
}

/* Whether it was unpacked already, and nothing is to be done. */
static bool is_same(struct work *work)
{
    struct copy *copy = work->copy;
    const struct record_line *line = record_find(&copy->record, "");

    return copy->item->if_changed && work->is_there && line &&
           strcmp(line->etag, work->object.etag) == 0 && line->size == (int64_t)work->object.size;
}

static void ask_and_extract(struct work *work)
{
    struct copy *copy = work->copy;
    char *why = NULL;
    int result = object_ask(copy->aws, copy->item, &work->object, &why);

    copy->seen++;
    copy->size = work->object.size;
    if (result < 0)
        copy_fail(copy, "", -result, why);
    else if (is_same(work))
        copy->unchanged++;
    else if (copy->host->dry_run) {
        copy->copied++;
        copy->bytes += work->object.size;
        copy->host->log(copy->host, BOOTLACE_INFO, "would unpack s3://%s/%s into %s",
                        copy->item->bucket, copy->item->key, copy->item->path);
    } else if (!copy->preparing || work->object.size <= store_room(copy))
        fetch_and_unpack(work);
    if (!copy->failed && !copy->preparing && work->object.etag)
        record_add(&copy->record, "", work->object.etag, (int64_t)work->object.size, 0);
    free(why);
}

/* Known before anything is fetched. */
static int need_plugin(struct work *work)
{
    char *path = plugin_path();
    bool is_there = path && access(path, F_OK) == 0;

    if (!is_there)
        snprintf(work->report.why, sizeof work->report.why,
                 "%s, which unpacks archives, is not installed: install the package "
                 "bootlace-archive",
                 path ? path : "the plug-in");
    free(path);
    return is_there ? 0 : -ENOENT;
}

void extract(struct copy *copy)
{
    struct work work = {.copy = copy, .object.key = text_format("%s", copy->item->key)};
    int result = need_plugin(&work);

    if (result == 0)
        result = open_work(&work);
    if (result < 0) {
        fail(&work, result);
        return;
    }
    record_open(&copy->record, copy->state, copy->item->digest,
                !copy->host->dry_run && !copy->preparing);
    ask_and_extract(&work);
    result = record_close(&copy->record, copy->failed == 0);
    if (result < 0)
        copy->host->log(copy->host, BOOTLACE_WARNING, "%s: it cannot be recorded: %s",
                        copy->item->label, strerror(-result));
    object_clear(&work.object);
    places_close(&copy->target);
}
