/* What tells one machine and one boot from another. */
#include "os/machine.h"

#include "base/banned.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"

#include <ctype.h>
#include <fcntl.h>

enum { COMMAND_LINE_MAX = 1 << 20 };

/* The first line of a small file, in lower case; false where there is none. */
static bool first_line(const char *path, char text[static MACHINE_ID_MAX])
{
    AUTO_BUFFER struct buffer content = BUFFER_INIT(MACHINE_ID_MAX);
    struct error ignored = ERROR_INIT;

    *text = '\0';
    if (file_read(AT_FDCWD, path, &content, &ignored) <= 0)
        return false;
    snprintf(text, MACHINE_ID_MAX, "%.*s", (int)strcspn(buffer_text(&content), "\r\n"),
             buffer_text(&content));
    for (char *c = text; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return *text != '\0';
}

char *machine_identity(char text[static MACHINE_ID_MAX])
{
    AUTO_FREE char *product = memory_format("%s/product_uuid", paths_get(PATHS_DMI));

    if (!first_line(product, text))
        first_line(paths_get(PATHS_HYPERVISOR_UUID), text);
    return text;
}

char *machine_boot_id(char text[static MACHINE_ID_MAX])
{
    if (!first_line(paths_get(PATHS_BOOT_ID), text))
        first_line("/proc/sys/kernel/random/boot_id", text);
    return text;
}

bool machine_kernel_word(const char *word)
{
    AUTO_BUFFER struct buffer line = BUFFER_INIT(COMMAND_LINE_MAX);
    struct error ignored = ERROR_INIT;
    size_t length = strlen(word);

    if (file_read(AT_FDCWD, paths_get(PATHS_KERNEL_COMMAND), &line, &ignored) <= 0)
        return false;
    for (const char *at = buffer_text(&line); (at = strstr(at, word)); at += length) {
        if ((at == line.bytes || isspace((unsigned char)at[-1])) &&
            (!at[length] || isspace((unsigned char)at[length])))
            return true;
    }
    return false;
}
