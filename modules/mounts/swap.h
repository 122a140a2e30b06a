/* A swap file, as `swap` has it: {filename, size, maxsize}. See swapon(8), "Files with holes". */
#ifndef BOOTLACE_MOUNTS_SWAP_H
#define BOOTLACE_MOUNTS_SWAP_H

#include <bootlace/module.h>
#include <jansson.h>
#include <stdint.h>

/* Bytes of a size: a number, or a text with K, M, G or T (of 1024) and B behind it. 0 or -EINVAL.
 */
int swap_read_size(const json_t *size, uint64_t *bytes);

/*
 * The size for `auto`: as much as there is memory, at most 8 GiB, most (0: no limit), and a quarter
 * of what is free; 0 where that is too little to be of use.
 */
uint64_t swap_auto_size(uint64_t memory, uint64_t available, uint64_t most);

/* Makes the file, switches it on, and writes it into fstab. 1, 0, or a negative errno and *why. */
int swap_take(const struct bootlace_host *host, const json_t *swap, const char **why);

#endif
