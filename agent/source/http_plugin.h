/* Opens the fetch plug-in in this process; who wants it in one of its own calls http_load. */
#ifndef BOOTLACE_SOURCE_HTTP_PLUGIN_H
#define BOOTLACE_SOURCE_HTTP_PLUGIN_H

#include "base/error.h"
#include "source/http.h"

/* Once; NULL and an error that says what is missing. */
const struct http_transport *http_plugin_load(struct error *error);

#endif
