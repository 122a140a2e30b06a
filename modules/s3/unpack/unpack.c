/*
 * unpack: an archive's files into the working directory, by libarchive; see ../unpack.h.
 *
 * What an archive holds is somebody's word. So: no path and no link leads out (libarchive's flags,
 * and a check of links' targets by hand), nothing but files, folders and links comes out, no
 * setuid, setgid or sticky bit, nothing that many may write, owners are the settings', and there
 * are limits of count, depth, size and ratio. Filters that libarchive would run a program for are
 * left out.
 */
#include <s3/unpack.h>

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 256 << 10, MODE_BITS = 0777, MODE_REMOVED = 0002, WHY_PATH_MAX = 200 };

struct job {
    struct unpack *unpack;
    struct archive *in, *out;
    char *why;
    size_t why_size;
};

__attribute__((format(printf, 3, 4))) static int say(const struct job *job, int number,
                                                     const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(job->why, job->why_size, format, arguments);
    va_end(arguments);
    return -number;
}

static int say_error(const struct job *job, struct archive *archive, const char *path)
{
    const char *words = archive_error_string(archive);
    int number = archive_errno(archive);

    return say(job, number > 0 && archive == job->out ? number : EINVAL, "%s%s%.*s%s%s",
               archive == job->out ? "cannot be unpacked" : "the archive cannot be read",
               path ? ": " : "", WHY_PATH_MAX, path ? path : "", words ? ": " : "",
               words ? words : "");
}

/* The path without its first names; NULL where it has no more than those. */
static const char *strip(const char *path, unsigned count)
{
    path += strspn(path, "/");
    while (strncmp(path, "./", 2) == 0) {
        path += 2;
        path += strspn(path, "/");
    }
    for (; count; count--) {
        path = strchr(path, '/');
        if (!path)
            return NULL;
        path += strspn(path, "/");
    }
    return *path && strcmp(path, ".") != 0 ? path : NULL;
}

/* How many folders are in each other. */
static int depth_of(const char *path)
{
    int depth = 0;

    while (*path) {
        size_t size = strcspn(path, "/");

        depth += size > 1 || (size == 1 && *path != '.');
        path += size;
        path += strspn(path, "/");
    }
    return depth;
}

static bool has_parent(const char *path)
{
    while (*path) {
        size_t size = strcspn(path, "/");

        if (size == 2 && strncmp(path, "..", 2) == 0)
            return true;
        path += size;
        path += strspn(path, "/");
    }
    return false;
}

/*
 * Whether a symbolic link of that path may lead elsewhere than below the top. It climbs at its
 * target's beginning only, and no higher than the top: then it stays below, whatever links the
 * names behind are.
 */
static bool may_lead_out(const char *path, const char *target)
{
    int above = depth_of(path) - 1;

    while (strncmp(target, "..", 2) == 0 && (target[2] == '/' || !target[2])) {
        target += 2;
        target += strspn(target, "/");
        above--;
    }
    return above < 0 || *target == '/' || has_parent(target);
}

static int check_links(const struct job *job, struct archive_entry *entry, const char *path)
{
    const char *hard = archive_entry_hardlink(entry), *target;

    if (hard) {
        target = strip(hard, job->unpack->strip);
        if (!target || *hard == '/' || has_parent(hard))
            return say(job, EPERM, "the archive has a link that leads out of it: %.*s",
                       WHY_PATH_MAX, path);
        archive_entry_set_hardlink(entry, target);
        return 0;
    }
    if (archive_entry_filetype(entry) != AE_IFLNK)
        return 0;
    target = archive_entry_symlink(entry);
    if (!target || may_lead_out(path, target))
        return say(job, EPERM, "the archive has a link that leads out of it: %.*s", WHY_PATH_MAX,
                   path);
    return 0;
}

static int check_kind(const struct job *job, struct archive_entry *entry, const char *path)
{
    switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
    case AE_IFDIR:
    case AE_IFLNK:
        break;
    default:
        if (archive_entry_hardlink(entry))
            break;
        return say(job, EPERM, "the archive has a device, a pipe or a socket: %.*s", WHY_PATH_MAX,
                   path);
    }
    if (has_parent(path))
        return say(job, EPERM, "the archive has a path with a name ..: %.*s", WHY_PATH_MAX, path);
    if (depth_of(path) > UNPACK_DEPTH_MAX)
        return say(job, EFBIG, "the archive has more than %d folders in each other",
                   UNPACK_DEPTH_MAX);
    if (++job->unpack->entries > UNPACK_ENTRIES_MAX)
        return say(job, EFBIG, "the archive has more than %d entries", UNPACK_ENTRIES_MAX);
    return check_links(job, entry, path);
}

