/* Block devices by their names; see device.h. */
#include "device.h"

#include <blkid.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/text.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    POLL_MS = 100,
    IDENTITY_SIZE = 4096,
    VENDOR_AT = 3072, /* NVM Express Base Specification, Identify Controller: bytes 3072 to 4095 */
    VENDOR_NAME_SIZE = 32,
    IDENTIFY = 6,
    IDENTIFY_CONTROLLER = 1,
    DEVICES_SHOWN_MAX = 16,
    ATTRIBUTE_MAX = 128,
    ALIAS_DEPTH_MAX = 8
};

static const char blocks[] = "/sys/block";
static const char store_model[] = "Amazon EC2 NVMe Instance Storage";

bool device_ec2_name(const unsigned char identity[IDENTITY_SIZE], char name[static 33])
{
    const char *given = (const char *)identity + VENDOR_AT;
    size_t length = 0;

    if (strncmp(given, "/dev/", 5) == 0)
        given += 5;
    while (length < VENDOR_NAME_SIZE && isalnum((unsigned char)given[length]))
        length++;
    snprintf(name, VENDOR_NAME_SIZE + 1, "%.*s", (int)length, given);
    return length >= 3 && (strncmp(name, "sd", 2) == 0 || strncmp(name, "xvd", 3) == 0);
}

/* The same, asked of a device. */
static bool ask_ec2_name(const char *path, char name[static 33])
{
    static unsigned char identity[IDENTITY_SIZE];
    struct nvme_admin_cmd command = {.opcode = IDENTIFY,
                                     .addr = (__u64)(uintptr_t)identity,
                                     .data_len = sizeof identity,
                                     .cdw10 = IDENTIFY_CONTROLLER};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool known = fd >= 0 && ioctl(fd, NVME_IOCTL_ADMIN_CMD, &command) == 0 &&
                 device_ec2_name(identity, name);

    if (fd >= 0)
        close(fd);
    return known;
}

