/* The SDKs' shared files, and what the metadata service says of a role's credentials. */
#include "fuzz.h"

#include <errno.h>
#include <support/aws_credentials.h>
#include <support/aws_profile.h>

static void check_value(char *value)
{
    MUST(!value || *value);
    MUST(!value || !strchr(value, '\n'));
    free(value);
}

static void check_role(const char *json)
{
    struct aws_credentials credentials = {0};
    struct text why = {0};
    int result = aws_credentials_read_role(json, "role", &credentials, &why);

    MUST(result == 0 || (result == -ENOKEY && why.size > 0));
    MUST(result == 0 ? *credentials.key_id && *credentials.secret : !credentials.key_id);
    aws_credentials_forget(&credentials);
    free(why.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(data, size), *text = malloc(size + 1);

    MUST(text);
    memcpy(text, copy, size);
    text[size] = '\0';
    check_value(aws_profile_lookup(copy, size, "default", "aws_access_key_id"));
    check_value(aws_profile_lookup(copy, size, "profile a b", "region"));
    check_value(aws_profile_lookup(copy, size, "services local", "s3.endpoint_url"));
    aws_profile_has(copy, size, "default");
    check_role(text);
    free(text);
    fuzz_copy_free(copy, size);
    return 0;
}
