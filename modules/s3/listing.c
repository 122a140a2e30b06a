/* The objects below a prefix; see listing.h. */
#include <s3/listing.h>

#include <s3/key.h>
#include <support/text.h>
#include <support/xml.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(struct listing *listing, int number, const char *why)
{
    listing->is_over = true;
    listing->result = -number;
    snprintf(listing->why, sizeof listing->why, "%s", why);
    return -number;
}

static void take_answer(void *context, struct aws_answer *answer)
{
    struct listing *listing = context;

    (void)answer;
    listing->asking = false;
}

static void ask(struct listing *listing)
{
    struct aws_pair *pair = listing->query;

    *pair++ = (struct aws_pair){"list-type", "2"};
    *pair++ = (struct aws_pair){"encoding-type", "url"};
    if (*listing->item->key)
        *pair++ = (struct aws_pair){"prefix", listing->item->key};
    if (listing->token)
        *pair++ = (struct aws_pair){"continuation-token", listing->token};
    *pair = (struct aws_pair){0};
    listing->request = (struct aws_request){.service = &aws_s3,
                                            .operation = "ListObjectsV2",
                                            .query = listing->query,
                                            .bucket = listing->item->bucket,
                                            .region = listing->item->region,
                                            .endpoint = listing->item->endpoint};
    listing->asking = true;
    aws_start(listing->aws, &listing->request, &listing->answer, take_answer, listing);
}

void listing_begin(struct listing *listing, struct aws *aws, const struct item *item)
{
    *listing = (struct listing){.aws = aws, .item = item};
    ask(listing);
}

/* An answer becomes the page that is dealt with, and the next page is asked for. */
static int turn_page(struct listing *listing)
{
    const char *why = NULL, *truncated, *token;

    xml_free(listing->page);
    listing->page = NULL;
    if (listing->answer.result < 0)
        return fail(listing, -listing->answer.result, listing->answer.why);
    listing->page =
        xml_parse(listing->answer.http.body.bytes, listing->answer.http.body.size, &why);
    if (!listing->page)
        return fail(listing, EPROTO, "the service's listing is no XML");
    listing->at = xml_child(listing->page, "Contents");
    truncated = xml_find_text(listing->page, "IsTruncated");
    token = xml_find_text(listing->page, "NextContinuationToken");
    listing->last = !truncated || strcmp(truncated, "true") != 0;
    if (!listing->last && (!token || (listing->token && strcmp(token, listing->token) == 0)))
        return fail(listing, EPROTO, "the service's listing says that it goes on, but not where");
    free(listing->token);
    listing->token = token ? text_format("%s", token) : NULL;
    aws_answer_clear(&listing->answer);
    if (!listing->last)
        ask(listing);
    return 0;
}

static int read_object(struct listing *listing, const struct xml *element, struct object *object)
{
    const char *key = xml_find_text(element, "Key"), *etag = xml_find_text(element, "ETag");
    const char *size = xml_find_text(element, "Size");

    if (!key || !etag || !size)
        return fail(listing, EPROTO, "the service's listing has an object without key or size");
    *object = (struct object){.key = text_format("%s", key),
                              .etag = object_bare_etag(etag),
                              .size = strtoumax(size, NULL, 10),
                              .modified = object_time(xml_find_text(element, "LastModified"))};
    if (!key_decode(object->key) ||
        strncmp(object->key, listing->item->key, strlen(listing->item->key)) != 0) {
        object_clear(object);
        return fail(listing, EPROTO, "the service's listing has a key that was not asked for");
    }
    return 1;
}

int listing_take(struct listing *listing, struct object *object)
{
    const struct xml *element;

    if (listing->is_over)
        return listing->result;
    while (!listing->at) {
        if (listing->page && listing->last) {
            listing->is_over = true;
            return 0;
        }
        if (listing->asking)
            return 0;
        if (turn_page(listing) < 0)
            return listing->result;
    }
    if (++listing->taken > LISTING_OBJECTS_MAX)
        return fail(listing, E2BIG, "there are more than ten million objects; copy a part of them");
    element = listing->at;
    listing->at = xml_next(element, "Contents");
    return read_object(listing, element, object);
}

void listing_end(struct listing *listing)
{
    aws_answer_clear(&listing->answer);
    xml_free(listing->page);
    free(listing->token);
    listing->page = NULL;
    listing->token = NULL;
}
