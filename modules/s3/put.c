/* One file put as one object; see put.h. */
#include <s3/put.h>

#include <s3/hashing.h>
#include <s3/object.h>
#include <support/text.h>
#include <support/xml.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TURN_MS = 200, NUMBER_MAX = 16, PART_UNIT = 1 << 20 };

/* A piece of the file, as a request's body. */
struct piece {
    int fd;
    uint64_t begin, size;
    char sha256[CHECKSUM_HEX_MAX];
};

struct put;

/* A part on its way. */
struct slot {
    struct put *put;
    bool busy;
    unsigned part;
    char number[NUMBER_MAX];
    struct piece piece;
    struct aws_pair query[3];
    struct aws_request request;
    struct aws_answer answer;
};

struct put {
    struct copy *copy;
    const char *key;
    char *path, *id; /* of the request, of the upload */
    int fd;
    uint64_t size, part_bytes, sent;
    unsigned parts, next, busy;
    char **etags; /* one a part */
    int result;
    char *why;
    struct slot slots[ITEM_CONNECTIONS_MAX];
};

static ssize_t give(void *context, uint64_t offset, char *bytes, size_t room)
{
    const struct piece *piece = context;
    ssize_t count;

    do
        count = pread(piece->fd, bytes, room, (off_t)(piece->begin + offset));
    while (count < 0 && errno == EINTR);
    return count > 0 ? count : count < 0 ? -errno : -ENODATA;
}

static int take_sum(struct piece *piece)
{
    struct checksum_run run = {0};
    struct checksum sum;
    int result;

    checksum_begin(&run, CHECKSUM_SHA256);
    result = hashing_range(piece->fd, piece->begin, piece->size, &run);
    checksum_end(&run, &sum);
    checksum_hex(&sum, piece->sha256);
    return result;
}

static struct aws_request request_of(const struct put *put, const char *operation,
                                     const char *method)
{
    const struct item *item = put->copy->item;

    return (struct aws_request){.service = &aws_s3,
                                .operation = operation,
                                .method = method,
                                .path = put->path,
                                .bucket = item->bucket,
                                .region = item->region,
                                .endpoint = item->endpoint};
}

static void add_body(struct aws_request *request, struct piece *piece)
{
    if (!piece->size)
        return;
    request->source = give;
    request->source_size = piece->size;
    request->context = piece;
    request->body_sha256 = piece->sha256;
}

static int fail(struct put *put, int result, const char *why)
{
    if (put->result == 0) {
        put->result = result;
        put->why = text_format("%s", result == -ENODATA ? "it became shorter while it was read"
                                     : why && *why      ? why
                                                        : strerror(-result));
    }
    return result;
}

static int put_whole(struct put *put, char **etag)
{
    struct piece piece = {.fd = put->fd, .size = put->size};
    struct aws_request request = request_of(put, "PutObject", "PUT");
    struct aws_answer answer = {0};
    const char *given;
    int result = take_sum(&piece);

    if (result < 0)
        return fail(put, result, NULL);
    add_body(&request, &piece);
    result = aws_call(put->copy->aws, &request, &answer);
    given = http_header(&answer.http, "etag");
    if (result < 0)
        fail(put, result, answer.why);
    else
        *etag = object_bare_etag(given ? given : "");
    aws_answer_clear(&answer);
    return result;
}

/* ---- a multipart upload ---- */

static void send_parts(struct put *put);

static void end_part(void *context, struct aws_answer *answer)
{
    struct slot *slot = context;
    struct put *put = slot->put;
    const char *etag = http_header(&answer->http, "etag");

    if (answer->result < 0 || !etag)
        fail(put, answer->result < 0 ? answer->result : -EPROTO,
             answer->result < 0 ? answer->why : "the service's answer to a part has no ETag");
    else {
        put->etags[slot->part] = object_bare_etag(etag);
        put->sent += slot->piece.size;
    }
    aws_answer_clear(answer);
    slot->busy = false;
    put->busy--;
    send_parts(put);
}

static void send_part(struct put *put, struct slot *slot)
{
    uint64_t begin = put->next * put->part_bytes;
    uint64_t left = put->size - begin;
    int result;

    slot->put = put;
    slot->part = put->next++;
    slot->piece = (struct piece){
        .fd = put->fd, .begin = begin, .size = left < put->part_bytes ? left : put->part_bytes};
    result = take_sum(&slot->piece);
    if (result < 0) {
        fail(put, result, NULL);
        return;
    }
    snprintf(slot->number, sizeof slot->number, "%u", slot->part + 1);
    slot->query[0] = (struct aws_pair){"partNumber", slot->number};
    slot->query[1] = (struct aws_pair){"uploadId", put->id};
    slot->query[2] = (struct aws_pair){0};
    slot->request = request_of(put, "UploadPart", "PUT");
    slot->request.query = slot->query;
    add_body(&slot->request, &slot->piece);
    slot->busy = true;
    put->busy++;
    aws_start(put->copy->aws, &slot->request, &slot->answer, end_part, slot);
}

static void send_parts(struct put *put)
{
    const unsigned count =
        put->copy->item->connections ? put->copy->item->connections : (unsigned)PUT_SLOTS;

    for (unsigned i = 0; i < count && put->next < put->parts; i++) {
        if (put->result < 0 || copy_is_ended())
            return;
        if (!put->slots[i].busy)
            send_part(put, &put->slots[i]);
    }
}

