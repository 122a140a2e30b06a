/*
 * sign: signs requests by support/aws_sign.h, for other signers to be compared with.
 *
 * Standard input has a JSON object a line: method, path, query and headers (lists of pairs),
 * sha256, region, service, s3, key_id, secret, token (or null), when (seconds). For each, standard
 * output gets one with target, canonical, to_sign and lines.
 */
#include "spec.h"

#include <support/aws_sign.h>

static void answer(int result, const struct aws_signed *made)
{
    json_t *object = json_object(), *lines = json_array();

    for (size_t i = 0; i < made->count; i++)
        json_array_append_new(lines, json_string(made->lines[i]));
    json_object_set_new(object, "result", json_integer(result));
    spec_put_text(object, "target", text_string(&made->target));
    spec_put_text(object, "canonical", text_string(&made->canonical));
    spec_put_text(object, "to_sign", text_string(&made->to_sign));
    json_object_set_new(object, "lines", lines);
    spec_print(object);
}

static void sign_one(const json_t *object)
{
    struct aws_credentials credentials = {.key_id = (char *)spec_text(object, "key_id"),
                                          .secret = (char *)spec_text(object, "secret"),
                                          .token = (char *)spec_text(object, "token")};
    const struct aws_pair *query = spec_pairs(object, "query"),
                          *headers = spec_pairs(object, "headers");
    const struct aws_sign sign = {.method = spec_text(object, "method"),
                                  .path = spec_text(object, "path"),
                                  .query = query,
                                  .headers = headers,
                                  .payload_sha256 = spec_text(object, "sha256"),
                                  .region = spec_text(object, "region"),
                                  .service = spec_text(object, "service"),
                                  .is_s3 = spec_flag(object, "s3"),
                                  .credentials = &credentials,
                                  .when = json_integer_value(json_object_get(object, "when"))};
    struct aws_signed made;
    int result = aws_sign(&sign, &made);

    answer(result, &made);
    aws_signed_clear(&made);
}

int main(void)
{
    json_t *object;

    while ((object = spec_next())) {
        sign_one(object);
        json_decref(object);
    }
    return 0;
}
