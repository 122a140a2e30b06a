/*
 * The archive plug-in: streams and archives of any bytes, within the maximum that was given.
 *
 * The plug-in's source is compiled into the fuzzer, so that it is watched and guided, too.
 */
#include "fuzz.h"

#include "archive/archive.c"

struct seen {
    size_t files, bytes;
};

enum { MAXIMUM = 1 << 20 };

static int take(void *context, const char *name, struct buffer *bytes)
{
    struct seen *seen = context;

    MUST(*name && *name != '/' && strcmp(name, "..") != 0 && strncmp(name, "../", 3) != 0);
    MUST(!strstr(name, "/../") && strlen(name) <= ARCHIVE_NAME_MAX);
    seen->files++;
    seen->bytes += bytes->size;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(data, size);
    AUTO_BUFFER struct buffer out = BUFFER_INIT(MAXIMUM);
    struct seen seen = {0};
    struct error error = ERROR_INIT;

    if (bootlace_archive.inflate(copy, size, &out, &error) < 0)
        MUST(error.kind == ERROR_INPUT && *error.message);
    error_clear(&error);
    if (bootlace_archive.read(copy, size, MAXIMUM, take, &seen, &error) < 0)
        MUST(error.kind == ERROR_INPUT && *error.message);
    MUST(out.size <= MAXIMUM && seen.bytes <= MAXIMUM && seen.files <= ARCHIVE_FILES_MAX);
    fuzz_copy_free(copy, size);
    return 0;
}
