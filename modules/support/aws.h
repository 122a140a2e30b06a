/*
 * A client of AWS's services: credentials, region, endpoints, signatures (Signature Version 4),
 * retries and errors, over <support/http.h>.
 *
 *     struct aws *aws = aws_new(host, NULL);
 *     struct aws_answer answer = {0};
 *     const struct aws_pair pairs[] = {{"ResourceId.1", id}, {"Tag.1.Key", key}, …, {NULL, NULL}};
 *
 *     if (aws_query_call(aws, &aws_ec2, "CreateTags", pairs, &answer) < 0)
 *         return host->fail(host, EIO, "%s", answer.why);
 *
 * Credentials are looked for in the SDKs' order: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
 * AWS_SESSION_TOKEN; the shared files' profile (AWS_PROFILE, AWS_SHARED_CREDENTIALS_FILE,
 * AWS_CONFIG_FILE); the instance's role, asked anew before it ends. They are in this process's
 * memory alone: in no argument, no child's environment, no log and no file. The region is that of
 * AWS_REGION, AWS_DEFAULT_REGION, the profile, or the instance's own.
 *
 * Endpoints: AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the profile's endpoint_url (all unless
 * AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is true), else the service's own in the region's partition.
 *
 * Throttling, 500, 502, 503, 504 and broken connections are repeated with full jitter, see retry.h;
 * a clock that is wrong is corrected by the service's Date, and expired credentials of a role are
 * got anew, once each.
 *
 * Nothing of an aws may be used from two threads at once.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BOOTLACE_SUPPORT_AWS_H
#define BOOTLACE_SUPPORT_AWS_H

#include <bootlace/module.h>
#include <jansson.h>
#include <stdbool.h>
#include <support/http.h>
#include <support/xml.h>

enum {
    AWS_ATTEMPTS = 6, /* of one call at the most */
    AWS_CODE_MAX = 96,
    AWS_MESSAGE_MAX = 512,
    AWS_WHY_MAX = 1024
};

/* A service as its requests are made; a module may have one of its own. */
struct aws_service {
    const char *name;     /* for people: "Route 53" */
    const char *signing;  /* in the signature's scope: "route53" */
    const char *prefix;   /* of its host name: "elasticloadbalancing" */
    const char *variable; /* behind AWS_ENDPOINT_URL_: "ELASTIC_LOAD_BALANCING_V2" */
    const char *version;  /* of the query protocol: "2015-12-01"; or NULL */
    const char *target;   /* before X-Amz-Target's dot: "AmazonSSM"; or NULL */
    bool is_global;       /* one endpoint and signing region a partition: Route 53 */
    bool is_s3;           /* S3's rules of signing and of host names */
};

extern const struct aws_service aws_s3, aws_route53, aws_ec2, aws_elbv2, aws_autoscaling,
    aws_cloudformation, aws_ssm, aws_secretsmanager, aws_sts;

/* A parameter, as it is: nothing is encoded yet. Lists end with a name that is NULL. */
struct aws_pair {
    const char *name;
    const char *value; /* NULL counts as "" */
};

/* What is asked. Members not named are zero. Everything that it points to stays the caller's, and
 * lives until the call is over. */
struct aws_request {
    const struct aws_service *service;
    const char *operation;          /* for words: "GetObject" */
    const char *method;             /* NULL = GET */
    const char *path;               /* as it is, with its leading slash; NULL = "/" */
    const struct aws_pair *query;   /* or NULL */
    const struct aws_pair *headers; /* or NULL; those that AWS's protocol needs are added */

    const char *bucket;   /* S3: put into the host name, or before the path, as it must be */
    const char *region;   /* NULL = aws_region() */
    const char *endpoint; /* "https://host:port" instead of what was found; or NULL */
    bool anonymous;       /* nothing is signed: S3's public buckets */

    const void *body; /* of the request, or */
    size_t body_size;
    http_source *source; /* where it comes from, and */
    uint64_t source_size;
    const char *body_sha256; /* its SHA-256 in hexadecimal where there is a source; NULL: the body
                              * is not signed (UNSIGNED-PAYLOAD), which S3 alone takes */

    http_sink *sink;     /* where the body of an answer 2xx goes; NULL: into answer->http.body */
    void *context;       /* of source and sink */
    uint64_t body_max;   /* as in http_request; */
    unsigned overall_s;  /* so are these */
    size_t buffer_bytes; /* … */
    unsigned attempts;   /* 0 = AWS_ATTEMPTS */
};

/* What came of it; all zero before. The caller's, who ends it with aws_answer_clear(). */
struct aws_answer {
    int result;                    /* what the call returned */
    struct http_answer http;       /* status, headers, body */
    char code[AWS_CODE_MAX];       /* the service's: "NoSuchBucket"; "" where it refused nothing */
    char message[AWS_MESSAGE_MAX]; /* the service's own words */
    char why[AWS_WHY_MAX];         /* a sentence: what was refused, where, why, and what to do */
};

void aws_answer_clear(struct aws_answer *answer);

/* Tells the end of a call that aws_start() began; may start others. */
typedef void aws_done(void *context, struct aws_answer *answer);

struct aws;

/* A client. It uses the engine, which must outlive it, or one of its own where http is NULL.
 * Nothing is asked of anybody yet. Free takes NULL, and forgets the credentials. */
struct aws *aws_new(const struct bootlace_host *host, struct http *http);
void aws_free(struct aws *aws);

/* The client's engine. */
struct http *aws_http(struct aws *aws);

/* The region, or NULL where none is known: aws_call() says in words what to do then. Valid as long
 * as the client. */
const char *aws_region(struct aws *aws);

/*
 * Makes one call and waits for it. Returns 0 where the service did what was asked (2xx, and 304),
 * else a negative errno, answer->code where the service gave one, and answer->why:
 * -EACCES refused (401, 403), -EKEYEXPIRED credentials that ended, -ENOKEY none found, -ENOENT 404,
 * -EEXIST 409, -ESTALE 412, -ERANGE 416, -EAGAIN throttled or not available to the last attempt,
 * -EINVAL any other 4xx, -EIO any other answer, or what http_answer.result says.
 */
int aws_call(struct aws *aws, const struct aws_request *request, struct aws_answer *answer);

/* Begins a call; its end is told from within aws_run(), never from here. request and answer stay
 * where they are until then. */
void aws_start(struct aws *aws, const struct aws_request *request, struct aws_answer *answer,
               aws_done *done, void *context);

/* Moves what was started, as http_run() does. */
unsigned aws_run(struct aws *aws, int limit_ms);

/* A call of the query protocol: Action, Version and the parameters as a form. The answer's body is
 * XML: parse it with xml_parse(). */
int aws_query_call(struct aws *aws, const struct aws_service *service, const char *action,
                   const struct aws_pair *parameters, struct aws_answer *answer);

/* The same in a region; NULL = aws_region(). */
int aws_query_call_in(struct aws *aws, const struct aws_service *service, const char *region,
                      const char *action, const struct aws_pair *parameters,
                      struct aws_answer *answer);

/* A call of JSON 1.1. *output (which may be NULL) becomes a new object, the caller's; NULL where
 * the call failed. */
int aws_json_call(struct aws *aws, const struct aws_service *service, const char *operation,
                  const json_t *input, json_t **output, struct aws_answer *answer);

#endif
