/*
 * decode: user-data as it comes, peeled until nothing bids, made parts.
 *
 * Each decoder bids by what the bytes begin with (gzip, xz, zstd, bzip2, tar, zip: their magic;
 * MIME: header fields; base64: the alphabet, where the result is something known) or by the type
 * that a MIME part or a list's item declares. What a decoder yields is looked at again, until it is
 * a part that a module runs. The order of the parts is that of the input.
 *
 * What a text's beginning means is classify's to say, what YAML is config's, what a URL holds is
 * the source's: each is handed in.
 */
#ifndef BOOTLACE_DECODE_DECODE_H
#define BOOTLACE_DECODE_DECODE_H

#include "base/buffer.h"
#include "base/error.h"
#include "model/part.h"
#include "model/problem.h"

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DECODE_DEPTH_MAX = 16,             /* decoders within each other */
    DECODE_SIZE_MAX = 64 << 20,        /* bytes that one decoder yields */
    DECODE_TOTAL_MAX = 192 << 20,      /* bytes that all decoders yield */
    DECODE_RATIO_MAX = 200,            /* a compressed piece grows at most so many times … */
    DECODE_RATIO_FREE = 1 << 20,       /* … beyond this size */
    DECODE_INCLUDES_MAX = 100,         /* addresses fetched */
    DECODE_INCLUDE_SIZE_MAX = 16 << 20 /* bytes that one address yields */
};

/* The MIME type that a text's beginning announces, or NULL. */
typedef const char *decode_sniff(const char *text, size_t size);

/* Whether a text without such a beginning is user-data all the same: has <script> blocks. */
typedef bool decode_known(const char *text, size_t size);

/* What a URL (http, https, file; without its fragment) holds, appended to out: 0, or -1. */
typedef int decode_fetch(void *context, const char *url, struct buffer *out, struct error *error);

/* A YAML text's value, or NULL and an error with its line in the text. */
typedef json_t *decode_yaml(const char *text, size_t size, const char *where, struct error *error);

/* This instance's place in its launch, from 0; -1 where nobody knows: 0, or -1 and an error. */
typedef int decode_index(void *context, int64_t *index, struct error *error);

struct decode_setup {
    decode_sniff *sniff;
    decode_fetch *fetch; /* NULL: nothing is fetched, with a warning */
    void *context;       /* of fetch and fetch_once */
    decode_index *index; /* asked where a part is for one instance; NULL: nobody knows */
    void *index_context;
    decode_known *known;      /* may be NULL */
    decode_yaml *yaml;        /* NULL: a list of parts must be JSON */
    decode_fetch *fetch_once; /* of #include-once: may answer with what it kept; NULL: fetch */
};

/*
 * Appends the parts. The type of one is NULL where classify must look at its text: it announces
 * nothing and nothing was declared. name is the label of what is not in a container.
 *
 * What is wrong with the input becomes problems, and the rest is decoded all the same; -1 and an
 * error is for what the machine refused.
 */
int decode_user_data(const char *bytes, size_t size, const char *name,
                     const struct decode_setup *setup, struct parts *parts,
                     struct problems *problems, struct error *error);

#endif