/* An attribute of a disk, "" where it has none; without blanks at its end. */
static void read_attribute(const char *disk, const char *name, char value[static ATTRIBUTE_MAX])
{
    char *path = text_format("%s/%s/%s", blocks, disk, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? 0 : read(fd, value, ATTRIBUTE_MAX - 1);

    if (fd >= 0)
        close(fd);
    free(path);
    size = size < 0 ? 0 : size;
    while (size > 0 && isspace((unsigned char)value[size - 1]))
        size--;
    value[size] = '\0';
}

static int is_disk(const struct dirent *entry)
{
    const char *name = entry->d_name;

    return *name != '.' && strncmp(name, "ram", 3) != 0 && strncmp(name, "loop", 4) != 0;
}

/* What asks whether a disk is the one; the name is that in /sys/block. */
typedef bool disk_test(const char *disk, const char *wanted);

/* The first disk, in the order of names, that the test takes; the caller's, or NULL. */
static char *find_disk(disk_test *test, const char *wanted, unsigned skip)
{
    struct dirent **disks;
    int count = scandir(blocks, &disks, is_disk, versionsort);
    char *found = NULL;

    for (int i = 0; i < count; i++) {
        if (!found && test(disks[i]->d_name, wanted) && skip-- == 0)
            found = text_format("/dev/%s", disks[i]->d_name);
        free(disks[i]);
    }
    if (count >= 0)
        free(disks);
    return found;
}

/* vol-0123 has the serial number vol0123. */
static bool has_serial(const char *disk, const char *volume)
{
    char serial[ATTRIBUTE_MAX];
    const char *digits = volume + strlen("vol");

    read_attribute(disk, "device/serial", serial);
    return strncmp(serial, "vol", 3) == 0 &&
           strcmp(serial + 3 + (serial[3] == '-'), digits + (*digits == '-')) == 0;
}

static bool is_store(const char *disk, const char *wanted)
{
    char model[ATTRIBUTE_MAX];

    (void)wanted;
    read_attribute(disk, "device/model", model);
    return strcmp(model, store_model) == 0;
}

/* sdf and xvdf are one name. */
static const char *letters_of(const char *name)
{
    return strncmp(name, "xvd", 3) == 0 ? name + 3 : strncmp(name, "sd", 2) == 0 ? name + 2 : "";
}

static bool has_ec2_name(const char *disk, const char *wanted)
{
    char name[VENDOR_NAME_SIZE + 1], *path;
    bool is;

    if (strncmp(disk, "nvme", 4) != 0)
        return false;
    path = text_format("/dev/%s", disk);
    is = ask_ec2_name(path, name) && strcmp(letters_of(name), letters_of(wanted)) == 0;
    free(path);
    return is;
}

bool device_is_there(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISBLK(info.st_mode);
}

static char *if_block(char *path)
{
    if (path && device_is_there(path))
        return path;
    free(path);
    return NULL;
}

static bool is_volume(const char *name)
{
    return strncmp(name, "vol-", 4) == 0 && name[4] && !strchr(name, '/');
}

static bool is_tag(const char *name)
{
    return strncmp(name, "LABEL=", 6) == 0 || strncmp(name, "UUID=", 5) == 0 ||
           strncmp(name, "PARTLABEL=", 10) == 0 || strncmp(name, "PARTUUID=", 9) == 0;
}

/* A name of the metadata's block-device-mapping: ephemeral0, ebs1, ami, root, swap. */
static bool is_mapped(const char *name)
{
    size_t letters = strcspn(name, "0123456789");

    return ((letters == 9 && strncmp(name, "ephemeral", 9) == 0) ||
            (letters == 3 && strncmp(name, "ebs", 3) == 0))
               ? name[letters] && !name[letters + strspn(name + letters, "0123456789")]
               : strcmp(name, "ami") == 0 || strcmp(name, "root") == 0;
}

static char *find_volume(const char *name)
{
    char *path = find_disk(has_serial, name, 0);

    if (!path)
        path = text_format("/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol%s",
                           name + strlen("vol-"));
    return if_block(path);
}

/* sdf, under whichever name the kernel has it. A partition's digits stay behind the letters. */
static char *find_letters(const char *name)
{
    const char *letters = letters_of(name);
    size_t length = strspn(letters, "abcdefghijklmnopqrstuvwxyz");
    char *disk, *path;

    for (size_t i = 0; i < 2; i++) {
        path = if_block(text_format("/dev/%s%s", i ? "xvd" : "sd", letters));
        if (path)
            return path;
    }
    disk = text_format("sd%.*s", (int)length, letters);
    path = find_disk(has_ec2_name, disk, 0);
    if (path && letters[length])
        path = device_partition(path, (unsigned)strtoul(letters + length, NULL, 10));
    return if_block(path);
}

static char *find_name(const struct device_names *names, const char *name, unsigned depth);

static char *find_mapped(const struct device_names *names, const char *name, unsigned depth)
{
    char *item = text_format("block-device-mapping/%s", name);
    const char *device = names->host->metadata(names->host, item);
    char *path = device ? find_name(names, text_format("%s", device), depth + 1) : NULL;

    if (!path && strncmp(name, "ephemeral", 9) == 0)
        path = if_block(find_disk(is_store, NULL, (unsigned)strtoul(name + 9, NULL, 10)));
    return path;
}

static char *find_tag(const char *name)
{
    const char *value = strchr(name, '=') + 1;
    char *token = text_format("%.*s", (int)(value - 1 - name), name);
    char *path = blkid_evaluate_tag(token, value, NULL);

    free(token);
    return if_block(path);
}

static const char *alias(const struct device_names *names, const char *name)
{
    return json_string_value(json_object_get(names->aliases, name));
}

static char *find_whole(const struct device_names *names, const char *name, unsigned depth)
{
    const char *other = alias(names, name);
    const char *base = strncmp(name, "/dev/", 5) == 0 ? name + 5 : name;

    if (depth > ALIAS_DEPTH_MAX)
        return NULL;
    if (other)
        return find_name(names, other, depth + 1);
    if (is_tag(name))
        return find_tag(name);
    if (is_volume(name))
        return find_volume(name);
    if (is_mapped(name))
        return find_mapped(names, name, depth);
    if (*name == '/' && device_is_there(name))
        return text_format("%s", name);
    if (*letters_of(base))
        return find_letters(base);
    return *name == '/' ? NULL : if_block(text_format("/dev/%s", name));
}

static char *find_name(const struct device_names *names, const char *name, unsigned depth)
{
    const char *dot = strrchr(name, '.');
    char *path = find_whole(names, name, depth), *disk;

    if (path || !dot || is_tag(name) || !dot[1] || dot[1 + strspn(dot + 1, "0123456789")])
        return path;
    disk = text_format("%.*s", (int)(dot - name), name);
    path = find_whole(names, disk, depth);
    free(disk);
    return path ? if_block(device_partition(path, (unsigned)strtoul(dot + 1, NULL, 10))) : NULL;
}

bool device_is_name(const struct device_names *names, const char *name)
{
    const char *dot = strrchr(name, '.');
    char *base = text_format("%.*s", (int)(dot ? dot - name : (ssize_t)strlen(name)), name);
    bool is = strncmp(name, "/dev/", 5) == 0 || is_tag(name) || is_volume(name) ||
              is_mapped(base) || alias(names, name) || alias(names, base) ||
              (!strchr(name, '/') && !strchr(name, ':') &&
               (*letters_of(name) || strncmp(name, "nvme", 4) == 0));

    free(base);
    return is;
}

char *device_partition(const char *device, unsigned number)
{
    size_t length = strlen(device);
    bool digit = length && isdigit((unsigned char)device[length - 1]);

    return text_format("%s%s%u", device, digit ? "p" : "", number);
}

bool device_is_absent_store(const struct device_names *names, const char *name)
{
    char *path;

    if (alias(names, name))
        return device_is_absent_store(names, alias(names, name));
    if (strncmp(name, "ephemeral", 9) != 0)
        return false;
    path = find_name(names, name, 0);
    free(path);
    return !path;
}

/* The disks that there are, for people: "nvme1n1 (vol0123, 8 GiB)". */
static char *show_disks(void)
{
    struct dirent **disks;
    int count = scandir(blocks, &disks, is_disk, versionsort);
    struct text out = {0};

    for (int i = 0; i < count; i++) {
        char serial[ATTRIBUTE_MAX], size[ATTRIBUTE_MAX];

        if (i < DEVICES_SHOWN_MAX) {
            read_attribute(disks[i]->d_name, "device/serial", serial);
            read_attribute(disks[i]->d_name, "size", size);
            text_add_format(&out, "%s%s (%s%s%.1f GiB)", i ? ", " : "", disks[i]->d_name, serial,
                            *serial ? ", " : "", strtod(size, NULL) * 512 / (1 << 30));
        }
        free(disks[i]);
    }
    if (count >= 0)
        free(disks);
    return text_format("%s", *text_string(&out) ? text_string(&out) : "none");
}

char *device_find(const struct device_names *names, const char *name, const char *other,
                  unsigned wait_s, const char **why)
{
    const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
    struct timespec now, end;
    char *path, *real;

    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += wait_s;
    while (!(path = find_name(names, name, 0)) && !(other && (path = find_name(names, other, 0)))) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (names->host->dry_run || now.tv_sec > end.tv_sec ||
            (now.tv_sec == end.tv_sec && now.tv_nsec >= end.tv_nsec)) {
            *why = text_format("there is no device %s after %u s; the disks here: %s", name,
                               names->host->dry_run ? 0 : wait_s, show_disks());
            return NULL;
        }
        nanosleep(&pause, NULL);
    }
    real = realpath(path, NULL);
    free(path);
    return text_need(real);
}
