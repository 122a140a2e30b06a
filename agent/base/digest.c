/* A digest that tells whether a step's input changed: FNV-1a, 128 bits, as hexadecimal text. */
#include "base/digest.h"

#include "base/banned.h"

#include <stdint.h>

/* RFC 9923, section 5: offset basis and prime (2^88 + 2^8 + 0x3b) for 128 bits. */
static const uint64_t basis_high = 0x6c62272e07bb0142;
static const uint64_t basis_low = 0x62b821756295c58d;
static const unsigned prime_shift = 88;
static const unsigned prime_low = 0x13b;

void digest_init(struct digest *digest)
{
    digest->state = (digest_number)basis_high << 64 | basis_low;
}

void digest_add(struct digest *digest, const void *bytes, size_t size)
{
    const unsigned char *byte = bytes;
    const digest_number prime = (digest_number)1 << prime_shift | prime_low;

    for (size_t i = 0; i < size; i++)
        digest->state = (digest->state ^ byte[i]) * prime;
}

void digest_add_text(struct digest *digest, const char *text)
{
    if (!text)
        text = "";
    digest_add(digest, text, strlen(text) + 1);
}

char *digest_text(const struct digest *digest, char text[static DIGEST_TEXT_MAX])
{
    snprintf(text, DIGEST_TEXT_MAX, "%016llx%016llx", (unsigned long long)(digest->state >> 64),
             (unsigned long long)(uint64_t)digest->state);
    return text;
}