/* Begins it: its id. */
static int begin_upload(struct put *put)
{
    static const struct aws_pair query[] = {{"uploads", ""}, {NULL, NULL}};
    struct aws_request request = request_of(put, "CreateMultipartUpload", "POST");
    struct aws_answer answer = {0};
    struct xml *root = NULL;
    const char *id = NULL;
    int result;

    request.query = query;
    result = aws_call(put->copy->aws, &request, &answer);
    if (result == 0)
        root = xml_parse(text_string(&answer.http.body), answer.http.body.size, NULL);
    id = root ? xml_find_text(root, "UploadId") : NULL;
    if (result < 0)
        fail(put, result, answer.why);
    else if (!id || !*id)
        result = fail(put, -EPROTO, "the service began an upload and did not say which");
    else
        put->id = text_format("%s", id);
    xml_free(root);
    aws_answer_clear(&answer);
    return result;
}

/* Ceph's gateway leaves it empty where it completes an upload. NULL where it cannot be asked for:
 * then the file is not remembered. */
static char *ask_etag(const struct put *put)
{
    const struct copy *copy = put->copy;
    struct object object = {.key = text_format("%s", put->key)};
    char *why = NULL, *etag = NULL;

    if (object_ask(copy->aws, copy->item, &object, &why) == 0 && object.size == put->size)
        etag = text_format("%s", object.etag);
    free(why);
    object_clear(&object);
    return etag;
}

static int complete_upload(struct put *put, char **etag)
{
    const struct aws_pair query[] = {{"uploadId", put->id}, {NULL, NULL}};
    struct aws_request request = request_of(put, "CompleteMultipartUpload", "POST");
    struct aws_answer answer = {0};
    struct text body = {0};
    struct xml *root = NULL;
    const char *given;
    int result;

    text_add_string(&body, "<CompleteMultipartUpload>");
    for (unsigned part = 0; part < put->parts; part++) {
        text_add_format(&body, "<Part><PartNumber>%u</PartNumber>", part + 1);
        text_add_string(&body, "<ETag>\"");
        xml_add_text(&body, put->etags[part]);
        text_add_string(&body, "\"</ETag></Part>");
    }
    text_add_string(&body, "</CompleteMultipartUpload>");
    request.query = query;
    request.body = body.bytes;
    request.body_size = body.size;
    result = aws_call(put->copy->aws, &request, &answer);
    if (result == 0)
        root = xml_parse(text_string(&answer.http.body), answer.http.body.size, NULL);
    given = root ? xml_find_text(root, "ETag") : NULL;
    if (result < 0)
        fail(put, result, answer.why);
    else if (!given)
        result = fail(put, -EPROTO, "the service's answer to an upload has no ETag");
    else if (*given)
        *etag = object_bare_etag(given);
    else
        *etag = ask_etag(put);
    xml_free(root);
    aws_answer_clear(&answer);
    free(body.bytes);
    return result;
}

/* What was sent of it goes; it would be paid for until somebody sees it. */
static void abort_upload(struct put *put)
{
    const struct aws_pair query[] = {{"uploadId", put->id}, {NULL, NULL}};
    struct aws_request request = request_of(put, "AbortMultipartUpload", "DELETE");
    struct aws_answer answer = {0};

    request.query = query;
    if (aws_call(put->copy->aws, &request, &answer) < 0)
        put->copy->host->log(put->copy->host, BOOTLACE_WARNING,
                             "%s: the upload that failed could not be aborted: %s", put->key,
                             answer.why);
    aws_answer_clear(&answer);
}

static int put_parts(struct put *put, char **etag)
{
    uint64_t least = put->size / PUT_PARTS_MAX + 1;
    int result = begin_upload(put);

    if (result < 0)
        return result;
    put->part_bytes = PUT_PART_MIN;
    if (least > put->part_bytes)
        put->part_bytes = (least + PART_UNIT - 1) / PART_UNIT * PART_UNIT;
    put->parts = (unsigned)((put->size + put->part_bytes - 1) / put->part_bytes);
    put->etags = text_need(calloc(put->parts, sizeof *put->etags));
    send_parts(put);
    while (put->busy) {
        aws_run(put->copy->aws, TURN_MS);
        copy_progress(put->copy, put->sent);
    }
    if (copy_is_ended())
        fail(put, -ECANCELED, "the step was told to end");
    if (put->result == 0)
        complete_upload(put, etag);
    if (put->result < 0)
        abort_upload(put);
    for (unsigned part = 0; part < put->parts; part++)
        free(put->etags[part]);
    free(put->etags);
    return put->result;
}

int put_file(struct copy *copy, int fd, uint64_t size, const char *key, char **etag, char **why)
{
    struct put *put = text_need(calloc(1, sizeof *put));
    int result;

    put->copy = copy;
    put->key = key;
    put->path = object_path(key);
    put->fd = fd;
    put->size = size;
    result = size <= PUT_WHOLE_MAX ? put_whole(put, etag) : put_parts(put, etag);
    *why = put->why;
    free(put->path);
    free(put->id);
    free(put);
    return result;
}
