/* Opens the fetch plug-in; see http_plugin.h. */
#include "source/http_plugin.h"

#include "base/banned.h"
#include "base/memory.h"
#include "base/paths.h"

#include <dlfcn.h>

static const char symbol[] = "bootlace_fetch";
static const char forgo_gnutls[] = "GNUTLS_NO_IMPLICIT_INIT";

const struct http_transport *http_plugin_load(struct error *error)
{
    static const struct http_transport *loaded;
    AUTO_FREE char *path = NULL;
    const struct http_transport *transport;
    const char *reason;
    void *library;

    if (loaded)
        return loaded;
    path = memory_format("%s/%s", paths_library(), HTTP_PLUGIN);
    /*
     * libcurl drags in GnuTLS (by librtmp and libldap, neither of which is ever used here), whose
     * constructor initialises it whole, for 1 ms of the 6. Its manual's way to forgo that is this
     * variable ("Core TLS API, initialization"); TLS here is OpenSSL's.
     */
    setenv(forgo_gnutls, "1", 1);
    /*
     * Lazily: of the 32 libraries behind libcurl a request over plain http calls few, and binding
     * all their functions at once takes 0.4 ms of the 5 ms that loading takes. The plug-in's own
     * needs are bound now all the same, as it is linked so (-z now): a libcurl that lacks one is
     * found here and not in the middle of a boot.
     */
    library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    unsetenv(forgo_gnutls);
    if (!library) {
        reason = dlerror();
        error_set(error, ERROR_INTERNAL, "the HTTP client cannot be loaded: %s",
                  reason ? reason : path);
        error_hint(error, "it needs libcurl: install the package libcurl4");
        return NULL;
    }
    transport = dlsym(library, symbol);
    if (!transport || transport->size != sizeof *transport) {
        dlclose(library);
        error_set(error, ERROR_INTERNAL, "%s is of another build than this program", path);
        error_hint(error, "install bootlace and its plug-ins together");
        return NULL;
    }
    /* Never closed: libcurl and OpenSSL register what runs at the process' end. */
    loaded = transport;
    return loaded;
}
