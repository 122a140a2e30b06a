/*
 * Functions that this program does without, made compile errors.
 *
 * Included by every file through base/memory.h or by the compiler's -include. The string functions
 * cannot be given a bound, the process functions go through a shell, the others have a race or a
 * hidden buffer.
 */
#ifndef BOOTLACE_BASE_BANNED_H
#define BOOTLACE_BASE_BANNED_H

/* The headers that declare them come first, or their own declarations would trip the poison. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Macros of some C libraries. */
#undef sprintf
#undef vsprintf

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets
#pragma GCC poison system popen execlp execvp
#pragma GCC poison mktemp tmpnam tempnam
#pragma GCC poison gmtime localtime ctime asctime strtok atoi atol

#endif
