/*
 * Signature Version 4 (AWS General Reference, "Create a signed AWS API request"), by libcrypto.
 *
 * One signer for every service: what is signed is made here from the parts of a request as they
 * are, and what is sent is exactly that. S3 takes a path as it is; every other service has it
 * normalised, and encoded a second time, in what is signed.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BOOTLACE_SUPPORT_AWS_SIGN_H
#define BOOTLACE_SUPPORT_AWS_SIGN_H

#include <stdbool.h>
#include <support/aws.h>
#include <support/aws_credentials.h>
#include <support/text.h>
#include <time.h>

enum {
    AWS_SHA256_HEX = 65,     /* with its zero */
    AWS_SIGN_PAIRS_MAX = 512 /* parameters, and headers */
};

#define AWS_UNSIGNED_PAYLOAD "UNSIGNED-PAYLOAD"

/* What is signed. */
struct aws_sign {
    const char *method;
    const char *path;               /* not encoded; with its leading slash; NULL or "" = "/" */
    const struct aws_pair *query;   /* or NULL */
    const struct aws_pair *headers; /* Host among them; no names of the three that are added */
    const char *payload_sha256;     /* hexadecimal, or AWS_UNSIGNED_PAYLOAD */
    const char *region;
    const char *service; /* in the scope: "s3" */
    bool is_s3;
    const struct aws_credentials *credentials; /* NULL: it is made, but not signed */
    time_t when;                               /* the service's time */
};

/* The result; ended by aws_signed_clear(). */
struct aws_signed {
    struct text target;    /* "/path?query", encoded: what is to be sent */
    struct text canonical; /* the canonical request, */
    struct text to_sign;   /* and the string to sign */
    const char **lines;    /* "Name: value" of every header to be sent; NULL-ended */
    size_t count;
};

/* Signs; 0, or -E2BIG: more than AWS_SIGN_PAIRS_MAX. */
int aws_sign(const struct aws_sign *sign, struct aws_signed *out);
void aws_signed_clear(struct aws_signed *out);

/* Adds bytes percent-encoded: all but letters, digits, '-', '.', '_', '~' and those in keep. */
void aws_encode(struct text *out, const char *bytes, size_t size, const char *keep);

/* The SHA-256 of bytes in hexadecimal. */
void aws_sha256(const void *bytes, size_t size, char hex[AWS_SHA256_HEX]);

#endif
