/*
 * Native modules: shared objects with one exported data symbol, opened in a process of their own.
 */
#ifndef BOOTLACE_RUN_NATIVE_H
#define BOOTLACE_RUN_NATIVE_H

#include "base/error.h"
#include "bootlace/module.h"

/*
 * Opens the shared object (RTLD_NOW, RTLD_LOCAL) and returns a copy of its module struct of this
 * agent's size, whatever size it was built with; NULL and an error. Both stay until the process
 * ends. Opening runs the object's constructors: so this is done in a child only.
 */
const struct bootlace_module *native_open(const char *path, struct error *error);

#endif
