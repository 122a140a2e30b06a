/* A folder's content moved into another folder of the same file system. */
#ifndef BOOTLACE_S3_MERGE_H
#define BOOTLACE_S3_MERGE_H

#include <stddef.h>

/*
 * Moves all that is in one open folder into the other: what is no folder replaces what has its
 * name, at once; a folder goes as it is, or, where there is one of its name, its content into that.
 * Where a folder is in the place of a file, or a file or link in that of a folder, nothing at all
 * is moved. 0, or a negative errno and why.
 */
int merge_into(int from, int to, char *why, size_t why_size);

/* Removes a file, or a folder with all that is in it; links are not followed. */
void merge_remove(int folder, const char *name);

#endif
