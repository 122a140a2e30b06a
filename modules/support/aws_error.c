/* What services say when they refuse; see aws_error.h. */
#include <support/aws_error.h>

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* EC2 adds this, and a kilobyte that only its own API can decode. */
#define ENCODED_PART "Encoded authorization failure message"

/* Codes by what they mean: services have many names for one thing. */
static const char *const transient_codes[] = {"BandwidthLimitExceeded",
                                              "EC2ThrottledException",
                                              "InternalError",
                                              "InternalFailure",
                                              "InternalServerError",
                                              "InternalServiceError",
                                              "PriorRequestNotComplete",
                                              "ProvisionedThroughputExceededException",
                                              "RequestLimitExceeded",
                                              "RequestThrottled",
                                              "RequestThrottledException",
                                              "RequestTimeout",
                                              "RequestTimeoutException",
                                              "ServiceUnavailable",
                                              "ServiceUnavailableException",
                                              "SlowDown",
                                              "ThrottledException",
                                              "Throttling",
                                              "ThrottlingException",
                                              "TooManyRequestsException",
                                              "TransactionInProgressException",
                                              "Unavailable",
                                              NULL};

static const char *const expired_codes[] = {"ExpiredToken", "ExpiredTokenException",
                                            "RequestExpired", "TokenRefreshRequired", NULL};

static const char *const denied_codes[] = {"AccessDenied",
                                           "AccessDeniedException",
                                           "AuthFailure",
                                           "InvalidAccessKeyId",
                                           "InvalidClientTokenId",
                                           "InvalidSignatureException",
                                           "InvalidToken",
                                           "NotAuthorized",
                                           "OptInRequired",
                                           "RequestInTheFuture",
                                           "RequestTimeTooSkewed",
                                           "SignatureDoesNotMatch",
                                           "UnauthorizedOperation",
                                           "UnrecognizedClientException",
                                           NULL};

static const struct {
    const char *code;
    const char *words;
} advices[] = {
    {"AccessDenied", "the role or user may not do this: allow it in its policy, and in the "
                     "policy of what is asked for"},
    {"AccessDeniedException", "the role or user may not do this: allow it in its policy"},
    {"UnauthorizedOperation", "the role or user may not do this: allow it in its policy"},
    {"ExpiredToken", "the credentials have ended: get new ones"},
    {"ExpiredTokenException", "the credentials have ended: get new ones"},
    {"RequestExpired", "the credentials have ended, or the machine's clock is wrong"},
    {"InvalidClientTokenId", "nobody has this access key: was it deleted, is it of another "
                             "partition, or is its session token missing?"},
    {"InvalidAccessKeyId", "nobody has this access key: was it deleted, or is its session token "
                           "missing?"},
    {"UnrecognizedClientException", "nobody has this access key: was it deleted, or is its "
                                    "session token missing?"},
    {"InvalidToken", "the session token is not that of the access key"},
    {"AuthFailure", "the access key is not known, or may not be used here"},
    {"SignatureDoesNotMatch", "the secret key is not that of the access key"},
    {"InvalidSignatureException", "the secret key is not that of the access key"},
    {"RequestTimeTooSkewed", "the machine's clock is wrong: set it"},
    {"RequestInTheFuture", "the machine's clock is wrong: set it"},
    {"OptInRequired", "the account has not enabled this service or region"},
    {"NoSuchBucket", "there is no bucket of this name: is it spelled right?"},
    {"NoSuchKey", "there is no object of this key: is it spelled right?"},
    {"NoSuchUpload", "the upload was ended elsewhere: start it anew"},
    {"PermanentRedirect", "the bucket is in another region: name it in the settings"},
    {"AuthorizationHeaderMalformed", "another region than the service's was signed for: name the "
                                     "right one in the settings"},
    {"InvalidObjectState", "the object is archived: restore it before it can be read"},
    {"PreconditionFailed", "it was changed meanwhile"},
    {"KMS.DisabledException", "the KMS key that it is encrypted with is disabled"},
    {"NoSuchHostedZone", "there is no hosted zone of this id"},
    {"InvalidChangeBatch", "Route 53 takes none of the changes where one is wrong"},
    {"ParameterNotFound", "there is no parameter of this name in the region"},
    {"ResourceNotFoundException", "there is none of this name in the region"},
    {"TargetGroupNotFound", "there is no target group of this ARN in the region"},
    {"InvalidTarget", "the instance cannot be a target: is it running, and in the group's VPC?"},
    {"SlowDown", "too many requests: try again later"},
    {"Throttling", "too many requests: try again later"},
    {"RequestLimitExceeded", "too many requests of this account: try again later"},
};

static bool is_one_of(const char *const *codes, const char *code)
{
    while (*codes && strcmp(*codes, code) != 0)
        codes++;
    return *codes != NULL;
}

