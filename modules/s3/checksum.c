/* Checks of whole objects; see checksum.h. */
#include <s3/checksum.h>

#include <s3/crc.h>
#include <support/encoding.h>

#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MD5_BYTES = 16, SHA256_BYTES = 32, BYTE_BITS = 8, HEADER_NAME_MAX = 40, HEX = 16 };

struct kind {
    const char *name;   /* for people */
    const char *header; /* behind x-amz-checksum-; NULL: it has none */
    const EVP_MD *(*digest)(void);
    enum crc_kind crc; /* where there is no digest */
};

static const struct kind kinds[] = {
    [CHECKSUM_NONE] = {"nothing", NULL, NULL, CRC_32},
    [CHECKSUM_CRC64NVME] = {"CRC-64/NVME", "crc64nvme", NULL, CRC_64NVME},
    [CHECKSUM_CRC32C] = {"CRC-32C", "crc32c", NULL, CRC_32C},
    [CHECKSUM_CRC32] = {"CRC-32", "crc32", NULL, CRC_32},
    [CHECKSUM_SHA256] = {"SHA-256", "sha256", EVP_sha256, CRC_32},
    [CHECKSUM_SHA1] = {"SHA-1", "sha1", EVP_sha1, CRC_32},
    [CHECKSUM_MD5] = {"MD5", NULL, EVP_md5, CRC_32},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

const char *checksum_name(enum checksum_kind kind)
{
    return kinds[kind].name;
}

bool checksum_joins(enum checksum_kind kind)
{
    return kind != CHECKSUM_NONE && !kinds[kind].digest;
}

void checksum_begin(struct checksum_run *run, enum checksum_kind kind)
{
    checksum_end(run, NULL);
    run->kind = kind;
    if (!kinds[kind].digest)
        return;
    run->digest = text_need(EVP_MD_CTX_new());
    if (EVP_DigestInit_ex(run->digest, kinds[kind].digest(), NULL) != 1)
        text_need(NULL);
}

void checksum_add(struct checksum_run *run, const void *bytes, size_t size)
{
    if (run->digest)
        EVP_DigestUpdate(run->digest, bytes, size);
    else if (run->kind != CHECKSUM_NONE)
        run->crc = crc_add(kinds[run->kind].crc, run->crc, bytes, size);
}

void checksum_join(struct checksum_run *run, uint64_t crc, uint64_t size)
{
    run->crc = crc_join(kinds[run->kind].crc, run->crc, crc, size);
}

void checksum_end(struct checksum_run *run, struct checksum *sum)
{
    struct checksum made = {.kind = run->kind};
    unsigned size = 0;

    if (run->digest) {
        unsigned char bytes[EVP_MAX_MD_SIZE];

        EVP_DigestFinal_ex(run->digest, bytes, &size);
        memcpy(made.bytes, bytes, size < sizeof made.bytes ? size : sizeof made.bytes);
        EVP_MD_CTX_free(run->digest);
    } else if (run->kind != CHECKSUM_NONE) {
        size = crc_bits(kinds[run->kind].crc) / BYTE_BITS;
        for (unsigned i = 0; i < size; i++)
            made.bytes[i] = (unsigned char)(run->crc >> (BYTE_BITS * (size - 1 - i)));
    }
    made.size = size;
    *run = (struct checksum_run){0};
    if (sum)
        *sum = made;
}

bool checksum_equal(const struct checksum *one, const struct checksum *other)
{
    return one->kind == other->kind && one->size == other->size &&
           memcmp(one->bytes, other->bytes, one->size) == 0;
}

static bool read_hex(const char *text, size_t size, struct checksum *sum)
{
    if (strlen(text) != 2 * size)
        return false;
    for (size_t i = 0; i < size; i++) {
        const char digits[] = {text[2 * i], text[2 * i + 1], '\0'};

        if (!isxdigit((unsigned char)digits[0]) || !isxdigit((unsigned char)digits[1]))
            return false;
        sum->bytes[i] = (unsigned char)strtoul(digits, NULL, HEX);
    }
    sum->size = size;
    return true;
}

int checksum_parse(const char *text, struct checksum *sum)
{
    static const char prefix[] = "sha256:";

    *sum = (struct checksum){.kind = CHECKSUM_SHA256};
    if (strncasecmp(text, prefix, strlen(prefix)) != 0 ||
        !read_hex(text + strlen(prefix), SHA256_BYTES, sum))
        return -EINVAL;
    return 0;
}

bool checksum_of_etag(const char *etag, struct checksum *sum)
{
    *sum = (struct checksum){.kind = CHECKSUM_MD5};
    if (read_hex(etag, MD5_BYTES, sum))
        return true;
    *sum = (struct checksum){0};
    return false;
}

/* The value of a header of this kind, base64 of as many bytes as it must have. */
static bool read_header(const struct http_answer *answer, enum checksum_kind kind,
                        struct checksum *sum)
{
    char name[HEADER_NAME_MAX];
    const char *value;
    struct text bytes = {0};
    size_t size = kinds[kind].digest ? (size_t)EVP_MD_get_size(kinds[kind].digest())
                                     : crc_bits(kinds[kind].crc) / BYTE_BITS;
    bool good;

    snprintf(name, sizeof name, "x-amz-checksum-%s", kinds[kind].header);
    value = http_header(answer, name);
    /* "…-12" is of an upload of 12 parts, where the answer does not say so by itself. */
    if (!value || strchr(value, '-'))
        return false;
    good = encoding_base64(value, strlen(value), &bytes) == 0 && bytes.size == size;
    if (good) {
        *sum = (struct checksum){.kind = kind, .size = size};
        memcpy(sum->bytes, bytes.bytes, size);
    }
    free(bytes.bytes);
    return good;
}

void checksum_of_answer(const struct http_answer *answer, struct checksum *sum)
{
    const char *type = http_header(answer, "x-amz-checksum-type");
    const char *encryption = http_header(answer, "x-amz-server-side-encryption");
    const char *etag = http_header(answer, "etag");
    char *bare;

    *sum = (struct checksum){0};
    for (unsigned kind = CHECKSUM_NONE + 1; kind < KINDS; kind++) {
        if (kinds[kind].header && (!type || strcasecmp(type, "COMPOSITE") != 0) &&
            read_header(answer, (enum checksum_kind)kind, sum))
            return;
    }
    if (!etag || (encryption && strcasecmp(encryption, "AES256") != 0) ||
        http_header(answer, "x-amz-server-side-encryption-customer-algorithm"))
        return;
    etag += *etag == '"';
    bare = text_format("%.*s", (int)strcspn(etag, "\""), etag);
    checksum_of_etag(bare, sum);
    free(bare);
}

void checksum_hex(const struct checksum *sum, char hex[CHECKSUM_HEX_MAX])
{
    *hex = '\0';
    for (size_t i = 0; i < sum->size; i++)
        snprintf(hex + 2 * i, 3, "%02x", sum->bytes[i]);
}
