/*
 * Cyclic redundancy checks; see crc.h.
 *
 * All three are reflected: the lowest bit of a byte stands for the highest power of x. A polynomial
 * of W bits here has its term x^i in bit W-1-i. Plainly, eight bytes at a time are looked up in
 * eight tables. Where the processor multiplies without carry (PCLMULQDQ), 64 bytes at a time are
 * folded onto the next 64: a block of 128 bits that stands D bits before another is worth the same
 * as its product with x^D mod P at the other's place ("Fast CRC Computation for Generic Polynomials
 * Using PCLMULQDQ", Gopal et al., 2009). The 16 bytes that are left are looked up.
 */
#include <s3/crc.h>

#include <endian.h>
#include <stdbool.h>
#include <string.h>

#if defined __x86_64__
#include <immintrin.h>
#endif

enum { SLICES = 8, BYTE_VALUES = 256, BYTE_BITS = 8, BLOCK = 16, LANES = 4, FOLD_FROM = 256 };

struct shape {
    unsigned bits;
    uint64_t polynomial;
};

static const struct shape shapes[CRC_KINDS] = {
    [CRC_32] = {32, UINT64_C(0xedb88320)},
    [CRC_32C] = {32, UINT64_C(0x82f63b78)},
    [CRC_64NVME] = {64, UINT64_C(0x9a6c9329ac4bc9b5)},
};

struct tables {
    bool made;
    uint64_t slices[SLICES][BYTE_VALUES];
    uint64_t far[2], near[2]; /* x^D for lanes that are 64, and 16 bytes apart */
};

unsigned crc_bits(enum crc_kind kind)
{
    return shapes[kind].bits;
}

static uint64_t times_x(const struct shape *shape, uint64_t value)
{
    return (value >> 1) ^ (value & 1 ? shape->polynomial : 0);
}

static uint64_t multiply(const struct shape *shape, uint64_t one, uint64_t other)
{
    uint64_t product = 0;

    for (uint64_t bit = UINT64_C(1) << (shape->bits - 1); bit; bit >>= 1) {
        if (one & bit)
            product ^= other;
        other = times_x(shape, other);
    }
    return product;
}

/* x^exponent mod P */
static uint64_t power_of_x(const struct shape *shape, uint64_t exponent)
{
    uint64_t result = UINT64_C(1) << (shape->bits - 1), square = result >> 1;

    for (; exponent; exponent >>= 1) {
        if (exponent & 1)
            result = multiply(shape, result, square);
        square = multiply(shape, square, square);
    }
    return result;
}

/*
 * What a block of 128 bits is multiplied with: its first 64 bits stand 64 bits higher. The product
 * of two reflected numbers of 64 bits is one bit short of a reflected one of 128, hence the 1.
 */
static void make_fold(const struct shape *shape, unsigned distance, uint64_t fold[2])
{
    unsigned shift = 64 - shape->bits;

    fold[0] = power_of_x(shape, 64 + distance - 1) << shift;
    fold[1] = power_of_x(shape, distance - 1) << shift;
}

static const struct tables *tables_of(enum crc_kind kind)
{
    static struct tables all[CRC_KINDS];
    const struct shape *shape = &shapes[kind];
    struct tables *tables = &all[kind];

    if (tables->made)
        return tables;
    for (unsigned byte = 0; byte < BYTE_VALUES; byte++) {
        uint64_t value = byte;

        for (unsigned bit = 0; bit < BYTE_BITS; bit++)
            value = times_x(shape, value);
        tables->slices[0][byte] = value;
    }
    for (unsigned slice = 1; slice < SLICES; slice++) {
        for (unsigned byte = 0; byte < BYTE_VALUES; byte++) {
            uint64_t value = tables->slices[slice - 1][byte];

            tables->slices[slice][byte] = (value >> BYTE_BITS) ^ tables->slices[0][value & 0xff];
        }
    }
    make_fold(shape, LANES * BLOCK * BYTE_BITS, tables->far);
    make_fold(shape, BLOCK * BYTE_BITS, tables->near);
    tables->made = true;
    return tables;
}

static uint64_t load(const unsigned char *bytes)
{
    uint64_t value;

    memcpy(&value, bytes, sizeof value);
    return le64toh(value);
}

