/*
 * What a service of AWS's says when it refuses, in each of its protocols, and what to do about it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BOOTLACE_SUPPORT_AWS_ERROR_H
#define BOOTLACE_SUPPORT_AWS_ERROR_H

#include <stdbool.h>
#include <support/aws.h>

struct aws_error {
    char code[AWS_CODE_MAX];
    char message[AWS_MESSAGE_MAX]; /* without control characters */
    char region[AWS_CODE_MAX];     /* S3's hint where the bucket is; or "" */
};

/*
 * Reads the body and headers of an answer: S3's <Error>, the query protocol's <ErrorResponse>,
 * EC2's <Response><Errors>, Route 53's <InvalidChangeBatch>, and JSON's __type. Whether it found a
 * code.
 */
bool aws_error_read(const struct http_answer *answer, struct aws_error *error);

/* The errno of a refusal; see aws_call(). */
int aws_error_result(const char *code, int status);

/* Whether the same request may be taken later: throttling, and faults of the service's. */
bool aws_error_is_transient(const char *code);

/* Whether the credentials have ended. */
bool aws_error_is_expired(const char *code);

/* What to do about a code, or "" where the service's own words have to do. */
const char *aws_error_advice(const char *code, int status);

#endif