static void dress(const struct unpack *unpack, struct archive_entry *entry)
{
    mode_t mode = archive_entry_perm(entry) & MODE_BITS & ~(mode_t)MODE_REMOVED;

    if (archive_entry_filetype(entry) == AE_IFDIR)
        mode = unpack->mode_given ? unpack->folder_mode : mode | 0700;
    else if (unpack->mode_given && archive_entry_filetype(entry) == AE_IFREG)
        mode = unpack->mode;
    archive_entry_set_perm(entry, mode);
    archive_entry_set_uid(entry, unpack->owner);
    archive_entry_set_gid(entry, unpack->group);
    archive_entry_set_uname(entry, NULL);
    archive_entry_set_gname(entry, NULL);
    archive_entry_acl_clear(entry);
    archive_entry_xattr_clear(entry);
    archive_entry_set_fflags(entry, 0, 0);
}

static int check_size(const struct job *job, size_t more)
{
    struct unpack *unpack = job->unpack;

    unpack->bytes += more;
    if (unpack->bytes >> 30 >= UNPACK_GIB_MAX)
        return say(job, EFBIG, "the archive holds more than %d GiB", UNPACK_GIB_MAX);
    if (unpack->bytes > UNPACK_RATIO_FROM_BYTES &&
        unpack->bytes / UNPACK_RATIO_MAX > unpack->archive_size)
        return say(job, EFBIG, "the archive inflates to more than %d times its size",
                   UNPACK_RATIO_MAX);
    return 0;
}

static int copy_content(const struct job *job, const char *path)
{
    const void *bytes;
    size_t size;
    la_int64_t offset;
    int result;

    while ((result = archive_read_data_block(job->in, &bytes, &size, &offset)) == ARCHIVE_OK) {
        result = check_size(job, size);
        if (result < 0)
            return result;
        if (archive_write_data_block(job->out, bytes, size, offset) < ARCHIVE_OK)
            return say_error(job, job->out, path);
    }
    return result == ARCHIVE_EOF ? 0 : say_error(job, job->in, path);
}

static int take_entry(const struct job *job, struct archive_entry *entry)
{
    const char *given = archive_entry_pathname(entry), *path;
    char *copied;
    int result;

    if (!given)
        return say(job, EINVAL, "the archive has a path that is no UTF-8");
    if (*given == '/')
        return say(job, EPERM, "the archive has an absolute path: %.*s", WHY_PATH_MAX, given);
    path = strip(given, job->unpack->strip);
    if (!path)
        return 0;
    copied = strdup(path);
    if (!copied)
        return -ENOMEM;
    archive_entry_set_pathname(entry, copied);
    result = check_kind(job, entry, copied);
    if (result == 0) {
        dress(job->unpack, entry);
        if (archive_write_header(job->out, entry) < ARCHIVE_OK)
            result = say_error(job, job->out, copied);
    }
    if (result == 0 && archive_entry_size(entry) > 0)
        result = copy_content(job, copied);
    if (result == 0 && archive_write_finish_entry(job->out) < ARCHIVE_OK)
        result = say_error(job, job->out, copied);
    free(copied);
    return result;
}

static int unpack_all(const struct job *job)
{
    struct archive_entry *entry;
    int result;

    for (;;) {
        result = archive_read_next_header(job->in, &entry);
        if (result == ARCHIVE_EOF)
            return job->unpack->entries
                       ? 0
                       : say(job, EINVAL, "the archive has nothing that could be unpacked");
        /* A warning is of what is not asked for: ACLs, charsets. */
        if (result < ARCHIVE_WARN)
            return say_error(job, job->in, NULL);
        result = take_entry(job, entry);
        if (result < 0)
            return result;
    }
}

/* tar and zip, in the compressions that libarchive knows by itself. */
static struct archive *new_reader(void)
{
    struct archive *in = archive_read_new();

    if (!in)
        return NULL;
    archive_read_support_filter_gzip(in);
    archive_read_support_filter_bzip2(in);
    archive_read_support_filter_xz(in);
    archive_read_support_filter_lzma(in);
    archive_read_support_filter_lzip(in);
    archive_read_support_filter_zstd(in);
    archive_read_support_filter_lz4(in);
    archive_read_support_filter_compress(in);
    archive_read_support_format_tar(in);
    archive_read_support_format_zip(in);
    return in;
}

static struct archive *new_writer(void)
{
    struct archive *out = archive_write_disk_new();

    if (out)
        archive_write_disk_set_options(
            out, ARCHIVE_EXTRACT_OWNER | ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME |
                     ARCHIVE_EXTRACT_SECURE_SYMLINKS | ARCHIVE_EXTRACT_SECURE_NODOTDOT |
                     ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS);
    return out;
}

__attribute__((visibility("default"))) unpack_function bootlace_unpack;

int bootlace_unpack(struct unpack *unpack, char *why, size_t why_size)
{
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0), before = uselocale(utf8);
    struct job job = {unpack, new_reader(), new_writer(), why, why_size};
    int result = -ENOMEM;

    if (job.in && job.out) {
        result = archive_read_open_fd(job.in, unpack->archive, BLOCK) == ARCHIVE_OK
                     ? unpack_all(&job)
                     : say_error(&job, job.in, NULL);
        if (result == 0 && archive_write_close(job.out) < ARCHIVE_OK)
            result = say_error(&job, job.out, NULL);
    }
    archive_read_free(job.in);
    archive_write_free(job.out);
    uselocale(before);
    if (utf8)
        freelocale(utf8);
    return result;
}
