/* Native modules: shared objects with one exported data symbol, opened in a process of their own.
 */
#include "run/native.h"

#include "base/banned.h"
#include "base/memory.h"

#include <dlfcn.h>

const struct bootlace_module *native_open(const char *path, struct error *error)
{
    static struct bootlace_module copy;
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const struct bootlace_module *module;

    if (!object) {
        const char *why = dlerror();

        error_set(error, ERROR_INTERNAL, "cannot be loaded: %s", why ? why : "no reason given");
        return NULL;
    }
    module = dlsym(object, "bootlace_module");
    if (!module) {
        error_set(error, ERROR_INTERNAL, "has no symbol bootlace_module");
        return NULL;
    }
    /* Nothing before the functions may be missing; what is newer than us is not looked at. */
    if (module->size < offsetof(struct bootlace_module, run) + sizeof module->run ||
        module->interface != BOOTLACE_INTERFACE) {
        error_set(error, ERROR_INTERNAL, "speaks interface %u, this agent speaks %d",
                  module->interface, BOOTLACE_INTERFACE);
        return NULL;
    }
    if (!module->name || !module->run) {
        error_set(error, ERROR_INTERNAL, "has no name or no function run");
        return NULL;
    }
    memset(&copy, 0, sizeof copy);
    memcpy(&copy, module, module->size < sizeof copy ? module->size : sizeof copy);
    return &copy;
}
