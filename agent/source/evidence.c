/* Signs that this machine is an EC2 instance, read from files alone. */
#include "source/evidence.h"

#include "base/banned.h"
#include "base/memory.h"
#include "base/paths.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>

enum { SIGN_MAX = 128, UUID_FIELD_DIGITS = 8 };

static const char vendor[] = "Amazon EC2";
static const char prefix[] = "ec2";

/* The first line of a small file, without its end; false (and errno) where it cannot be read. */
static bool read_sign(const char *path, char text[static SIGN_MAX])
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    ssize_t size = fd < 0 ? -1 : read(fd, text, SIGN_MAX - 1);

    if (size < 0)
        return false;
    text[size] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    return true;
}

static bool begins_with_ec2(const char *text)
{
    return strncasecmp(text, prefix, sizeof prefix - 1) == 0;
}

bool evidence_uuid_is_ec2(const char *uuid)
{
    char swapped[UUID_FIELD_DIGITS + 1] = "";

    if (begins_with_ec2(uuid))
        return true;
    for (int i = 0; i < UUID_FIELD_DIGITS; i++) {
        if (!isxdigit((unsigned char)uuid[i]))
            return false;
    }
    for (int i = 0; i < UUID_FIELD_DIGITS; i += 2)
        memcpy(swapped + i, uuid + UUID_FIELD_DIGITS - 2 - i, 2);
    return begins_with_ec2(swapped);
}

static bool is_vendor(const char *text)
{
    return strcmp(text, vendor) == 0;
}

bool evidence_of_ec2(char *why, size_t size)
{
    /* The vendor first: it is there on every Nitro instance and readable by all. */
    static const struct {
        enum paths_name folder;
        const char *file;
        bool (*fits)(const char *text);
        const char *words;
    } signs[] = {
        {PATHS_DMI, "/sys_vendor", is_vendor, "DMI's system vendor is Amazon EC2"},
        {PATHS_HYPERVISOR_UUID, "", begins_with_ec2, "the hypervisor's UUID begins with ec2"},
        {PATHS_DMI, "/product_uuid", evidence_uuid_is_ec2, "DMI's product UUID begins with ec2"},
        {PATHS_DMI, "/product_serial", begins_with_ec2, "DMI's serial number begins with ec2"},
    };
    bool hidden = false;

    for (size_t i = 0; i < ARRAY_SIZE(signs); i++) {
        char path[PATH_MAX], text[SIGN_MAX];

        if (snprintf(path, sizeof path, "%s%s", paths_get(signs[i].folder), signs[i].file) >=
            (int)sizeof path)
            continue;
        if (!read_sign(path, text)) {
            hidden = hidden || errno == EACCES;
        } else if (signs[i].fits(text)) {
            snprintf(why, size, "%s", signs[i].words);
            return true;
        }
    }
    snprintf(why, size, "no sign of EC2 in DMI or /sys/hypervisor/uuid%s",
             hidden ? " (parts of it only root can read)" : "");
    return false;
}