static uint64_t look_up(const struct tables *tables, uint64_t state, const unsigned char *bytes,
                        size_t size)
{
    for (; size >= SLICES; size -= SLICES, bytes += SLICES) {
        uint64_t value = state ^ load(bytes);

        state = 0;
#pragma GCC unroll 8
        for (unsigned i = 0; i < SLICES; i++)
            state ^= tables->slices[SLICES - 1 - i][(value >> (BYTE_BITS * i)) & 0xff];
    }
    for (; size; size--, bytes++)
        state = (state >> BYTE_BITS) ^ tables->slices[0][(state ^ *bytes) & 0xff];
    return state;
}

#if defined __x86_64__
#define WITH_PRODUCTS __attribute__((target("pclmul,sse4.1")))

static bool has_products(void)
{
    return __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
}

WITH_PRODUCTS static inline __m128i load_block(const unsigned char *bytes)
{
    return _mm_loadu_si128((const __m128i *)(const void *)bytes);
}

/* The block brought to the other's place. */
WITH_PRODUCTS static inline __m128i fold(__m128i block, __m128i with, __m128i other)
{
    return _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(block, with, 0x00),
                                       _mm_clmulepi64_si128(block, with, 0x11)),
                         other);
}

/* Folds whole 64 bytes, at least two of them, into the 16 of rest; how many bytes those were. */
WITH_PRODUCTS static size_t fold_all(const struct tables *tables, uint64_t state,
                                     const unsigned char *bytes, size_t size,
                                     unsigned char rest[BLOCK])
{
    const __m128i far = _mm_set_epi64x((long long)tables->far[1], (long long)tables->far[0]);
    const __m128i near = _mm_set_epi64x((long long)tables->near[1], (long long)tables->near[0]);
    __m128i lanes[LANES];
    size_t at = LANES * BLOCK;

    for (unsigned i = 0; i < LANES; i++)
        lanes[i] = load_block(bytes + i * (size_t)BLOCK);
    lanes[0] = _mm_xor_si128(lanes[0], _mm_set_epi64x(0, (long long)state));
    for (; size - at >= LANES * BLOCK; at += LANES * BLOCK) {
        for (unsigned i = 0; i < LANES; i++)
            lanes[i] = fold(lanes[i], far, load_block(bytes + at + i * (size_t)BLOCK));
    }
    for (unsigned i = 1; i < LANES; i++)
        lanes[i] = fold(lanes[i - 1], near, lanes[i]);
    _mm_storeu_si128((__m128i *)(void *)rest, lanes[LANES - 1]);
    return at;
}
#else
static bool has_products(void)
{
    return false;
}

static size_t fold_all(const struct tables *tables, uint64_t state, const unsigned char *bytes,
                       size_t size, unsigned char rest[BLOCK])
{
    (void)tables, (void)state, (void)bytes, (void)size, (void)rest;
    return 0;
}
#endif

/* All bits of a check, which begins and ends inverted. */
static uint64_t inverted(enum crc_kind kind, uint64_t crc)
{
    return crc ^ (UINT64_MAX >> (64 - shapes[kind].bits));
}

uint64_t crc_add_plain(enum crc_kind kind, uint64_t crc, const void *bytes, size_t size)
{
    return inverted(kind, look_up(tables_of(kind), inverted(kind, crc), bytes, size));
}

uint64_t crc_add(enum crc_kind kind, uint64_t crc, const void *bytes, size_t size)
{
    const struct tables *tables = tables_of(kind);
    unsigned char rest[BLOCK] = {0};
    uint64_t state;
    size_t done;

    if (size < FOLD_FROM || !has_products())
        return crc_add_plain(kind, crc, bytes, size);
    done = fold_all(tables, inverted(kind, crc), bytes, size, rest);
    state = look_up(tables, 0, rest, sizeof rest);
    return inverted(kind, look_up(tables, state, (const unsigned char *)bytes + done, size - done));
}

uint64_t crc_join(enum crc_kind kind, uint64_t first, uint64_t second, uint64_t size)
{
    const struct shape *shape = &shapes[kind];

    return multiply(shape, first, power_of_x(shape, size * BYTE_BITS)) ^ second;
}
