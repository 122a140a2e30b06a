/*
 * endpoint: where support/aws_endpoint.h finds services.
 *
 * Each line of standard input has service (its variable's name), region, domain, bucket and
 * endpoint. Standard output has a line for each: base, prefix, authority, region, custom, and why
 * where there is none.
 */
#include "spec.h"

#include <support/aws_endpoint.h>

static void find(const json_t *asked)
{
    struct aws_place place = {.region = spec_text(asked, "region"),
                              .domain = spec_text(asked, "domain"),
                              .bucket = spec_text(asked, "bucket"),
                              .endpoint = spec_text(asked, "endpoint")};
    struct aws_endpoint endpoint;
    struct text why = {0};
    json_t *shown = json_object();

    place.service = spec_service(asked);
    aws_endpoint_find(&place, &endpoint, &why);
    spec_put_text(shown, "base", endpoint.base ? endpoint.base : "");
    spec_put_text(shown, "prefix", endpoint.prefix ? endpoint.prefix : "");
    spec_put_text(shown, "authority", endpoint.authority ? endpoint.authority : "");
    spec_put_text(shown, "region", endpoint.region ? endpoint.region : "");
    json_object_set_new(shown, "custom", json_boolean(endpoint.is_custom));
    spec_put_text(shown, "why", text_string(&why));
    spec_print(shown);
    aws_endpoint_clear(&endpoint);
    free(why.bytes);
}

int main(void)
{
    json_t *asked;

    while ((asked = spec_next())) {
        find(asked);
        json_decref(asked);
    }
    return 0;
}
