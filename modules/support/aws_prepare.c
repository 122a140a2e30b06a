/* One attempt of a call made ready: credentials, endpoint, signature; see aws_client.h. */
#include <support/aws_client.h>

#include <support/aws_profile.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HEADERS_MAX = 64 };

time_t aws_now(const struct aws *aws)
{
    return time(NULL) + (time_t)aws->skew_s;
}

void aws_remember_moved(struct aws *aws, const char *bucket, const char *region)
{
    struct aws_moved *moved = &aws->moved[aws->moved_count % AWS_MOVED_MAX];

    if (strlen(bucket) >= sizeof moved->bucket || strlen(region) >= sizeof moved->region)
        return;
    memcpy(moved->bucket, bucket, strlen(bucket) + 1);
    memcpy(moved->region, region, strlen(region) + 1);
    aws->moved_count++;
}

const char *aws_moved_to(const struct aws *aws, const char *bucket)
{
    for (size_t i = aws->moved_count; bucket && i-- > 0;) {
        const struct aws_moved *moved = &aws->moved[i % AWS_MOVED_MAX];

        if (strcmp(moved->bucket, bucket) == 0)
            return moved->region;
        if (aws->moved_count - i == AWS_MOVED_MAX)
            break;
    }
    return NULL;
}

static char *copy_metadata(const struct aws *aws, const char *path)
{
    const char *found = aws->host->metadata(aws->host, path);

    return found && *found ? text_format("%s", found) : NULL;
}

const char *aws_region(struct aws *aws)
{
    const char *found = aws_variable("AWS_REGION");

    if (aws->looked_for_region)
        return aws->region;
    aws->looked_for_region = true;
    if (!found)
        found = aws_variable("AWS_DEFAULT_REGION");
    aws->region = found ? text_format("%s", found) : aws_profile_value(false, "region");
    if (!aws->region)
        aws->region = aws_profile_value(true, "region");
    if (!aws->region)
        aws->region = copy_metadata(aws, "placement/region");
    return aws->region;
}

/* The domain that the metadata service names, which is that of the instance's own region. */
static const char *domain_of(struct aws *aws, const char *region)
{
    if (!aws->looked_for_domain) {
        aws->looked_for_domain = true;
        aws->own_region = copy_metadata(aws, "placement/region");
        aws->own_domain = aws->own_region ? copy_metadata(aws, "services/domain") : NULL;
    }
    return aws->own_region && region && strcmp(aws->own_region, region) == 0 ? aws->own_domain
                                                                             : NULL;
}

/* Credentials that last, or, where new ones cannot be had, those that are left. */
static int find_credentials(struct aws_call *call)
{
    struct aws *aws = call->aws;
    struct aws_credentials found = {0};
    time_t now = aws_now(aws);
    bool has_some = aws->credentials.key_id != NULL;
    int result;

    if (has_some && (!aws_credentials_end_soon(&aws->credentials, now) ||
                     now - aws->asked_for_credentials < AWS_RENEW_AGAIN_S))
        return 0;
    aws->asked_for_credentials = now;
    result = aws_credentials_find(aws->host, &found, &call->why);
    if (result < 0 && has_some && aws->credentials.ends > now) {
        aws->host->log(aws->host, BOOTLACE_WARNING, "%s; the old ones are used until they end",
                       text_string(&call->why));
        call->why.size = 0;
        return 0;
    }
    aws_credentials_forget(&aws->credentials);
    aws->credentials = found;
    return result;
}

static int find_endpoint(struct aws_call *call)
{
    const struct aws_request *request = call->request;
    const char *moved = aws_moved_to(call->aws, request->bucket);
    const char *region = moved ? moved : request->region ? request->region : aws_region(call->aws);
    const struct aws_place place = {.service = request->service,
                                    .region = region,
                                    .domain = domain_of(call->aws, region),
                                    .bucket = request->bucket,
                                    .endpoint = request->endpoint};

    aws_endpoint_clear(&call->endpoint);
    return aws_endpoint_find(&place, &call->endpoint, &call->why);
}

/* Whether nothing in a header could be taken for another one. */
static bool is_clean(const struct aws_pair *pair)
{
    return *pair->name && !strpbrk(pair->name, ": \t\r\n") &&
           (!pair->value || !strpbrk(pair->value, "\r\n"));
}

static int sign(struct aws_call *call, const struct aws_pair *headers, const char *sha256)
{
    const struct aws_request *request = call->request;
    char *path = text_format("%s%s%s", call->endpoint.prefix,
                             request->path && *request->path == '/' ? "" : "/",
                             request->path ? request->path : "");
    const struct aws_sign what = {.method = request->method ? request->method : "GET",
                                  .path = path,
                                  .query = request->query,
                                  .headers = headers,
                                  .payload_sha256 = sha256,
                                  .region = call->endpoint.region,
                                  .service = request->service->signing,
                                  .is_s3 = request->service->is_s3,
                                  .credentials =
                                      request->anonymous ? NULL : &call->aws->credentials,
                                  .when = aws_now(call->aws)};
    int result;

    aws_signed_clear(&call->signed_request);
    result = aws_sign(&what, &call->signed_request);
    if (result < 0)
        text_add_format(&call->why, "it has more than %d parameters or headers",
                        AWS_SIGN_PAIRS_MAX);
    free(path);
    return result;
}

static int sign_with_headers(struct aws_call *call)
{
    const struct aws_request *request = call->request;
    struct aws_pair headers[HEADERS_MAX + 2] = {{"Host", call->endpoint.authority}};
    char sha256[AWS_SHA256_HEX];
    size_t count = 1;

    for (const struct aws_pair *pair = request->headers; pair && pair->name; pair++) {
        if (count > HEADERS_MAX || !is_clean(pair)) {
            text_add_format(&call->why, "its header %s is none", pair->name);
            return -EINVAL;
        }
        headers[count++] = *pair;
    }
    if (request->source)
        return sign(call, headers,
                    request->body_sha256 ? request->body_sha256 : AWS_UNSIGNED_PAYLOAD);
    aws_sha256(request->body ? request->body : "", request->body_size, sha256);
    return sign(call, headers, sha256);
}

int aws_prepare(struct aws_call *call)
{
    const struct aws_request *request = call->request;

    call->why.size = 0;
    call->failure = request->anonymous ? 0 : find_credentials(call);
    if (call->failure == 0)
        call->failure = find_endpoint(call);
    if (call->failure == 0)
        call->failure = sign_with_headers(call);
    free(call->url);
    call->url = NULL;
    if (call->failure == 0)
        call->url =
            text_format("%s%s", call->endpoint.base, text_string(&call->signed_request.target));
    call->http.url = call->url;
    call->http.headers = call->signed_request.lines;
    return call->failure;
}
