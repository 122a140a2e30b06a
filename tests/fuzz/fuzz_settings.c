/* A configuration file, by way of the file itself, below a folder of the fuzzer's own. */
#include "fuzz.h"

#include "base/banned.h"
#include "base/json.h"
#include "base/memory.h"
#include "config/settings.h"

#include <fcntl.h>
#include <sys/stat.h>

static char *folder;
static int file = -1;

static void remove_folder(void)
{
    AUTO_FREE char *etc = memory_format("%s/etc", folder);
    AUTO_FREE char *own = memory_format("%s/bootlace", etc);
    AUTO_FREE char *config = memory_format("%s/config.yaml", own);

    unlink(config);
    rmdir(own);
    rmdir(etc);
    rmdir(folder);
    free(folder);
}

/* The file is a link to what is in memory, so that nothing of it stays. */
static void make_folder(void)
{
    const char *temporary = getenv("TMPDIR");

    folder = memory_format("%s/bootlace-fuzz-XXXXXX", temporary ? temporary : "/tmp");
    MUST(mkdtemp(folder));
    AUTO_FREE char *etc = memory_format("%s/etc", folder);
    AUTO_FREE char *own = memory_format("%s/bootlace", etc);
    AUTO_FREE char *config = memory_format("%s/config.yaml", own);

    file = memfd_create("fuzz", MFD_CLOEXEC);
    AUTO_FREE char *target = memory_format("/proc/self/fd/%d", file);

    MUST(file >= 0 && mkdir(etc, 0700) == 0 && mkdir(own, 0700) == 0);
    MUST(symlink(target, config) == 0);
    MUST(setenv("BOOTLACE_PREFIX", folder, 1) == 0);
    atexit(remove_folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error error = ERROR_INIT;
    AUTO_JSON json_t *image = NULL;
    struct settings settings;
    int code;

    if (file < 0)
        make_folder();
    MUST(ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == (ssize_t)size);
    code = settings_read(&settings, &image, NULL, &error);
    MUST(code == 0 || error.kind == ERROR_INPUT);
    MUST(json_is_object(image) && json_is_object(settings.modules));
    if (code == 0) {
        MUST(settings.source_count >= 1 && settings.source_count <= SETTINGS_SOURCES_MAX);
        MUST(settings.wait_ms >= 0 && settings.timeout_ms > 0);
        MUST(!json_object_get(image, "bootlace"));
    }
    settings_clear(&settings);
    return 0;
}
