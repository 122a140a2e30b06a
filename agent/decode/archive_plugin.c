/* Opens the archive plug-in; see archive_plugin.h. */
#include "decode/archive_plugin.h"

#include "base/banned.h"
#include "base/memory.h"
#include "base/paths.h"

#include <dlfcn.h>
#include <unistd.h>

static const char symbol[] = "bootlace_archive";

const struct archive_reader *archive_plugin_load(struct error *error)
{
    static const struct archive_reader *loaded;
    AUTO_FREE char *path = NULL;
    const struct archive_reader *reader;
    const char *reason;
    void *library;

    if (loaded)
        return loaded;
    path = memory_format("%s/%s", paths_library(), ARCHIVE_PLUGIN);
    if (access(path, F_OK) < 0) {
        error_set(error, ERROR_INTERNAL, "it takes libarchive to read it, and %s is not installed",
                  path);
        error_hint(error, "install the package " ARCHIVE_PACKAGE ", or compress with gzip");
        return NULL;
    }
    library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    if (!library) {
        reason = dlerror();
        error_set(error, ERROR_INTERNAL, "the reader of archives cannot be loaded: %s",
                  reason ? reason : path);
        error_hint(error, "is libarchive installed?");
        return NULL;
    }
    reader = dlsym(library, symbol);
    if (!reader || reader->size != sizeof *reader) {
        dlclose(library);
        error_set(error, ERROR_INTERNAL, "%s is of another build than this program", path);
        error_hint(error, "install bootlace and its plug-ins together");
        return NULL;
    }
    /* Never closed: the libraries behind it register what runs at the process' end. */
    loaded = reader;
    return loaded;
}
