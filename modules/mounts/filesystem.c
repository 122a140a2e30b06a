/* What is on a device; see filesystem.h. */
#include "filesystem.h"

#include <blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/program.h>
#include <support/text.h>
#include <unistd.h>

enum { BLANK_SIZE = 1 << 20, ARGUMENTS_MAX = 64 };

/* Whether the first MiB is all zeros, as that of a new volume. */
static bool is_blank(const char *device)
{
    static unsigned char bytes[BLANK_SIZE];
    int fd = open(device, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : pread(fd, bytes, sizeof bytes, 0);

    if (fd >= 0)
        close(fd);
    return size > 0 && bytes[0] == 0 && memcmp(bytes, bytes + 1, (size_t)size - 1) == 0;
}

static void take(blkid_probe probe, const char *name, char out[static CONTENT_TEXT_MAX])
{
    const char *value;

    if (blkid_probe_lookup_value(probe, name, &value, NULL) == 0)
        snprintf(out, CONTENT_TEXT_MAX, "%s", value);
}

static int look(blkid_probe probe, const char *device, struct content *content, const char **why)
{
    blkid_partlist list;
    int found;

    blkid_probe_enable_superblocks(probe, 1);
    blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE |
                                                 BLKID_SUBLKS_UUID | BLKID_SUBLKS_LABEL);
    blkid_probe_enable_partitions(probe, 1);
    content->size = (uint64_t)blkid_probe_get_size(probe);
    found = blkid_do_safeprobe(probe);
    if (found == -2) {
        *why =
            text_format("%s has the signatures of several file systems; wipefs(8) tells", device);
        return -EINVAL;
    }
    if (found < 0) {
        *why = text_format("%s cannot be read", device);
        return -EIO;
    }
    take(probe, "TYPE", content->type);
    take(probe, "USAGE", content->usage);
    take(probe, "UUID", content->uuid);
    take(probe, "LABEL", content->label);
    take(probe, "PTTYPE", content->table);
    take(probe, "PTUUID", content->table_uuid);
    list = *content->table ? blkid_probe_get_partitions(probe) : NULL;
    content->partitions = list ? (unsigned)blkid_partlist_numof_partitions(list) : 0;
    content->blank = found == 1 && is_blank(device);
    return 0;
}

int content_read(const char *device, struct content *content, const char **why)
{
    blkid_probe probe = blkid_new_probe_from_filename(device);
    int result;

    *content = (struct content){.size = 0};
    if (!probe) {
        result = errno ? -errno : -EIO;
        *why = text_format("%s cannot be opened: %s", device, strerror(-result));
        return result;
    }
    result = look(probe, device, content, why);
    blkid_free_probe(probe);
    return result;
}

char *content_text(const struct content *content)
{
    if (*content->type)
        return text_format("%s %s%s%s%s", content->type,
                           strcmp(content->usage, "filesystem") == 0 ? "file system" : "data",
                           *content->label ? " (" : "", content->label, *content->label ? ")" : "");
    if (*content->table)
        return text_format("a %s partition table with %u partitions",
                           strcmp(content->table, "dos") == 0 ? "mbr" : content->table,
                           content->partitions);
    return text_format("%s", content->blank ? "nothing" : "data of no known kind");
}

/* How a mkfs is told the label, to be quiet, and to take a device whatever is on it. */
static const struct kind {
    const char *type, *label, *quiet, *force;
} kinds[] = {
    {"ext2", "-L", "-q", "-F"}, {"ext3", "-L", "-q", "-F"},  {"ext4", "-L", "-q", "-F"},
    {"xfs", "-L", "-q", "-f"},  {"btrfs", "-L", "-q", "-f"}, {"f2fs", "-l", "-q", "-f"},
    {"swap", "-L", NULL, "-f"}, {"vfat", "-n", NULL, NULL},  {"ntfs", "-L", "-q", "-F"},
    {NULL, "-L", NULL, NULL},
};

