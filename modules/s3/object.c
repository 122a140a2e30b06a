/* An object of S3; see object.h. */
#include <s3/object.h>

#include <support/text.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void object_clear(struct object *object)
{
    free(object->key);
    free(object->etag);
    *object = (struct object){0};
}

char *object_path(const char *key)
{
    return text_format("/%s", key);
}

char *object_bare_etag(const char *etag)
{
    etag += *etag == '"';
    return text_format("%.*s", (int)strcspn(etag, "\""), etag);
}

int64_t object_time(const char *text)
{
    struct tm parts = {0};

    if (!text || (!strptime(text, "%Y-%m-%dT%H:%M:%S", &parts) &&
                  !strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &parts)))
        return 0;
    return timegm(&parts);
}

/* "bytes 0-0/1234" */
static bool read_size(const struct http_answer *answer, uint64_t *size)
{
    const char *range = http_header(answer, "content-range");
    const char *text = range ? strrchr(range, '/') : http_header(answer, "content-length");
    char *end;

    if (!text)
        return false;
    text += range != NULL;
    *size = strtoumax(text, &end, 10);
    return end > text && !*end;
}

bool object_from_headers(struct object *object, const struct http_answer *answer)
{
    const char *etag = http_header(answer, "etag");

    if (!etag || !*etag || !read_size(answer, &object->size))
        return false;
    free(object->etag);
    object->etag = object_bare_etag(etag);
    object->modified = object_time(http_header(answer, "last-modified"));
    checksum_of_answer(answer, &object->expected);
    return true;
}

int object_ask(struct aws *aws, const struct item *item, struct object *object, char **why)
{
    static const struct aws_pair checks[] = {{"x-amz-checksum-mode", "ENABLED"}, {NULL, NULL}};
    static const struct aws_pair first_byte[] = {{"Range", "bytes=0-0"}, {NULL, NULL}};
    char *path = object_path(object->key);
    struct aws_request request = {.service = &aws_s3,
                                  .operation = "HeadObject",
                                  .method = "HEAD",
                                  .path = path,
                                  .headers = checks,
                                  .bucket = item->bucket,
                                  .region = item->region,
                                  .endpoint = item->endpoint};
    struct aws_answer answer = {0};
    int result = aws_call(aws, &request, &answer);

    if (result < 0 && answer.http.status >= 400 && answer.http.status < 500) {
        struct aws_request again = request;
        struct aws_answer words = {0};

        again.operation = "GetObject";
        again.method = NULL;
        again.headers = first_byte;
        result = aws_call(aws, &again, &words);
        /* What was wrong may be right now: credentials that were got anew. */
        aws_answer_clear(result < 0 ? &answer : &words);
        if (result < 0)
            answer = words;
        else
            result = aws_call(aws, &request, &answer);
    }
    if (result == 0 && !object_from_headers(object, &answer.http)) {
        result = -EPROTO;
        *why = text_format("the service's answer has no ETag or no size");
    } else if (result < 0)
        *why = text_format("%s", answer.why);
    aws_answer_clear(&answer);
    free(path);
    return result;
}
