/*
 * Where a service is: the endpoint that somebody configured, or the service's own name in the
 * region's partition (AWS General Reference, "AWS service endpoints").
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BOOTLACE_SUPPORT_AWS_ENDPOINT_H
#define BOOTLACE_SUPPORT_AWS_ENDPOINT_H

#include <stdbool.h>
#include <support/aws.h>
#include <support/text.h>

enum { AWS_REGION_MAX = 32, AWS_BUCKET_MAX = 63 };

/* What the endpoint depends on. */
struct aws_place {
    const struct aws_service *service;
    const char *region;   /* or NULL */
    const char *domain;   /* of that region, where the metadata service says it; or NULL */
    const char *bucket;   /* or NULL */
    const char *endpoint; /* the caller's own, or NULL */
};

struct aws_endpoint {
    char *base;      /* "https://s3.eu-west-1.amazonaws.com" */
    char *authority; /* the value of Host: without a default port */
    char *prefix;    /* before the request's path, not encoded: "", "/bucket" */
    char *region;    /* that counts for the signature */
    bool is_custom;
};

/* Finds it; 0, or a negative errno and words, which are added to why: -EINVAL (a region, bucket or
 * URL that is none), -ENODATA (no region is known). */
int aws_endpoint_find(const struct aws_place *place, struct aws_endpoint *endpoint,
                      struct text *why);
void aws_endpoint_clear(struct aws_endpoint *endpoint);

/* The URL that is configured for a service, or NULL; a new string. */
char *aws_endpoint_configured(const struct aws_service *service);

/* The domain of a region's partition: "amazonaws.com.cn". */
const char *aws_endpoint_domain(const char *region);

#endif