bool aws_error_is_transient(const char *code)
{
    return is_one_of(transient_codes, code);
}

bool aws_error_is_expired(const char *code)
{
    return is_one_of(expired_codes, code);
}

const char *aws_error_advice(const char *code, int status)
{
    for (size_t i = 0; i < sizeof advices / sizeof *advices; i++) {
        if (strcmp(advices[i].code, code) == 0)
            return advices[i].words;
    }
    /* An answer to HEAD has no body, and so no code. */
    if (!*code && status == 403)
        return "the role or user may not do this, or there is no such object, which S3 tells only "
               "to those who may list the bucket";
    return "";
}

int aws_error_result(const char *code, int status)
{
    if (is_one_of(expired_codes, code))
        return -EKEYEXPIRED;
    if (is_one_of(denied_codes, code) || status == 401 || status == 403)
        return -EACCES;
    if (is_one_of(transient_codes, code) || status == 429 || status >= 500)
        return -EAGAIN;
    switch (status) {
    case 404:
        return -ENOENT;
    case 409:
        return -EEXIST;
    case 412:
        return -ESTALE;
    case 416:
        return -ERANGE;
    default:
        return status >= 400 ? -EINVAL : -EIO;
    }
}

/* A remote's words, with nothing in them that a terminal would take for more. */
static void copy_words(char *to, size_t size, const char *from)
{
    const char *end = from ? strstr(from, ENCODED_PART) : NULL;
    size_t length = 0;

    for (; from && *from && from != end && length + 1 < size; from++) {
        bool is_blank = (unsigned char)*from <= ' ' || *from == 0x7f;

        if (!is_blank || (length > 0 && to[length - 1] != ' '))
            to[length++] = *(is_blank ? " " : from);
    }
    /* No part of a character, where it was cut. */
    if (length + 1 == size) {
        while (length > 0 && ((unsigned char)to[length - 1] & 0xc0) == 0x80)
            length--;
        length -= length > 0 && (unsigned char)to[length - 1] >= 0xc0;
    }
    if (length > 0 && to[length - 1] == ' ')
        length--;
    to[length] = '\0';
}

/* "com.amazonaws.ssm#ParameterNotFound", "ValidationException:http://…": the code alone. */
static void copy_code(char code[AWS_CODE_MAX], const char *given)
{
    const char *hash = given ? strrchr(given, '#') : NULL;

    if (hash)
        given = hash + 1;
    if (given)
        snprintf(code, AWS_CODE_MAX, "%.*s", (int)strcspn(given, ":/ \t\r\n"), given);
}

static const char *text_of(const json_t *object, const char *one, const char *other)
{
    const char *text = json_string_value(json_object_get(object, one));

    return text ? text : json_string_value(json_object_get(object, other));
}

static void read_json(const struct http_answer *answer, struct aws_error *error)
{
    json_t *body = json_loadb(answer->body.bytes, answer->body.size, JSON_ALLOW_NUL, NULL);

    copy_code(error->code, http_header(answer, "x-amzn-ErrorType"));
    if (!*error->code)
        copy_code(error->code, text_of(body, "__type", "code"));
    copy_words(error->message, sizeof error->message, text_of(body, "message", "Message"));
    json_decref(body);
}

static void read_xml(const struct http_answer *answer, struct aws_error *error)
{
    struct xml *root = xml_parse(answer->body.bytes, answer->body.size, NULL);
    const struct xml *at = root;

    if (!root)
        return;
    if (xml_find(root, "Error/Code")) /* the query protocol's */
        at = xml_find(root, "Error");
    else if (xml_find(root, "Errors/Error/Code")) /* EC2's */
        at = xml_find(root, "Errors/Error");
    if (xml_find(at, "Code")) {
        copy_code(error->code, xml_find_text(at, "Code"));
        copy_words(error->message, sizeof error->message, xml_find_text(at, "Message"));
        if (xml_find(at, "Region"))
            copy_code(error->region, xml_find_text(at, "Region"));
    } else if (xml_find(root, "Messages/Message")) { /* Route 53's */
        copy_code(error->code, xml_name(root));
        copy_words(error->message, sizeof error->message, xml_find_text(root, "Messages/Message"));
    }
    xml_free(root);
}

bool aws_error_read(const struct http_answer *answer, struct aws_error *error)
{
    const char *region = http_header(answer, "x-amz-bucket-region");
    const char *body = text_string(&answer->body);

    *error = (struct aws_error){0};
    body += strspn(body, " \t\r\n");
    if (*body == '<')
        read_xml(answer, error);
    else
        read_json(answer, error);
    if (region)
        copy_code(error->region, region);
    return *error->code != '\0';
}
