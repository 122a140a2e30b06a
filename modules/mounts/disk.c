/* Partition tables; see disk.h. */
#include "disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <support/input.h>
#include <support/program.h>
#include <support/text.h>
#include <time.h>

#include "filesystem.h"
#include "state.h"

enum {
    SECTOR = 512,
    SECTORS_PER_MIB = 2048,
    TABLE_MIB = 2, /* at the beginning, and for GPT's copy at the end */
    PERCENT = 100,
    PARTITIONS_MAX = 128,
    PARTITION_WAIT_MS = 1000,
    POLL_MS = 50,
    TYPE_MAX = 40
};

/* MBR's numbers, which cloud-init's layouts have for GPT as well, in sfdisk's words. */
static const struct text_word types[] = {{"82", "swap"}, {"83", "linux"}, {"8e", "lvm"},
                                         {"ef", "uefi"}, {"fd", "raid"},  {NULL, NULL}};

static char *refuse_script(const char **why, const char *words)
{
    *why = words;
    return NULL;
}

/* The type of a partition for sfdisk: the number for MBR; a word or a UUID for GPT. NULL: none. */
static const char *type_word(const json_t *type, bool gpt)
{
    const char *text = json_is_integer(type)
                           ? text_format("%lld", (long long)json_integer_value(type))
                           : json_string_value(type);

    if (!type)
        return gpt ? "linux" : "83";
    if (!text || strlen(text) > TYPE_MAX || strspn(text, "0123456789abcdefABCDEF-") != strlen(text))
        return NULL;
    for (size_t i = 0; gpt && types[i].name; i++) {
        if (strcasecmp(types[i].name, text) == 0)
            return types[i].value;
    }
    return (gpt && strlen(text) == 36) || (!gpt && strlen(text) <= 2 && !strchr(text, '-')) ? text
                                                                                            : NULL;
}

/* One line of the script; the last partition takes what is left. */
static int add_partition(struct text *script, const json_t *item, bool last, bool gpt,
                         unsigned long long mib, double *used, const char **why)
{
    const json_t *size = json_is_array(item) ? json_array_get(item, 0) : item;
    const char *type = type_word(json_is_array(item) ? json_array_get(item, 1) : NULL, gpt);
    double percent =
        json_is_string(size) ? strtod(json_string_value(size), NULL) : json_number_value(size);

    *used += percent;
    if (!(percent > 0) || *used > PERCENT) {
        *why = "its layout has a size that is no part of a hundred, or more than that in all";
        return -EINVAL;
    }
    if (!type) {
        *why = "its layout has a type that sfdisk does not know: 82, 83, or a UUID for gpt";
        return -EINVAL;
    }
    if (last && *used >= PERCENT - 1)
        text_add_format(script, "type=%s\n", type);
    else
        text_add_format(script, "size=%lluMiB, type=%s\n",
                        (unsigned long long)((double)mib * percent / PERCENT), type);
    return 0;
}

char *disk_script(const char *table_type, const json_t *layout, unsigned long long size,
                  const char **why)
{
    bool gpt = strcasecmp(table_type, "gpt") == 0;
    unsigned long long mib = size / SECTOR / SECTORS_PER_MIB;
    struct text script = {0};
    const json_t *item;
    double used = 0;
    size_t i;

    if (!gpt && strcasecmp(table_type, "mbr") != 0)
        return refuse_script(why, "its table_type is neither mbr nor gpt");
    if (mib <= TABLE_MIB)
        return refuse_script(why, "it is too small for partitions");
    text_add_format(&script, "label: %s\n", gpt ? "gpt" : "dos");
    if (json_is_true(layout)) {
        text_add_format(&script, "type=%s\n", type_word(NULL, gpt));
        return script.bytes;
    }
    if (!json_array_size(layout) || json_array_size(layout) > PARTITIONS_MAX)
        return refuse_script(why, "its layout is neither true nor a list of sizes");
    json_array_foreach(layout, i, item)
    {
        if (add_partition(&script, item, i + 1 == json_array_size(layout), gpt, mib - TABLE_MIB,
                          &used, why) < 0)
            return NULL;
    }
    return script.bytes;
}

/* udev, where it is there, shows the new partitions a moment later. */
static void wait_for_partition(const char *device)
{
    const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
    char *first = device_partition(device, 1);

    for (int waited = 0; waited < PARTITION_WAIT_MS && !device_is_there(first); waited += POLL_MS)
        nanosleep(&pause, NULL);
    free(first);
}

/*
 * The kernel is told by partx(8), partition by partition: that does not fail where something has
 * the device open, as reading the table anew would.
 */
static int make(const struct bootlace_host *host, const char *device, const char *script,
                const char **why)
{
    const char *const write[] = {"sfdisk", "--quiet", "--no-reread",       "--no-tell-kernel",
                                 "--wipe", "always",  "--wipe-partitions", "always",
                                 device,   NULL};
    const char *const tell[] = {"partx", "--update", device, NULL};
    struct text input = {0};
    int result;

    text_add_string(&input, script);
    if (host->dry_run) {
        host->log(host, BOOTLACE_INFO, "would make a partition table on %s: %s", device, script);
        return 1;
    }
    result = program_change(host, write, &input, PROGRAM_LIMIT_S, why);
    result = result < 0 ? result : program_change(host, tell, NULL, PROGRAM_LIMIT_S, why);
    if (result == -ENOENT)
        *why = "sfdisk or partx is not installed";
    if (result < 0)
        return result;
    wait_for_partition(device);
    return 1;
}

static int set_up(const struct bootlace_host *host, const char *name, const char *device,
                  const json_t *item, const char **why)
{
    const char *table_type = "mbr";
    bool overwrite = false;
    struct content content;
    char *script;
    int result = content_read(device, &content, why);

    if (result < 0)
        return result;
    if (input_text(host, item, "table_type", &table_type) < 0 ||
        input_flag(host, item, "overwrite", &overwrite) < 0) {
        *why = "its settings are none";
        return -EINVAL;
    }
    if (!content.blank && (!overwrite || state_is_made(host, name, content.table_uuid))) {
        *why = text_format("%s has %s", device, content_text(&content));
        return 0;
    }
    script = disk_script(table_type, json_object_get(item, "layout"), content.size, why);
    result = script ? make(host, device, script, why) : -EINVAL;
    free(script);
    if (result == 1 && !host->dry_run && content_read(device, &content, why) == 0)
        state_made(host, name, content.table_uuid);
    return result;
}

int disk_set_up(const struct device_names *names, const char *name, const json_t *item,
                const char **why)
{
    const json_t *layout = json_object_get(item, "layout");
    char *device;
    int result;

    if (json_is_false(layout) || !layout) {
        *why = "it asks for no partitions";
        return 0;
    }
    device = device_find(names, name, NULL, DEVICE_WAIT_S, why);
    result = device ? set_up(names->host, name, device, item, why) : -ENODEV;
    free(device);
    return result;
}
