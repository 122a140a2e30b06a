/*
 * The cyclic redundancy checks that S3 keeps of whole objects: CRC-32 (ISO 3309), CRC-32C
 * (RFC 3720, B.4) and CRC-64/NVME (NVM Command Set 1.0d, 5.2.1.3.4).
 *
 * They are checks of ranges, too: those of two pieces make that of both, so the ranges of an object
 * may come in any order, and nothing is read twice.
 */
#ifndef BOOTLACE_S3_CRC_H
#define BOOTLACE_S3_CRC_H

#include <stddef.h>
#include <stdint.h>

enum crc_kind { CRC_32, CRC_32C, CRC_64NVME, CRC_KINDS };

/* How many bits it has. */
unsigned crc_bits(enum crc_kind kind);

/* The check of bytes behind those of which crc is the check; of none, it is 0. */
uint64_t crc_add(enum crc_kind kind, uint64_t crc, const void *bytes, size_t size);

/* The same without what the processor has for it, for comparison. */
uint64_t crc_add_plain(enum crc_kind kind, uint64_t crc, const void *bytes, size_t size);

/* The check of two pieces, one behind the other, from theirs; size is that of the second. */
uint64_t crc_join(enum crc_kind kind, uint64_t first, uint64_t second, uint64_t size);

#endif
