/*
 * <powershell> and <script> blocks, as EC2Launch reads them (its published source: tags in any
 * case, anywhere in the text, without attributes, content up to the first closing tag, trimmed),
 * with an error where EC2Launch silently runs nothing: a block twice, or not closed.
 */
#ifndef BOOTLACE_CLASSIFY_BLOCKS_H
#define BOOTLACE_CLASSIFY_BLOCKS_H

#include "base/error.h"
#include "model/part.h"
#include "model/problem.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether one of the tags that open a block or set how it runs is in the text. */
bool blocks_present(const char *text, size_t size);

/* Appends a part a block, the <script> one first; see classify_text. */
int blocks_parse(const char *text, size_t size, const char *name, unsigned line,
                 struct parts *parts, struct problems *problems, struct error *error);

#endif
