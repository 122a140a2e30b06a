/*
 * The parts of the AWS client, for each other; modules see aws.h. aws.c makes and ends calls,
 * aws_prepare.c signs an attempt, and aws_judge.c decides what its answer means.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BOOTLACE_SUPPORT_AWS_CLIENT_H
#define BOOTLACE_SUPPORT_AWS_CLIENT_H

#include <support/aws.h>
#include <support/aws_credentials.h>
#include <support/aws_endpoint.h>
#include <support/aws_error.h>
#include <support/aws_sign.h>
#include <support/http.h>
#include <support/text.h>
#include <time.h>

enum { AWS_MOVED_MAX = 16 }; /* buckets that are known to be elsewhere */

/* A bucket that turned out to be in another region than the one that was asked. */
struct aws_moved {
    char bucket[AWS_BUCKET_MAX + 1];
    char region[AWS_REGION_MAX + 1];
};

struct aws {
    const struct bootlace_host *host;
    struct http *http;
    bool owns_http;
    bool looked_for_region;
    char *region; /* NULL: none is known */
    bool looked_for_domain;
    char *own_region, *own_domain; /* the instance's, or NULL */
    struct aws_credentials credentials;
    time_t asked_for_credentials; /* when last */
    long long skew_s;             /* the services' clock less the machine's */
    struct aws_moved moved[AWS_MOVED_MAX];
    size_t moved_count;
};

/* A call, from its beginning to its end. */
struct aws_call {
    struct aws *aws;
    const struct aws_request *request;
    struct aws_answer *answer;
    aws_done *done;
    void *context;
    struct http_request http;
    struct aws_endpoint endpoint;
    struct aws_signed signed_request;
    char *url;
    struct aws_error error;               /* of the last attempt */
    int failure;                          /* a negative errno: it could not even be sent, */
    struct text why;                      /* and why */
    bool corrected_clock, renewed, moved; /* what is done once */
};

/* The services' time. */
time_t aws_now(const struct aws *aws);

/* Makes the request that is sent next: credentials, endpoint, signature. 0, or call->failure. */
int aws_prepare(struct aws_call *call);

/* Remembers where a bucket is; the place that is remembered, or NULL. */
void aws_remember_moved(struct aws *aws, const char *bucket, const char *region);
const char *aws_moved_to(const struct aws *aws, const char *bucket);

/* An http_judge of calls. */
int aws_judge(void *context, struct http_answer *answer);

#endif
