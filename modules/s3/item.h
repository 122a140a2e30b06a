/* One item of `s3:`, understood: what is copied, which way, and how. */
#ifndef BOOTLACE_S3_ITEM_H
#define BOOTLACE_S3_ITEM_H

#include <s3/checksum.h>
#include <support/remember.h>
#include <support/rights.h>

enum {
    ITEM_MODE = 0644,
    ITEM_WHY_MAX = 512,
    ITEM_CONNECTIONS_MAX = 64,
    ITEM_KEY_MAX = 1024, /* bytes of a key: S3's own limit */
    ITEM_BUCKET_MAX = 255
};

struct item {
    char *label;  /* for people: "s3://site/www/ to /var/www/html" */
    char *bucket; /* without its scheme and slashes */
    char *key;    /* of an object, or the prefix of many; "" = the whole bucket */
    char *path;   /* below the root; without a slash at its end, unless it is "/" */
    char *name;   /* the last name of a single object's path */
    bool upload, tree, extract, if_changed;
    unsigned strip; /* leading names of an archive's paths that are dropped */
    struct rights rights;
    mode_t folder_mode;       /* of folders that are made */
    struct checksum checksum; /* CHECKSUM_NONE: whatever the service says */
    const char *region, *endpoint;
    const json_t *include, *exclude;
    unsigned connections; /* 0: as many as the size is worth */
    char digest[REMEMBER_DIGEST_MAX];
    char why[ITEM_WHY_MAX]; /* what is wrong, where reading fails */
};

/* Reads it; 0, or a negative errno with item->why. */
int item_read(const struct bootlace_host *host, const json_t *given, struct item *item);

#endif