static const struct kind *kind_of(const char *type)
{
    const struct kind *kind = kinds;

    while (kind->type && strcmp(kind->type, type) != 0)
        kind++;
    return kind;
}

struct arguments {
    const char *words[ARGUMENTS_MAX + 1];
    size_t count;
};

static int add(struct arguments *arguments, const char *word)
{
    if (arguments->count == ARGUMENTS_MAX)
        return -E2BIG;
    arguments->words[arguments->count++] = word;
    return 0;
}

/* A list of words, or a text that is split at its blanks: there is no shell. */
static int add_all(struct arguments *arguments, const json_t *words)
{
    char *rest = json_is_string(words) ? text_format("%s", json_string_value(words)) : NULL;
    const json_t *word;
    size_t i;
    int result = 0;

    for (char *one; rest && result == 0;) {
        one = strsep(&rest, " \t\n");
        result = *one ? add(arguments, one) : 0;
    }
    json_array_foreach(words, i, word)
    {
        if (result == 0 && json_is_string(word))
            result = add(arguments, json_string_value(word));
    }
    return result;
}

static int fill(struct arguments *arguments, const char *device, const struct filesystem_wish *wish)
{
    const struct kind *kind = kind_of(wish->type);
    bool swap = strcmp(wish->type, "swap") == 0;
    int result = add(arguments, swap ? "mkswap" : text_format("mkfs.%s", wish->type));

    if (kind->quiet)
        result = result ? result : add(arguments, kind->quiet);
    if (kind->force)
        result = result ? result : add(arguments, kind->force);
    if (wish->label) {
        result = result ? result : add(arguments, kind->label);
        result = result ? result : add(arguments, wish->label);
    }
    result = result ? result : add_all(arguments, wish->options);
    return result ? result : add(arguments, device);
}

/* The user's own command, in which cloud-init's %(device)s and its kin stand for what they say. */
static int fill_own(struct arguments *arguments, const char *device,
                    const struct filesystem_wish *wish)
{
    const char *values[][2] = {{"%(device)s", device},
                               {"%(label)s", wish->label ? wish->label : ""},
                               {"%(filesystem)s", wish->type}};
    int result = add_all(arguments, wish->command);

    for (size_t i = 0; i < arguments->count; i++) {
        for (size_t j = 0; j < sizeof values / sizeof *values; j++) {
            const char *at = strstr(arguments->words[i], values[j][0]);

            if (at)
                arguments->words[i] =
                    text_format("%.*s%s%s", (int)(at - arguments->words[i]), arguments->words[i],
                                values[j][1], at + strlen(values[j][0]));
        }
    }
    return result;
}

/* Nobody else may have it open for good: a mount, swap, a RAID. */
static bool is_in_use(const char *device)
{
    int fd = open(device, O_RDONLY | O_EXCL | O_CLOEXEC);

    if (fd >= 0)
        close(fd);
    return fd < 0 && errno == EBUSY;
}

int filesystem_make(const struct bootlace_host *host, const char *device,
                    const struct filesystem_wish *wish, const char **why)
{
    struct arguments arguments = {.count = 0};
    int result;

    if (is_in_use(device)) {
        *why = text_format("%s is in use: it is mounted, swap, or part of another device", device);
        return -EBUSY;
    }
    result = wish->command ? fill_own(&arguments, device, wish) : fill(&arguments, device, wish);
    if (result < 0 || !arguments.count) {
        *why = "its options are too many, or its command is empty";
        return -E2BIG;
    }
    if (host->dry_run) {
        host->log(host, BOOTLACE_INFO, "would make a file system (%s) on %s", wish->type, device);
        return 1;
    }
    result = program_change(host, arguments.words, NULL, FILESYSTEM_MAKE_LIMIT_S, why);
    if (result == -ENOENT)
        *why = text_format("%s is not installed, so no %s file system can be made",
                           arguments.words[0], wish->type);
    return result < 0 ? result : 1;
}
