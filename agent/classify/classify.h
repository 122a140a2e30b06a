/*
 * classify: what decoded user-data is, told by how it begins. Pure: bytes in, parts out.
 *
 * The prefixes are cloud-init's (its documentation, "User-data formats"), the blocks are
 * EC2Launch's; see classify/blocks.h.
 */
#ifndef BOOTLACE_CLASSIFY_CLASSIFY_H
#define BOOTLACE_CLASSIFY_CLASSIFY_H

#include "base/error.h"
#include "model/part.h"
#include "model/problem.h"

#include <stddef.h>

#define TYPE_SHELLSCRIPT "text/x-shellscript"
#define TYPE_WINDOWS_SCRIPT "text/x-windows-script"
#define TYPE_POWERSHELL "text/x-powershell"
#define TYPE_CLOUD_CONFIG "text/cloud-config"

/* The MIME type that a text's beginning announces, or NULL where it announces none. */
const char *classify_prefix(const char *text, size_t size);

/*
 * Appends the part or parts that the text is, all named after name. line is where the text begins
 * in what the user wrote. What is wrong but does not prevent it goes to problems as warnings.
 * An error (ERROR_INPUT) where it is nothing known: what it looks like, never its content.
 */
int classify_text(const char *text, size_t size, const char *name, unsigned line,
                  struct parts *parts, struct problems *problems, struct error *error);

#endif
