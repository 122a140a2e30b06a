/*
 * The objects below a prefix, by ListObjectsV2, a page of up to 1,000 at a time; the next page is
 * asked for while the objects of one are still dealt with.
 */
#ifndef BOOTLACE_S3_LISTING_H
#define BOOTLACE_S3_LISTING_H

#include <s3/object.h>
#include <support/aws.h>

enum { LISTING_PAIRS = 5, LISTING_OBJECTS_MAX = 10000000, LISTING_WHY_MAX = AWS_WHY_MAX };

struct listing {
    struct aws *aws;
    const struct item *item;
    struct aws_request request;
    struct aws_pair query[LISTING_PAIRS];
    struct aws_answer answer;
    char *token;          /* where the next page begins, or NULL */
    struct xml *page;     /* the page that is being dealt with, or NULL; */
    const struct xml *at; /* its next object, or NULL */
    bool asking, last, is_over;
    unsigned long taken;
    int result;
    char why[LISTING_WHY_MAX];
};

/* Asks for the first page. */
void listing_begin(struct listing *listing, struct aws *aws, const struct item *item);

/* The next object: 1, 0 where none is there yet, or, listing->is_over says so, none at all; or a
 * negative errno with listing->why. The object's texts are the caller's. */
int listing_take(struct listing *listing, struct object *object);

void listing_end(struct listing *listing);

#endif
